//! JSON objects whose kind stands in their `type`, which may be their last member.
//!
//! An enum that serde tells apart by the tag is put together twice, with an allocation for each
//! member. A stream has an object for every token, so here its kind is looked up first, which
//! allocates nothing, and then it is read as what it is.

use std::borrow::Cow;

use serde::Deserialize;

use crate::LlmError;

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// The `type` of an object.
///
/// # Errors
/// Text that is no JSON object with a `type`.
pub(crate) fn kind_of(text: &str) -> Result<Cow<'_, str>, LlmError> {
    read::<Kind<'_>>(text).map(|object| object.kind)
}

/// Reads an object.
///
/// # Errors
/// Text that is no such object.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, LlmError> {
    serde_json::from_str(text).map_err(|error| LlmError::Malformed {
        message: format!("an event is not the expected JSON: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_found_wherever_it_stands() {
        for text in [
            r#"{"type":"ping"}"#,
            r#"{"a":{"type":"other"},"b":[1,{"type":2}],"type":"ping"}"#,
            r#"{"type":"p\u0069ng"}"#,
        ] {
            assert_eq!(kind_of(text).as_deref(), Ok("ping"), "{text}");
        }
        for text in ["", "[]", "{}", r#"{"type":1}"#, r#"{"type":"ping"} x"#] {
            assert!(kind_of(text).is_err(), "{text}");
        }
    }
}
