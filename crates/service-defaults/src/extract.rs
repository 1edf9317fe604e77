//! Extractors whose refusals are problem documents.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A JSON body.
#[derive(Debug)]
pub struct ValidJson<T>(pub T);

/// The bytes of a body that says it is JSON: not empty, within the route's limit.
#[derive(Debug)]
pub struct JsonBytes(pub Bytes);

/// Query parameters.
#[derive(Debug)]
pub struct ValidQuery<T>(pub T);

/// Path parameters.
#[derive(Debug)]
pub struct ValidPath<T>(pub T);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let announced = is_json(request.headers());
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "payload-too-large",
                        "Payload too large",
                        "the body is larger than this route takes",
                    ),
                    StatusCode::REQUEST_TIMEOUT => Problem::new(
                        StatusCode::REQUEST_TIMEOUT,
                        "body-timed-out",
                        "Request timed out",
                        "the body did not arrive in time",
                    ),
                    _ => Problem::malformed("the body could not be read"),
                })?;
        if bytes.is_empty() {
            return Err(Problem::invalid_field("body", "must not be empty"));
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
            Err(rejection) => Err(Problem::invalid_field("query", rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for ValidPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let reason = rejection.body_text();
                let response: Response = rejection.into_response();
                Err(match response.status() {
                    StatusCode::INTERNAL_SERVER_ERROR => Problem::internal(),
                    _ => Problem::invalid_field("path", reason),
                })
            }
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
        if path == "." {
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
