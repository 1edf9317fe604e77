//! Text of others as a part of JavaScript: a literal or the rest of a comment's line, which it
//! cannot leave.

use std::fmt::Write as _;

/// A name of an object's member: an identifier as it is, else a literal.
#[must_use]
pub fn member(name: &str) -> String {
    let is_word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    let identifier = name.starts_with(|sign: char| sign.is_ascii_alphabetic());
    if identifier && name.chars().all(is_word) {
        name.to_owned()
    } else {
        literal(name)
    }
}

/// A string literal: in single quotes where the text is plain, else as JSON has it, with
/// everything escaped that ends a line, a comment or a script element, or is not seen.
#[must_use]
pub fn literal(text: &str) -> String {
    if text.chars().all(|sign| is_plain(sign) || sign == '<') && !ends_something(text) {
        return format!("'{text}'");
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut before = ' ';
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '/' if before == '*' => escape(sign, &mut quoted),
            _ if is_plain(sign) || sign == '\'' || is_letter_elsewhere(sign) => quoted.push(sign),
            _ => escape(sign, &mut quoted),
        }
        before = sign;
    }
    quoted.push('"');
    quoted
}

/// Text behind `//`: one line, nothing that ends it, nothing that is not seen.
#[must_use]
pub fn comment(text: &str) -> String {
    let shown = |sign: char| is_plain(sign) || "'\"\\".contains(sign) || is_letter_elsewhere(sign);
    let line: String = text
        .chars()
        .map(|sign| if shown(sign) { sign } else { ' ' })
        .collect();
    line.replace("*/", "* /").trim_end().to_owned()
}

/// Printable ASCII that means the same in every place of a script.
fn is_plain(sign: char) -> bool {
    matches!(sign, ' '..='~') && !matches!(sign, '\'' | '"' | '\\' | '<')
}

/// Whether a text ends a comment, or begins or ends an element of a page. `p(95)<500` does not.
fn ends_something(text: &str) -> bool {
    let element =
        |after: &str| !after.starts_with(|sign: char| sign.is_ascii_digit() || sign == '=');
    text.contains("*/") || text.split('<').skip(1).any(element)
}

/// Letters and digits of other scripts; neither separators nor marks of direction.
fn is_letter_elsewhere(sign: char) -> bool {
    !sign.is_ascii() && sign.is_alphanumeric()
}

/// JSON's escape; two of them beyond the first plane.
fn escape(sign: char, to: &mut String) {
    for unit in sign.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(to, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_reads_as_it_is() {
        assert_eq!(
            literal("GET /api/{id}?a=b&c=${d}`"),
            "'GET /api/{id}?a=b&c=${d}`'"
        );
        assert_eq!(literal("Zürich's"), "\"Zürich's\"");
        assert_eq!(literal("p(95)<500"), "'p(95)<500'");
        assert_eq!(literal("a<b"), "\"a\\u003cb\"");
        assert_eq!(
            [member("a_1"), member("/a"), member("")],
            ["a_1", "'/a'", "''"]
        );
    }

    #[test]
    fn nothing_ends_the_literal_or_the_line() {
        let hostile = "a'b\"c\\d\ne\r\u{2028}\u{2029}</script>*/<!--\u{202e}\u{1f600}\0";
        let written = literal(hostile);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), hostile);
        assert!(written.is_ascii() && !written.contains('<') && !written.contains("*/"));
        assert_eq!(comment("a\n*/\u{2028}b</script>"), "a * / b /script>");
    }
}
