//! One operation of a document.

use serde_json::{Map, Value};

use super::document::Document;
use crate::configuration::Method;

/// A method of a path.
pub(super) struct Operation<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) tags: Vec<&'a str>,
    pub(super) parameters: Vec<Parameter<'a>>,
    /// The media type object of its JSON body.
    pub(super) body: Option<&'a Value>,
    /// The first status of success that it names.
    pub(super) status: Option<u16>,
    /// The schema of the JSON reply.
    pub(super) reply: Option<&'a Value>,
    pub(super) secured: bool,
    id: Option<&'a str>,
    /// It wants a body, and none of JSON.
    wants_other_body: bool,
    /// Its reply is a stream of events and nothing else.
    streams: bool,
}

/// A parameter of an operation.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a str,
    pub(super) required: bool,
    pub(super) example: Option<&'a Value>,
    pub(super) schema: Option<&'a Value>,
}

impl<'a> Operation<'a> {
    pub(super) fn read(
        document: &Document<'a>,
        (method, path): (Method, &'a str),
        shared: Option<&'a Value>,
        operation: &'a Value,
    ) -> Self {
        let content = |holder: Option<&'a Value>| -> Option<&'a Map<String, Value>> {
            document.resolved(holder?)?.get("content")?.as_object()
        };
        let body = content(operation.get("requestBody"));
        let responses = operation.get("responses").and_then(Value::as_object);
        let success = responses
            .into_iter()
            .flatten()
            .find_map(|(status, response)| Some((success(status)?, response)));
        let reply = success.and_then(|(_, response)| content(Some(response)));
        let json_reply = reply.and_then(json);
        let tags = operation.get("tags").and_then(Value::as_array);
        let lists = [operation.get("parameters"), shared];
        let parameters = lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten();
        Self {
            method,
            path,
            tags: tags
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect(),
            parameters: parameters
                .filter_map(|it| parameter(document, it))
                .collect(),
            body: body.and_then(json),
            status: success.map(|(status, _)| status),
            reply: json_reply.and_then(|media| media.get("schema")),
            secured: document.is_secured(operation),
            id: operation.get("operationId").and_then(Value::as_str),
            wants_other_body: body.is_some_and(|content| json(content).is_none()),
            streams: reply.is_some_and(|content| {
                json_reply.is_none() && content.contains_key("text/event-stream")
            }),
        }
    }

    /// `GET /path/{id}`.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }

    /// Whether a wish means it.
    pub(super) fn is(&self, wish: &str) -> bool {
        self.id == Some(wish) || self.label() == wish
    }

    /// Why it cannot be called.
    pub(super) fn obstacle(&self) -> Option<&'static str> {
        if self.status.is_none() {
            Some("it names no status of success")
        } else if self.wants_other_body {
            Some("it wants a body that is no JSON")
        } else if self.streams {
            Some("its reply is a stream of events")
        } else {
            None
        }
    }
}

fn parameter<'a>(document: &Document<'a>, value: &'a Value) -> Option<Parameter<'a>> {
    let value = document.resolved(value)?;
    let schema = value
        .get("schema")
        .and_then(|schema| document.resolved(schema));
    let examples = value.get("examples").and_then(Value::as_object);
    let of_examples = examples.and_then(|examples| document.resolved(examples.values().next()?));
    let example = value.get("example");
    Some(Parameter {
        name: value.get("name")?.as_str()?,
        place: value.get("in")?.as_str()?,
        required: value
            .get("required")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        example: example.or_else(|| of_examples?.get("value")),
        schema,
    })
}

/// The media type object of JSON, or of a kind of it that is no problem document.
fn json(content: &Map<String, Value>) -> Option<&Value> {
    let is_json = |kind: &str| kind == "application/json" || kind.ends_with("+json");
    content.iter().find_map(|(kind, media)| {
        let kind = kind.split(';').next().unwrap_or(kind).trim();
        is_json(kind).then_some(media)
    })
}

/// The status of success that a text such as `201` or `2XX` stands for.
fn success(status: &str) -> Option<u16> {
    if status.eq_ignore_ascii_case("2XX") {
        return Some(200);
    }
    status
        .parse()
        .ok()
        .filter(|status| (200..300).contains(status))
}
