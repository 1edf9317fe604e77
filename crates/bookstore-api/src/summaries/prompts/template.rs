//! One prompt: its file, the check of it, and the question that it makes of a book.

use domain::Book;
use llm::{CallContext, ChatRequest, Message};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, context};
use serde::Deserialize;
use tenancy::TenantId;

use super::book_data;

/// Longest name of a prompt.
const MAX_NAME: usize = 60;

/// Largest version; more is a date or a mistake.
const MAX_VERSION: u32 = 9_999;

/// Most tokens that a prompt may let a model write: several times the longest useful summary.
const MAX_TOKENS: u32 = 4_000;

/// Largest temperature that any provider takes.
const MAX_TEMPERATURE: f32 = 2.0;

/// Most characters of an answer where the prompt says nothing: twice what the built-in prompts let
/// a model write, at four characters a token.
const DEFAULT_CHARACTERS: usize = 4_000;

/// Most characters that a prompt may allow: what one answer can have at all.
const MAX_CHARACTERS: usize = 1 << 20;

/// Most bytes that a prompt has around the book: a template that multiplies text is a mistake.
const MAX_WORDS: usize = 16 << 10;

/// The one variable of the user's part.
const BOOK: &str = "book";

/// A prompt in words, checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromptTemplate {
    name: String,
    version: u32,
    /// Most tokens of the answer.
    max_tokens: u32,
    temperature: Option<f32>,
    /// Most characters of an answer; longer ones are rejected.
    max_characters: Option<usize>,
    /// Instructions; without variables, since data has no place above the messages.
    system: String,
    /// The message, with `{{ book }}` in it.
    user: String,
}

impl PromptTemplate {
    /// Reads a file's text and checks it.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let prompt: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        prompt.check()?;
        Ok(prompt)
    }

    /// Name and version, as in `book-summary-2`: stands in rows, spans, cache keys and summaries.
    pub(crate) fn label(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn version(&self) -> u32 {
        self.version
    }

    /// Most characters of an answer.
    pub(crate) fn max_characters(&self) -> usize {
        self.max_characters.unwrap_or(DEFAULT_CHARACTERS)
    }

    /// The question about a book; its context is the caller's to fill.
    ///
    /// # Errors
    /// None that [`PromptTemplate::parse`] has not met before.
    pub(crate) fn request(&self, book: &Book) -> Result<ChatRequest, Error> {
        Ok(ChatRequest {
            model: None,
            system: Some(render(&self.system, None)?),
            messages: vec![Message::user(render(
                &self.user,
                Some(&book_data::document(book)),
            )?)],
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            context: CallContext::new(TenantId::development(), super::super::FEATURE, None),
        })
    }

    fn check(&self) -> Result<(), String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=MAX_NAME).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err(format!("name: must be 1 to {MAX_NAME} of a-z, 0-9 and -"));
        }
        if !(1..=MAX_VERSION).contains(&self.version) {
            return Err(format!("version: must be 1 to {MAX_VERSION}"));
        }
        if !(1..=MAX_TOKENS).contains(&self.max_tokens) {
            return Err(format!("max_tokens: must be 1 to {MAX_TOKENS}"));
        }
        if !(1..=MAX_CHARACTERS).contains(&self.max_characters()) {
            return Err(format!("max_characters: must be 1 to {MAX_CHARACTERS}"));
        }
        let possible = |temperature: f32| (0.0..=MAX_TEMPERATURE).contains(&temperature);
        if !self.temperature.is_none_or(possible) {
            return Err(format!("temperature: must be 0 to {MAX_TEMPERATURE}"));
        }
        check_part("system", &self.system, &[])?;
        check_part("user", &self.user, &[BOOK])
    }
}

/// Whether a part uses all of these variables and no others, and can be rendered.
fn check_part(part: &str, source: &str, variables: &[&str]) -> Result<(), String> {
    let wrong = |error: Error| format!("{part}: {error}");
    let environment = environment();
    let template = environment.template_from_str(source).map_err(wrong)?;
    let used = template.undeclared_variables(false);
    if let Some(unknown) = used.iter().find(|used| !variables.contains(&used.as_str())) {
        return Err(format!("{part}: there is no variable {unknown} here"));
    }
    if let Some(missing) = variables.iter().find(|known| !used.contains(**known)) {
        return Err(format!("{part}: must contain {{{{ {missing} }}}}"));
    }
    let sample = (!variables.is_empty()).then_some("{}");
    let words = render(source, sample).map_err(wrong)?;
    if words.trim().is_empty() {
        return Err(format!("{part}: has no text"));
    }
    if words.len() > MAX_WORDS {
        return Err(format!("{part}: has more than {MAX_WORDS} bytes"));
    }
    Ok(())
}

/// What is data is a value here and never a template.
fn render(source: &str, book: Option<&str>) -> Result<String, Error> {
    let environment = environment();
    let template = environment.template_from_str(source)?;
    match book {
        Some(book) => template.render(context! { book }),
        None => template.render(context! {}),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"p\"\nversion = 1\nmax_tokens = 100\nsystem = \"Summarize.\"\n\
                        user = \"<book>{{ book }}</book>\"";

    #[test]
    fn a_good_file_is_taken() {
        let prompt = PromptTemplate::parse(GOOD).unwrap();
        assert_eq!(prompt.label(), "p-1");
        assert_eq!(render(&prompt.user, Some("{}")).unwrap(), "<book>{}</book>");
    }

    #[test]
    fn data_is_no_template() {
        let hostile = "{{ book }}{% raw %}{# #}{{ 1 + 1 }}";
        assert_eq!(render("{{ book }}", Some(hostile)).unwrap(), hostile);
    }

    #[test]
    fn a_bad_file_is_refused_with_its_reason() {
        for (line, other, reason) in [
            ("version = 1", "", "missing field `version`"),
            ("version = 1", "version = 0", "version: must be"),
            ("version = 1", "version = 1\ncolour = 1", "unknown field"),
            ("name = \"p\"", "name = \"P x\"", "name: must be"),
            ("max_tokens = 100", "max_tokens = 0", "max_tokens: must be"),
            (
                "max_tokens = 100",
                "max_tokens = 9\nmax_characters = 0",
                "max_characters: must be",
            ),
            (
                "max_tokens = 100",
                "max_tokens = 9\ntemperature = 3.0",
                "temperature: must",
            ),
            (
                "Summarize.",
                "For {{ book }}",
                "system: there is no variable book",
            ),
            ("Summarize.", " ", "system: has no text"),
            ("{{ book }}", "", "user: must contain {{ book }}"),
            (
                "{{ book }}",
                "{{ book }}{{ price }}",
                "user: there is no variable price",
            ),
            ("{{ book }}", "{{ book", "user: syntax error"),
            ("{{ book }}", "{{ book.title }}", "user: undefined value"),
            ("{{ book }}", "{{ book | upper }}", "user: unknown filter"),
            (
                "{{ book }}",
                "{% include \\\"/etc/passwd\\\" %}{{ book }}",
                "user: ",
            ),
        ] {
            let text = GOOD.replace(line, other);
            let refused = PromptTemplate::parse(&text).unwrap_err();
            assert!(refused.contains(reason), "{other}: {refused}");
        }
    }
}
