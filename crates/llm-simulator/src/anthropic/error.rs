//! Errors in Anthropic's shape.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};

use super::{limits, wire};
use crate::{call::Refusal, rate_limit::Exceeded};

/// An error reply; it gets its request id when it is sent.
#[derive(Debug)]
pub(crate) struct Error {
    status: StatusCode,
    message: String,
    retry_after: Option<HeaderValue>,
    exceeded: Option<Box<Exceeded>>,
}

impl Error {
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Request exceeds the maximum size",
        )
    }

    /// The error that a refused call gets.
    pub(super) fn injected(refusal: &Refusal) -> Self {
        let (status, retry_after) = refusal.head();
        Self {
            retry_after,
            exceeded: refusal.exceeded.clone(),
            ..Self::new(status, message(refusal.status))
        }
    }

    pub(super) fn reply(self, request_id: &str) -> Response {
        let document = document(self.status.as_u16(), &self.message, request_id);
        let mut headers = HeaderMap::new();
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, retry_after);
        }
        if let Some(exceeded) = &self.exceeded {
            limits::add(&mut headers, &exceeded.state);
        }
        (self.status, headers, wire::reply(&document, request_id)).into_response()
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after: None,
            exceeded: None,
        }
    }
}

/// For routes that no call number belongs to.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.reply(&super::unmetered_request_id())
    }
}

/// The document of an error with this status; also sent within a stream.
pub(super) fn document<'a>(
    status: u16,
    message: &'a str,
    request_id: &'a str,
) -> wire::ErrorDocument<'a> {
    let error = wire::ErrorBody {
        kind: kind(status),
        message,
    };
    wire::ErrorDocument {
        kind: "error",
        error,
        request_id,
    }
}

/// What this vendor says with a status that it sends by itself.
pub(super) fn message(status: u16) -> &'static str {
    match status {
        429 => "This request would exceed your rate limit",
        504 => "The request timed out",
        529 => "Overloaded",
        500..=599 => "Internal server error",
        _ => "The request was refused",
    }
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn every_status_has_the_kind_that_clients_switch_on() {
        for (status, kind) in [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (503, "api_error"),
            (504, "timeout_error"),
            (529, "overloaded_error"),
        ] {
            assert_eq!(document(status, "", "").error.kind, kind, "{status}");
        }
    }
}
