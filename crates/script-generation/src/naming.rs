//! Names that may stand in a script, and names made of whatever text.

use std::collections::BTreeSet;

/// The longest name of a journey or a step, in characters; it is a tag of every sample.
pub(crate) const MAX_NAME: usize = 100;

/// The longest name of a value.
const MAX_VALUE_NAME: usize = 40;

/// Whether a text can be the name of a journey or a step: it is a tag in k6's thresholds, where
/// a comma, a colon or a quote would end it.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.chars().all(is_name_sign) && text.trim() == text
}

fn is_name_sign(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, ' ' | '.' | '_' | '-' | '/' | '{' | '}')
}

/// A name as close to a text as the rule allows.
pub(crate) fn name_of(text: &str) -> String {
    let safe = |sign: char| if is_name_sign(sign) { sign } else { '_' };
    let name: String = text.trim().chars().take(MAX_NAME).map(safe).collect();
    let name = name.trim();
    if name.is_empty() {
        "unnamed".into()
    } else {
        name.into()
    }
}

/// Whether a text can name a value: a plain identifier, no member of every object.
pub(crate) fn is_value_name(text: &str) -> bool {
    text.len() <= MAX_VALUE_NAME
        && text.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && text
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
}

/// An identifier made of the words of a text, such as `walkOrderBook` of `walk` and `order book`.
pub(crate) fn identifier(first: &str, text: &str) -> String {
    let mut made = first.to_owned();
    for word in text.split(|sign: char| !sign.is_ascii_alphanumeric()) {
        let mut signs = word.chars();
        match signs.next() {
            Some(sign) if !made.is_empty() => made.push(sign.to_ascii_uppercase()),
            // A digit cannot be the first sign of an identifier.
            Some(sign) if sign.is_ascii_digit() => made.extend(['n', sign]),
            Some(sign) => made.push(sign.to_ascii_lowercase()),
            None => {}
        }
        made.extend(signs);
    }
    made.truncate(MAX_VALUE_NAME - 4);
    if made.is_empty() {
        "value".into()
    } else {
        made
    }
}

/// Names of which each is given once.
#[derive(Debug, Default)]
pub(crate) struct Given(BTreeSet<String>);

impl Given {
    /// The name, with a number behind it when it was given before.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}{number}"));
        let mut wanted = std::iter::once(name.to_owned()).chain(numbered);
        wanted
            .find(|name| self.0.insert(name.clone()))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule_whatever_they_are_made_of() {
        for text in [
            "GET /api/v1/books/{id}",
            "",
            "a,b:c'd\u{2028}",
            "  x  ",
            "é",
            &"x".repeat(500),
        ] {
            assert!(is_name(&name_of(text)), "{text}");
            assert!(is_value_name(&identifier("", text)), "{text}");
        }
        assert_eq!(identifier("walk", "order a-book 2"), "walkOrderABook2");
        assert_eq!(identifier("", "page-size"), "pageSize");
        assert_eq!(identifier("", "2nd"), "n2nd");
        let mut given = Given::default();
        assert_eq!(
            [given.unique("a"), given.unique("a"), given.unique("a")],
            ["a", "a2", "a3"]
        );
    }
}
