//! Errors in Bedrock's shape: a message in the body, its kind in a header.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde::Serialize;

use super::headers;
use crate::{body::to_json, call::Refusal, credentials::signature::Invalid, dialect::Dialect};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An error reply; it gets its request id when it is sent.
#[derive(Debug)]
pub(super) struct Error {
    status: StatusCode,
    kind: &'static str,
    message: String,
    retry_after: Option<HeaderValue>,
}

/// The document of an error, also within a stream.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub(super) message: &'a str,
}

impl Error {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// A body in which a field has the wrong type, or that is no JSON.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is what a failed reading gives away"
    )]
    pub(super) fn unreadable(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        if error.inner().is_data() && error.path().iter().len() > 0 {
            Self::invalid(format!(
                "Malformed input request: {}: {}",
                error.path(),
                error.inner()
            ))
        } else {
            Self::malformed(error.inner())
        }
    }

    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        Self::invalid(format!("Malformed input request: {error}"))
    }

    pub(super) fn missing_credential() -> Self {
        Self::forbidden(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    }

    pub(super) fn incomplete_signature(reason: &str) -> Self {
        Self::forbidden("IncompleteSignatureException", reason)
    }

    pub(super) fn invalid_signature(reason: Invalid) -> Self {
        let message = match reason {
            Invalid::Mismatch => {
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method."
            }
            Invalid::Expired => "Signature expired: its date is too far from the server's clock.",
        };
        Self::forbidden("InvalidSignatureException", message)
    }

    pub(super) fn wrong_key() -> Self {
        Self::forbidden(
            "AccessDeniedException",
            "Authentication failed: Please make sure your API Key is valid.",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        Self {
            kind: "UnknownOperationException",
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed")
        }
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large")
    }

    /// The error that a refused call gets.
    pub(super) fn injected(refusal: &Refusal) -> Self {
        let (status, retry_after) = refusal.head();
        Self {
            retry_after,
            ..Self::new(status, message(refusal.status))
        }
    }

    pub(super) fn reply(self, request_id: &str) -> Response {
        let mut headers = headers(request_id, "application/json");
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.kind));
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, retry_after);
        }
        let document = Document {
            message: &self.message,
        };
        (self.status, headers, to_json(&document)).into_response()
    }

    fn forbidden(kind: &'static str, message: &str) -> Self {
        Self {
            kind,
            ..Self::new(StatusCode::FORBIDDEN, message)
        }
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind(status.as_u16()),
            message: message.into(),
            retry_after: None,
        }
    }
}

/// For routes that no call number belongs to.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let request_id = Dialect::Bedrock.request_id(&mut fastrand::Rng::new());
        self.reply(&request_id)
    }
}

/// What this vendor says with a status that it sends by itself.
fn message(status: u16) -> &'static str {
    match status {
        403 => "You don't have access to the model with the specified model ID.",
        408 => "Model has timed out in processing the request. Try your request again.",
        424 => "The model returned an error. Try your request again.",
        429 => "Too many requests, please wait before trying again.",
        503 => "Bedrock is unable to process your request.",
        500..=599 => {
            "The system encountered an unexpected error during processing. Try your request again."
        }
        _ => "The request was refused",
    }
}

fn kind(status: u16) -> &'static str {
    match status {
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        413 => "RequestEntityTooLargeException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        500..=599 => "InternalServerException",
        _ => "ValidationException",
    }
}
