//! Extractors whose refusals are problem documents.

use std::error::Error;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Path, Query, Request,
        path::ErrorKind,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    response::IntoResponse,
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::{DeserializeOwned, value};

use crate::{problem::Problem, router::BodyTimedOut};

/// A JSON body.
#[derive(Debug)]
pub struct ValidJson<T>(pub T);

/// The bytes of a body that says it is JSON: not empty, within the route's limit.
#[derive(Debug)]
pub struct JsonBytes(pub Bytes);

/// The bytes of a body of any kind, within the route's limit.
#[derive(Debug)]
pub struct WholeBody(pub Bytes);

/// Query parameters.
#[derive(Debug)]
pub struct ValidQuery<T>(pub T);

/// Path parameters.
#[derive(Debug)]
pub struct ValidPath<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for WholeBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(unread_body)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (announced, packed) = (is_json(request.headers()), is_packed(request.headers()));
        let WholeBody(bytes) = WholeBody::from_request(request, state).await?;
        if bytes.is_empty() {
            return Err(Problem::invalid_field("body", "must not be empty"));
        }
        if packed {
            return Err(packed_body());
        }
        if !announced {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        Ok(Self(bytes))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ValidJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        parse_json(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ValidQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused_query(&rejection)),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ValidPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused_path(rejection)),
        }
    }
}

/// Reads JSON; a refusal names the member and what was expected there.
///
/// # Errors
/// Text that is no JSON of this shape.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        if path == "." || path == "?" {
            Problem::invalid_field("body", reason)
        } else {
            Problem::invalid_field(path, reason)
        }
    })?;
    deserializer
        .end()
        .map_err(|error| Problem::invalid_field("body", error.to_string()))?;
    Ok(value)
}

/// Names the parameter that was refused.
fn refused_query(rejection: &QueryRejection) -> Problem {
    type ParameterError = serde_path_to_error::Error<value::Error>;
    let Some(error) = causes(rejection).find_map(|cause| cause.downcast_ref::<ParameterError>())
    else {
        return Problem::invalid_field("query", rejection.body_text());
    };
    let (path, reason) = (error.path().to_string(), error.inner().to_string());
    // A parameter that stands twice is an error of no value, so serde names it in words only.
    let twice = reason
        .strip_prefix("duplicate field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match twice {
        Some(name) => Problem::invalid_field(name, "must be given once"),
        None if path == "." => Problem::invalid_field("query", reason),
        None => Problem::invalid_field(path, reason),
    }
}

fn refused_path(rejection: PathRejection) -> Problem {
    match rejection {
        PathRejection::FailedToDeserializePathParams(error) => match error.into_kind() {
            ErrorKind::InvalidUtf8InPathParam { key } => {
                Problem::invalid_field(key, "must be UTF-8")
            }
            kind => Problem::invalid_field("path", kind.to_string()),
        },
        _ => Problem::internal(),
    }
}

fn unread_body(rejection: BytesRejection) -> Problem {
    // The body's own limit ended it: axum knows only that it failed.
    if causes(&rejection).any(|cause| cause.is::<BodyTimedOut>()) {
        return Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-timed-out",
            "Request timed out",
            "the body did not arrive in time",
        );
    }
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload-too-large",
            "Payload too large",
            "the body is larger than this route takes",
        ),
        _ => Problem::malformed("the body could not be read"),
    }
}

/// What lies behind an error, the nearest first.
fn causes<'a>(error: &'a dyn Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// Nothing is unpacked: a few bytes could become gigabytes.
fn is_packed(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn packed_body() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "Unsupported media type",
        "Content-Encoding must be absent: packed bodies are not taken",
    )
}

/// `application/json` or `application/…+json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}
