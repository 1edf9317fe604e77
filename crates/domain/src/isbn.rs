//! Book numbers as clients send them, and the key under which valid ones are unique.

use std::sync::Arc;

use crate::InvalidField;

/// Longest text taken as an ISBN.
const MAX_LENGTH: usize = 32;

/// What a client gave as the book's number: up to 32 of `[0-9A-Za-z-]`, or nothing.
///
/// Existing clients send numbers without a valid check digit, so the text is kept as it is;
/// [`Isbn::key`] tells whether it is a real ISBN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Isbn(Option<Arc<str>>);

impl Isbn {
    /// Checks the alphabet and the length.
    ///
    /// # Errors
    /// A text that is longer or has another character.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.len() > MAX_LENGTH || !text.bytes().all(allowed) {
            return Err(InvalidField::new(
                "isbn",
                "must have at most 32 characters of 0-9, A-Z, a-z and '-'",
            ));
        }
        Ok(Self(Some(text.into())))
    }

    /// The text as it was sent; empty when there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// The thirteen digits of a valid ISBN-13 or ISBN-10 (ISO 2108 check digits), else `None`.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let digits: Vec<u8> = self.as_str().bytes().filter(|byte| *byte != b'-').collect();
        match digits.len() {
            13 => thirteen(&digits),
            10 => ten(&digits),
            _ => None,
        }
    }
}

fn thirteen(digits: &[u8]) -> Option<String> {
    let (check, body) = digits.split_last()?;
    let known_prefix = body.starts_with(b"978") || body.starts_with(b"979");
    if !known_prefix || !body.iter().all(u8::is_ascii_digit) || check_digit(body) != *check {
        return None;
    }
    String::from_utf8(digits.to_vec()).ok()
}

fn ten(digits: &[u8]) -> Option<String> {
    let (check, body) = digits.split_last()?;
    if !body.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let weighted: u32 = body
        .iter()
        .zip((2..=10).rev())
        .map(|(d, w)| u32::from(d - b'0') * w)
        .sum();
    let last = match check {
        b'0'..=b'9' => u32::from(check - b'0'),
        b'X' | b'x' => 10,
        _ => return None,
    };
    if !(weighted + last).is_multiple_of(11) {
        return None;
    }
    let mut key = b"978".to_vec();
    key.extend_from_slice(body);
    key.push(check_digit(&key));
    String::from_utf8(key).ok()
}

/// The ISBN-13 check digit of twelve digits, as ASCII.
fn check_digit(body: &[u8]) -> u8 {
    let sum: u32 = body
        .iter()
        .zip([1, 3].iter().cycle())
        .map(|(d, w)| u32::from(d - b'0') * w)
        .sum();
    let digit = (10 - sum % 10) % 10;
    b'0' + u8::try_from(digit).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        Isbn::parse(text).unwrap().key()
    }

    #[test]
    fn both_lengths_share_one_key() {
        assert_eq!(key("978-0-7432-7356-5").as_deref(), Some("9780743273565"));
        assert_eq!(key("0-7432-7356-7").as_deref(), Some("9780743273565"));
        assert_eq!(key("080442957X").as_deref(), Some("9780804429573"));
    }

    #[test]
    fn numbers_without_a_valid_check_digit_have_no_key() {
        for text in [
            "",
            "9780743273566",
            "1234567",
            "ISBN-123",
            "9770743273565",
            "0743273566",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn the_alphabet_is_checked() {
        assert!(Isbn::parse("978 0743273565").is_err());
        assert!(Isbn::parse(&"1".repeat(33)).is_err());
    }
}
