//! Errors in Ollama's shape: `{"error": "text"}`.

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;

use super::wire;
use crate::{body::to_json, call::Refusal};

/// What this vendor says when it has no room.
pub(super) const OVERLOADED: &str =
    "server busy, please try again.  maximum pending requests exceeded";

#[derive(Debug)]
pub(crate) struct Error {
    status: StatusCode,
    message: String,
    retry_after: Option<HeaderValue>,
}

#[derive(Serialize)]
pub(super) struct ErrorDocument<'a> {
    error: &'a str,
}

impl Error {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unknown_model(model: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("model '{model}' not found"))
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request body too large")
    }

    /// The error that a refused call gets.
    pub(super) fn injected(refusal: &Refusal) -> Self {
        let (status, retry_after) = refusal.head();
        let message = match refusal.status {
            503 => OVERLOADED,
            429 => "too many requests",
            500..=599 => "internal server error",
            _ => "the request was refused",
        };
        Self {
            retry_after,
            ..Self::new(status, message)
        }
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after: None,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let json = to_json(&document(&self.message));
        let mut response = (self.status, [(CONTENT_TYPE, wire::JSON)], json).into_response();
        if let Some(retry_after) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, retry_after);
        }
        response
    }
}

/// Also a line of a stream that fails after its 200.
pub(super) fn document(message: &str) -> ErrorDocument<'_> {
    ErrorDocument { error: message }
}
