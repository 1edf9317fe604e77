//! A journey from an `OpenAPI` 3 document: one step per operation, in an order in which what is
//! created is read, changed and removed again.

mod document;
mod operation;
mod sources;
mod values;

use serde::Deserialize;
use serde_json::{Map, Value};

use self::document::Document;
pub(crate) use self::document::encoded;
use self::operation::{Operation, Parameter};
use self::sources::{Source, Sources};
use self::values::Maker;
use crate::configuration::{Configuration, Journey, Load, Method, Step, may_send};
use crate::invalid::{self, Invalid};
use crate::naming::{Given, identifier, name_of};
use crate::{Draft, MAX_DOCUMENT_BYTES};

/// Which operations become steps.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OpenApiOptions {
    /// Only operations with one of these tags; all when empty.
    pub tags: Vec<String>,
    /// Only these, by `operationId` or as `GET /path`; all when empty.
    pub operations: Vec<String>,
    /// Operations that change something, too.
    pub writes: bool,
    /// How much load; one user for half a minute when absent.
    pub load: Option<Load>,
}

/// Makes a journey of a document.
///
/// # Errors
/// A document that is no `OpenAPI` 3, or has no operation that is asked for.
pub fn draft(text: &str, options: &OpenApiOptions) -> Result<Draft, Vec<Invalid>> {
    if text.len() > MAX_DOCUMENT_BYTES {
        let reason = format!("must have at most {MAX_DOCUMENT_BYTES} bytes");
        return Err(vec![Invalid::new("", reason)]);
    }
    let root: Value = invalid::read_json(text)?;
    let document = Document::read(&root).map_err(|invalid| vec![invalid])?;
    let mut drafting = Drafting {
        maker: Maker::new(&document),
        prefix: document.path_prefix(),
        warnings: Vec::new(),
    };
    let mut operations = drafting.chosen(&document, options);
    operations.sort_by_key(|operation| (order(operation), operation.path.matches('{').count()));
    let sources = Sources::of(&document, &operations);
    let steps: Vec<Step> = operations
        .iter()
        .filter_map(|operation| drafting.step(operation, &sources))
        .collect();
    if steps.is_empty() {
        let reason = "has no operation that is asked for and can be called";
        return Err(vec![Invalid::new("paths", reason)]);
    }
    let mut warnings = drafting.warnings;
    warnings.extend(drafting.maker.warnings);
    let configuration = Configuration {
        title: format!("{}: every chosen operation", document.title()),
        about: String::new(),
        trace_sample: 1.0,
        load: options.load.clone().unwrap_or_default(),
        thresholds: [].into(),
        rows: Vec::new(),
        journeys: vec![Journey {
            name: "operations".to_owned(),
            weight: 1,
            think: Some([0.5, 1.5]),
            make: [].into(),
            steps,
        }],
    };
    Ok(Draft {
        configuration,
        warnings,
    })
}

struct Drafting<'a> {
    maker: Maker<'a>,
    prefix: String,
    warnings: Vec<String>,
}

impl<'a> Drafting<'a> {
    fn chosen(&mut self, document: &Document<'a>, options: &OpenApiOptions) -> Vec<Operation<'a>> {
        let mut unused: Vec<&String> = options.tags.iter().chain(&options.operations).collect();
        let mut chosen = Vec::new();
        let mut writes = 0;
        for operation in document.operations() {
            let is = |wish: &String| operation.is(wish);
            let tagged = |wish: &String| operation.tags.contains(&wish.as_str());
            unused.retain(|wish| !is(wish) && !tagged(wish));
            let wanted = (options.tags.is_empty() || options.tags.iter().any(tagged))
                && (options.operations.is_empty() || options.operations.iter().any(is));
            if !wanted {
                continue;
            }
            if !options.writes && !operation.method.is_safe() {
                writes += 1;
                continue;
            }
            match operation.obstacle() {
                Some(obstacle) => self.leave_out(&operation, obstacle),
                None => chosen.push(operation),
            }
        }
        if writes > 0 {
            let warning = format!("Operations left out because they change something: {writes}.");
            self.warnings.push(warning);
        }
        let missing = unused
            .iter()
            .map(|wish| format!("{wish} is not in the document."));
        self.warnings.extend(missing);
        chosen
    }

    fn leave_out(&mut self, operation: &Operation<'_>, reason: &str) {
        self.warnings
            .push(format!("{} is left out: {reason}.", operation.label()));
    }

    fn step(&mut self, operation: &Operation<'a>, sources: &Sources) -> Option<Step> {
        let changes = matches!(
            operation.method,
            Method::Put | Method::Patch | Method::Delete
        );
        if changes
            && sources
                .of_path(operation.path)
                .any(|source| *source != Source::Created)
        {
            self.leave_out(
                operation,
                "nothing that it changes was created by this script",
            );
            return None;
        }
        let mut step = Step::new(operation.method, "");
        step.name = Some(name_of(&operation.label()));
        step.status = operation.status?;
        step.path = self.address(operation, sources, &mut step.values);
        for parameter in operation
            .parameters
            .iter()
            .filter(|it| it.place == "header")
        {
            self.add_header(operation, parameter, &mut step);
        }
        step.body = operation.body.map(|media| self.maker.of_media(media));
        if operation.secured {
            let warning = format!("{} wants credentials, none are sent.", operation.label());
            self.warnings.push(warning);
        }
        match sources.told_by(operation) {
            Some((Source::Created, name, pointer)) => step.save.insert(name, pointer),
            Some((_, name, pointer)) => step.find.insert(name, pointer),
            None => None,
        };
        Some(step)
    }

    /// The path with values in braces, and the query.
    fn address(
        &mut self,
        operation: &Operation<'a>,
        sources: &Sources,
        values: &mut Map<String, Value>,
    ) -> String {
        let mut given = Given::default();
        let mut path = self.prefix.clone();
        for part in document::parts(operation.path) {
            match part {
                document::Part::Text(text) => path += &encoded(text),
                document::Part::Name(name) => {
                    let value = match sources.value_name(operation.path, name) {
                        Some(value) => value,
                        None => {
                            let value = given.unique(&identifier("own", name));
                            values.insert(value.clone(), self.made_up(operation, name));
                            value
                        }
                    };
                    path += &format!("{{{value}}}");
                }
            }
        }
        let queries = operation.parameters.iter().filter(|it| it.place == "query");
        let mut sign = '?';
        for parameter in queries {
            let Some(value) = self.maker.of_parameter(parameter) else {
                continue;
            };
            let name = given.unique(&identifier("", parameter.name));
            let key: String =
                url::form_urlencoded::byte_serialize(parameter.name.as_bytes()).collect();
            path += &format!("{sign}{key}={{{name}}}");
            values.insert(name, value);
            sign = '&';
        }
        path
    }

    /// A value of a path that no reply tells.
    fn made_up(&mut self, operation: &Operation<'a>, name: &str) -> Value {
        let mut parameters = operation.parameters.iter();
        let parameter = parameters.find(|it| it.place == "path" && it.name == name);
        let value = parameter.and_then(|parameter| self.maker.of_parameter(parameter));
        if parameter.is_none_or(|parameter| parameter.example.is_none()) {
            let label = operation.label();
            let warning = format!("the {name} of {label} is made up; the target may not know it.");
            self.warnings.push(warning);
        }
        value.unwrap_or_else(|| "1".into())
    }

    fn add_header(
        &mut self,
        operation: &Operation<'a>,
        parameter: &Parameter<'a>,
        step: &mut Step,
    ) {
        let Some(value) = self.maker.of_parameter(parameter) else {
            return;
        };
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if may_send(parameter.name, &text) {
            step.headers.insert(parameter.name.to_owned(), text);
        } else {
            let label = operation.label();
            self.warnings.push(format!(
                "the header {} of {label} is not sent.",
                parameter.name
            ));
        }
    }
}

/// Creates, then reads, then changes, then removes.
fn order(operation: &Operation<'_>) -> u8 {
    match operation.method {
        Method::Post if !operation.path.contains('{') => 0,
        Method::Get | Method::Head | Method::Options => 1,
        Method::Post => 2,
        Method::Put => 3,
        Method::Patch => 4,
        Method::Delete => 5,
    }
}
