//! Reads a JSON object field by field, with the contract's tolerances, and collects every error.

use std::{borrow::Cow, collections::HashMap};

use domain::InvalidField;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use service_defaults::problem::FieldError;

/// Errors that one reply lists; a bulk body may have thousands.
const MAX_ERRORS: usize = 100;

/// The members of one JSON object.
///
/// Members keep their text, so that numbers are read exactly and nothing is parsed that no field
/// wants. `null` is the same as an absent member. Of a member that stands twice the last one counts.
pub(crate) struct Fields<'a> {
    path: String,
    members: HashMap<Cow<'a, str>, &'a RawValue>,
    errors: Vec<FieldError>,
}

/// What a member of a JSON object is, to this reader.
enum Member {
    Absent,
    Text(String),
    Number(String),
    Other,
}

impl<'a> Fields<'a> {
    /// The members of the object in `text`; `path` stands before their names in errors.
    pub(crate) fn parse(text: &'a [u8], path: &str) -> Result<Self, FieldError> {
        match serde_json::from_slice(text) {
            Ok(members) => Ok(Self {
                path: path.to_owned(),
                members,
                errors: Vec::new(),
            }),
            Err(error) => {
                let field = if path.is_empty() { "body" } else { path };
                Err(FieldError::new(
                    field,
                    format!("must be a JSON object: {error}"),
                ))
            }
        }
    }

    /// Whether the member is there, `null` included.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Refuses members with other names than these.
    pub(crate) fn only(&mut self, known: &[&str]) {
        let unknown: Vec<String> = self
            .members
            .keys()
            .filter(|name| !known.contains(&name.as_ref()))
            .map(|name| name.chars().take(64).collect())
            .collect();
        for name in unknown {
            self.reject(&name, "is not a field that can be changed");
        }
    }

    /// A text; absent is the empty text.
    pub(crate) fn text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidField>,
    ) -> Option<T> {
        match self.member(name) {
            Member::Absent => self.accept(name, parse("")),
            Member::Text(text) => self.accept(name, parse(&text)),
            Member::Number(_) | Member::Other => {
                self.reject(name, "must be a text");
                None
            }
        }
    }

    /// A number, also one in quotes; absent is 0.
    pub(crate) fn number<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidField>,
    ) -> Option<T> {
        match self.member(name) {
            Member::Absent => self.accept(name, parse("0")),
            Member::Text(text) | Member::Number(text) => self.accept(name, parse(text.trim())),
            Member::Other => {
                self.reject(name, "must be a number");
                None
            }
        }
    }

    /// A text if the member is there; `null` is the empty text.
    pub(crate) fn changed_text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidField>,
    ) -> Option<T> {
        if self.has(name) {
            self.text(name, parse)
        } else {
            None
        }
    }

    /// A number if the member is there; `null` is 0.
    pub(crate) fn changed_number<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidField>,
    ) -> Option<T> {
        if self.has(name) {
            self.number(name, parse)
        } else {
            None
        }
    }

    /// An instant; absent or empty is none.
    pub(crate) fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let text = match self.member(name) {
            Member::Absent => return None,
            Member::Text(text) if text.is_empty() => return None,
            Member::Text(text) => text,
            Member::Number(_) | Member::Other => String::new(),
        };
        let instant = domain::parse_instant(text.trim());
        if instant.is_none() {
            self.reject(name, "must be a date or an RFC 3339 instant");
        }
        instant
    }

    /// Notes an invalid member.
    pub(crate) fn reject(&mut self, name: &str, reason: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            let field = if self.path.is_empty() {
                name.to_owned()
            } else {
                format!("{}.{name}", self.path)
            };
            self.errors.push(FieldError::new(field, reason));
        }
    }

    /// `value` if nothing was invalid.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Vec<FieldError>> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(self.errors),
        }
    }

    fn accept<T>(&mut self, name: &str, parsed: Result<T, InvalidField>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.reject(name, error.reason);
                None
            }
        }
    }

    fn member(&self, name: &str) -> Member {
        let Some(raw) = self.members.get(name).map(|raw| raw.get()) else {
            return Member::Absent;
        };
        match raw.as_bytes().first() {
            Some(b'n') => Member::Absent,
            Some(b'"') => match serde_json::from_str(raw) {
                Ok(text) => Member::Text(text),
                Err(_) => Member::Other,
            },
            Some(b'-' | b'0'..=b'9') => Member::Number(raw.to_owned()),
            _ => Member::Other,
        }
    }
}

/// Reads a JSON array of objects, each with `read`; errors carry the index.
///
/// # Errors
/// A text that is no array, an empty one, one longer than `limit`, or invalid objects.
pub(crate) fn read_many<'a, T>(
    text: &'a [u8],
    limit: usize,
    read: impl Fn(Fields<'a>) -> Result<T, Vec<FieldError>>,
) -> Result<Vec<T>, Vec<FieldError>> {
    let entries: Vec<&RawValue> = parse_array(text).map_err(|error| vec![error])?;
    if entries.is_empty() {
        return Err(vec![FieldError::new("body", "must not be an empty array")]);
    }
    if entries.len() > limit {
        let reason = format!("must have at most {limit} entries");
        return Err(vec![FieldError::new("body", reason)]);
    }
    let mut values = Vec::with_capacity(entries.len());
    let mut errors = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let fields = Fields::parse(entry.get().as_bytes(), &format!("[{index}]"));
        match fields.map_err(|error| vec![error]).and_then(&read) {
            Ok(value) => values.push(value),
            Err(found) => errors.extend(found),
        }
        if errors.len() >= MAX_ERRORS {
            break;
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(errors)
    }
}

fn parse_array<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<Vec<T>, FieldError> {
    serde_json::from_slice(text)
        .map_err(|error| FieldError::new("body", format!("must be a JSON array: {error}")))
}

#[cfg(test)]
mod tests {
    use domain::{Price, Title};

    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        Fields::parse(text.as_bytes(), "").unwrap()
    }

    #[test]
    fn numbers_may_stand_in_quotes() {
        for text in [
            r#"{"price": 23.45}"#,
            r#"{"price": "23.45"}"#,
            r#"{"price": 2345e-2}"#,
        ] {
            assert_eq!(
                fields(text)
                    .number("price", Price::parse)
                    .unwrap()
                    .to_decimal(),
                "23.45"
            );
        }
        assert_eq!(
            fields("{}").number("price", Price::parse),
            Some(Price::default())
        );
        for text in [
            r#"{"price": "invalid"}"#,
            r#"{"price": true}"#,
            r#"{"price": [1]}"#,
        ] {
            let mut fields = fields(text);
            assert_eq!(fields.number("price", Price::parse), None);
            assert_eq!(fields.finish(Some(())).unwrap_err()[0].field, "price");
        }
    }

    #[test]
    fn a_missing_required_text_is_named() {
        let mut fields = fields(r#"{"title": null}"#);
        assert_eq!(fields.text("title", Title::parse), None);
        assert_eq!(
            fields.finish(Some(())).unwrap_err(),
            [FieldError::new("title", "must not be empty")]
        );
    }

    #[test]
    fn lone_surrogates_are_no_text() {
        let mut fields = fields(r#"{"title": "\ud800"}"#);
        assert_eq!(fields.text("title", Title::parse), None);
    }

    #[test]
    fn bulk_errors_carry_their_index() {
        let read = |mut fields: Fields<'_>| {
            let title = fields.text("title", Title::parse);
            fields.finish(title)
        };
        let errors = read_many(br#"[{"title":"a"},{"title":""},7]"#, 10, read).unwrap_err();
        let named: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, ["[1].title", "[2]"]);
        assert!(read_many(b"[]", 10, read).is_err());
        assert!(read_many(b"[{},{}]", 1, read).is_err());
        assert!(read_many(b"{}", 1, read).is_err());
    }
}
