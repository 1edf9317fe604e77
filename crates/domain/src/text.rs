//! Bounded texts. A parsed text has no NUL and at most its limit of characters.

use std::sync::Arc;

use crate::InvalidField;

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $range:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Longest value, in characters.
            pub const MAX_CHARACTERS: usize = *$range.end();

            /// Checks the text against the limit.
            ///
            /// # Errors
            /// A text that is too long, has a NUL, or is blank where one is required.
            pub fn parse(text: &str) -> Result<Self, InvalidField> {
                check($field, text, $range.start(), $range.end())?;
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

macro_rules! optional_text {
    ($($name:ident),*) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self("".into())
            }
        }
    )*};
}

bounded_text! {
    /// A book's title.
    Title, "title", &(1..=500)
}
bounded_text! {
    /// A person's name: an author, or the author named on a book.
    Name, "name", &(1..=300)
}
bounded_text! {
    /// A book's genre; may be empty.
    Genre, "genre", &(0..=100)
}
bounded_text! {
    /// What a book is about; may be empty.
    Description, "description", &(0..=10_000)
}
bounded_text! {
    /// An author's life; may be empty.
    Biography, "bio", &(0..=10_000)
}
bounded_text! {
    /// An author's nationality; may be empty.
    Nationality, "nationality", &(0..=100)
}
bounded_text! {
    /// An author's page; may be empty. Kept as text, never fetched.
    Website, "website", &(0..=500)
}
bounded_text! {
    /// What a reader searches for: text, never a pattern.
    SearchTerm, "query", &(1..=200)
}
optional_text!(Genre, Description, Biography, Nationality, Website);

fn check(
    field: &'static str,
    text: &str,
    minimum: &usize,
    maximum: &usize,
) -> Result<(), InvalidField> {
    if *minimum > 0 && text.trim().is_empty() {
        return Err(InvalidField::new(field, "must not be empty"));
    }
    if text.contains('\0') {
        return Err(InvalidField::new(field, "must not contain NUL"));
    }
    if text.chars().nth(*maximum).is_some() {
        return Err(InvalidField::new(
            field,
            format!("must have at most {maximum} characters"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_characters() {
        assert!(Title::parse(&"é".repeat(500)).is_ok());
        assert_eq!(
            Title::parse(&"é".repeat(501)).unwrap_err(),
            InvalidField::new("title", "must have at most 500 characters")
        );
    }

    #[test]
    fn blank_and_nul_are_refused() {
        assert!(Title::parse("  ").is_err());
        assert!(Genre::parse("").is_ok());
        assert!(Genre::parse("a\0b").is_err());
    }
}
