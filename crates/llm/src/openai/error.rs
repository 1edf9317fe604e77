//! Errors inside answers that came with a successful status.

use serde_json::Value;

use crate::{LlmError, status};

/// The error that an error object stands for; its code tells more than its type.
pub(super) fn stream_error(error: &Value) -> LlmError {
    let word = |name: &str| error.get(name).and_then(Value::as_str);
    let (code, kind) = (
        word("code").unwrap_or_default(),
        word("type").unwrap_or_default(),
    );
    let stands_for = match (code, kind) {
        ("rate_limit_exceeded" | "insufficient_quota", _)
        | (_, "rate_limit_error" | "insufficient_quota" | "tokens" | "requests") => Some(429),
        ("invalid_api_key", _) | (_, "authentication_error") => Some(401),
        ("model_not_found", _) => Some(404),
        ("invalid_prompt", _) | (_, "invalid_request_error") => Some(400),
        ("server_error", _) | (_, "server_error" | "api_error") => Some(500),
        _ => None,
    };
    let message = status::error_text(error).unwrap_or_default();
    let name = if code.is_empty() { kind } else { code };
    status::stream_error(stands_for, &format!("{name}: {message}"))
}
