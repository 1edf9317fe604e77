//! From a refused HTTP exchange to an error.

use std::time::Duration;

use serde_json::Value;

use crate::LlmError;

/// Most characters that are kept of a provider's words.
pub(crate) const MAX_MESSAGE_CHARACTERS: usize = 300;

/// The error that an unsuccessful status stands for.
pub(crate) fn status_error(
    status: u16,
    body: &[u8],
    retry_after: Option<Duration>,
    request_id: Option<String>,
) -> LlmError {
    refused(status, error_message(body), retry_after, request_id)
}

/// The error that an event inside a stream stands for: the status that it would have been, where
/// its kind tells.
pub(crate) fn stream_error(status: Option<u16>, message: &str) -> LlmError {
    let message = shortened(message);
    match status {
        Some(status) => refused(status, message, None, None),
        None => LlmError::Upstream {
            status: None,
            message,
            retry_after: None,
            request_id: None,
        },
    }
}

fn refused(
    status: u16,
    message: String,
    retry_after: Option<Duration>,
    request_id: Option<String>,
) -> LlmError {
    match status {
        429 => LlmError::RateLimited {
            retry_after,
            request_id,
        },
        // The server gave up waiting for us or itself, or Bedrock's model failed: as good as a 5xx.
        408 | 424 | 500.. => LlmError::Upstream {
            status: Some(status),
            message,
            retry_after,
            request_id,
        },
        400..=499 => LlmError::Rejected {
            status,
            message,
            request_id,
        },
        _ => LlmError::Malformed {
            message: format!("the status is {status}"),
        },
    }
}

/// What an error body says, in any of the shapes seen: `{"error": {"message": …}}`,
/// `{"error": "…"}`, `{"message": "…"}`. Anything else is only named, never quoted.
fn error_message(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let kind = if body.is_empty() { "no" } else { "no JSON" };
        return format!("({kind} body)");
    };
    error_text(&value).unwrap_or_else(|| "(no message)".to_owned())
}

/// The text of an error object of unknown shape, shortened.
pub(crate) fn error_text(value: &Value) -> Option<String> {
    let error = value.get("error").unwrap_or(value);
    error
        .as_str()
        .or_else(|| error.get("message").and_then(Value::as_str))
        .map(shortened)
}

/// At most 300 characters of a provider's words.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(MAX_MESSAGE_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_error_bodies_never_hide_the_status() {
        for (body, expected) in [
            (
                r#"{"type":"error","error":{"type":"x","message":"a"}}"#,
                "a",
            ),
            (r#"{"error":"b"}"#, "b"),
            (r#"{"message":"c"}"#, "c"),
            (r#"{"error":{"code":1}}"#, "(no message)"),
            ("[1]", "(no message)"),
            ("<html>secret page</html>", "(no JSON body)"),
            ("", "(no body)"),
        ] {
            let error = status_error(503, body.as_bytes(), None, Some("r".to_owned()));
            let expected = LlmError::Upstream {
                status: Some(503),
                message: expected.to_owned(),
                retry_after: None,
                request_id: Some("r".to_owned()),
            };
            assert_eq!(error, expected, "{body}");
        }
    }

    #[test]
    fn statuses_are_sorted_by_what_can_be_done() {
        let kind = |status| status_error(status, b"", None, None).error_type();
        assert_eq!(kind(429), "rate_limited");
        for status in [408, 424, 500, 502, 503, 504, 529] {
            assert_eq!(kind(status), "upstream", "{status}");
        }
        for status in [400, 401, 403, 404, 413, 422] {
            assert_eq!(kind(status), "rejected", "{status}");
        }
        assert_eq!(kind(302), "malformed");
    }
}
