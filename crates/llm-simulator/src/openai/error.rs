//! Errors in `OpenAI`'s shape.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;

use super::{REQUEST_ID, VERSION, limits};
use crate::{
    body::to_json,
    call::Refusal,
    dialect::Dialect,
    rate_limit::{Dimension, Exceeded},
};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// An error reply; it gets its request id when it is sent.
#[derive(Debug)]
pub(crate) struct Error {
    status: StatusCode,
    message: String,
    param: Option<String>,
    code: Option<&'static str>,
    retry_after: Option<HeaderValue>,
    exceeded: Option<Box<Exceeded>>,
}

/// The document of an error, also sent within a stream.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    error: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: Option<&'static str>,
}

impl Error {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A field that is wrong, by its name.
    pub(super) fn field(
        param: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            param: Some(param.into()),
            code: Some(code),
            ..Self::invalid(message)
        }
    }

    pub(super) fn missing(param: &'static str) -> Self {
        let message = format!("Missing required parameter: '{param}'.");
        Self::field(param, "missing_required_parameter", message)
    }

    /// A body that is no JSON, or in which a field has the wrong type.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is what a failed reading gives away"
    )]
    pub(super) fn unreadable(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (path, reason) = (error.path().to_string(), error.inner());
        if reason.is_data() && path != "." {
            let message = format!("Invalid type for '{path}': {reason}");
            Self::field(path, "invalid_type", message)
        } else {
            Self::invalid(format!(
                "We could not parse the JSON body of your request: {reason}"
            ))
        }
    }

    pub(super) fn missing_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "You didn't provide an API key. You need to provide it in an Authorization header \
             using Bearer auth (Authorization: Bearer YOUR_KEY).",
        )
    }

    pub(super) fn wrong_key() -> Self {
        Self {
            code: Some("invalid_api_key"),
            ..Self::new(StatusCode::UNAUTHORIZED, "Incorrect API key provided.")
        }
    }

    pub(super) fn unknown_model(id: &str) -> Self {
        Self {
            param: Some("model".to_owned()),
            code: Some("model_not_found"),
            ..Self::new(
                StatusCode::NOT_FOUND,
                format!("The model '{id}' does not exist"),
            )
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        Self {
            code: Some("method_not_supported"),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "This method is not allowed at this address.",
            )
        }
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The request exceeds the maximum size",
        )
    }

    /// The error that a refused call gets.
    pub(super) fn injected(refusal: &Refusal) -> Self {
        let (status, retry_after) = refusal.head();
        Self {
            retry_after,
            exceeded: refusal.exceeded.clone(),
            code: code(refusal.status),
            ..Self::new(status, message(refusal.status))
        }
    }

    pub(super) fn reply(self, request_id: &str) -> Response {
        let mut headers = HeaderMap::from_iter([
            VERSION,
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        if let Ok(id) = HeaderValue::try_from(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, retry_after);
        }
        let mut kind = kind(self.status.as_u16());
        if let Some(exceeded) = self.exceeded {
            limits::add(&mut headers, &exceeded.state);
            headers.insert(RETRY_AFTER_MS, milliseconds(exceeded.retry_after).into());
            if exceeded.dimension != Dimension::Requests {
                kind = "tokens";
            }
        }
        let document = Document {
            error: Details {
                message: &self.message,
                kind,
                param: self.param.as_deref(),
                code: self.code,
            },
        };
        (self.status, headers, to_json(&document)).into_response()
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            param: None,
            code: None,
            retry_after: None,
            exceeded: None,
        }
    }
}

/// For routes that no call number belongs to.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.reply(&unmetered_request_id())
    }
}

/// For routes that no seed governs.
pub(super) fn unmetered_request_id() -> String {
    Dialect::OpenAi.request_id(&mut fastrand::Rng::new())
}

/// The document of an error that comes after a 200.
pub(super) fn document(status: u16) -> Document<'static> {
    Document {
        error: Details {
            message: message(status),
            kind: kind(status),
            param: None,
            code: code(status),
        },
    }
}

/// What this vendor says with a status that it sends by itself.
pub(super) fn message(status: u16) -> &'static str {
    match status {
        429 => "Rate limit reached. Please try again later.",
        503 => "The server is overloaded or not ready yet.",
        500..=599 => "The server had an error while processing your request.",
        _ => "The request was refused",
    }
}

/// The code that goes with it.
pub(super) fn code(status: u16) -> Option<&'static str> {
    match status {
        429 => Some("rate_limit_exceeded"),
        503 => Some("server_is_overloaded"),
        500..=599 => Some("server_error"),
        _ => None,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn kind(status: u16) -> &'static str {
    match status {
        429 => "requests",
        500..=599 => "server_error",
        _ => "invalid_request_error",
    }
}
