//! Failures as problem documents (RFC 9457).

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// One invalid field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field as the client spelled it, such as `price` or `[3].price`.
    pub field: String,
    /// What a valid value would be.
    pub reason: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// Why a request failed, for its sender. Constructors are named after what a status means.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    message: Option<String>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    header: Option<(HeaderName, HeaderValue)>,
    extensions: Map<String, Value>,
}

impl Problem {
    /// A problem of any status.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Parts {
            status,
            kind,
            title,
            detail: detail.into(),
            message: None,
            errors: Vec::new(),
            retry_after: None,
            header: None,
            extensions: Map::new(),
        }))
    }

    /// 400: the request cannot be understood at all.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed-request",
            "Malformed request",
            detail,
        )
    }

    /// 400: one field is invalid.
    pub fn invalid_field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, reason)])
    }

    /// 400: fields are invalid.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{} {}", only.field, only.reason),
            several => format!("{} fields are invalid", several.len()),
        };
        let mut problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "Invalid request",
            detail,
        );
        problem.0.errors = errors;
        problem
    }

    /// 401: no or bad credentials.
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Unauthorized",
            detail,
        )
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: understood and refused.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 405: the route has other methods; the router adds `Allow`.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Method not allowed",
            "the Allow header lists the methods of this address",
        )
    }

    /// 409: the present state forbids it.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail)
    }

    /// 412: `If-Match` does not match.
    pub fn precondition_failed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition-failed",
            "Precondition failed",
            detail,
        )
    }

    /// 413: the body is larger than `limit` bytes.
    #[must_use]
    pub fn payload_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "Payload too large",
            format!("the body must have at most {limit} bytes"),
        )
    }

    /// 415: the body is of another type than `expected`.
    #[must_use]
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Unsupported media type",
            format!("Content-Type must be {expected}"),
        )
    }

    /// 429: too often, or too much.
    pub fn too_many_requests(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests",
            detail,
        )
        .with_retry_after(retry_after)
    }

    /// 500: a mistake of ours; says nothing about it.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "the request could not be completed",
        )
    }

    /// 502: something that we called answered nonsense or a failure.
    pub fn bad_gateway(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "upstream-failed",
            "Upstream failed",
            detail,
        )
    }

    /// 503: not now.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Unavailable",
            detail,
        )
        .with_retry_after(retry_after)
    }

    /// 504: something that we called took too long.
    pub fn gateway_timeout(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream-timed-out",
            "Upstream timed out",
            detail,
        )
    }

    /// 507: no room left.
    pub fn insufficient_storage(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "insufficient-storage",
            "Insufficient storage",
            detail,
        )
    }

    /// Another kind than the status' usual one: the last part of `type`.
    #[must_use]
    pub fn with_kind(mut self, kind: &'static str) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same about fields of the document's member `member`.
    #[must_use]
    pub fn below(mut self, member: &str) -> Self {
        let errors = std::mem::take(&mut self.0.errors);
        if errors.is_empty() {
            return self;
        }
        let below = |error: FieldError| FieldError {
            field: format!("{member}.{}", error.field),
            ..error
        };
        Self::invalid(errors.into_iter().map(below).collect())
    }

    /// What old clients read as `message`, where it is not the detail.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// When it may work.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// A companion header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    /// A further member of the document.
    #[must_use]
    pub fn with_extension(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The detail.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The invalid fields.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The document, with the ids of the current request.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let identity = instrumentation::request::current();
        let mut document = json!({
            "type": format!("/problems/{}", self.0.kind),
            "title": self.0.title,
            "status": self.0.status.as_u16(),
            "detail": self.0.detail,
            "message": self.0.message.as_deref().unwrap_or(&self.0.detail),
            "instance": identity.as_ref().map_or("", |identity| identity.request_id()),
            "traceId": identity.as_ref().map_or("", |identity| identity.trace_id.as_str()),
        });
        if !self.0.errors.is_empty() {
            let mut errors = Map::new();
            for FieldError { field, reason } in &self.0.errors {
                let reasons = errors.entry(field.clone()).or_insert_with(|| json!([]));
                if let Value::Array(reasons) = reasons {
                    reasons.push(reason.as_str().into());
                }
            }
            document["errors"] = Value::Object(errors);
        }
        if let Value::Object(members) = &mut document {
            members.extend(self.0.extensions.clone());
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json().to_string();
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response =
            (self.0.status, [(header::CONTENT_TYPE, content_type)], body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(retry_after) = self.0.retry_after {
            // Whole seconds, rounded up: a client that comes back early is refused again.
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some((name, value)) = self.0.header {
            headers.insert(name, value);
        }
        response
    }
}
