//! `/api/v1/errortest`: answers of any status, so that clients can try how they take them.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use service_defaults::{extract::ValidPath, problem::Problem};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app::AppState, openapi::ProblemDocument};

/// The statuses that can be asked for.
const STATUSES: [u16; 14] = [
    400, 401, 403, 404, 405, 409, 410, 415, 422, 429, 500, 502, 503, 504,
];

/// The shape that old clients check: not a problem document.
#[derive(Serialize, ToSchema)]
struct ErrorReply {
    /// The status' reason phrase.
    error: String,
    message: String,
}

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(random))
        .routes(routes!(one))
}

/// Answers with one of the statuses, drawn at random.
#[utoipa::path(get, path = "/api/v1/errortest/random", tag = "error lab", responses(
    (status = "4XX", body = ErrorReply), (status = "5XX", body = ErrorReply)
))]
async fn random() -> Response {
    let code = STATUSES[fastrand::usize(..STATUSES.len())];
    reply(code, &format!("Random Error {code}"))
}

/// Answers with the status in the path.
#[utoipa::path(get, path = "/api/v1/errortest/{code}", tag = "error lab",
    params(("code" = u16, Path)), responses(
    (status = "4XX", body = ErrorReply), (status = "5XX", body = ErrorReply),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn one(ValidPath(code): ValidPath<String>) -> Result<Response, Problem> {
    let known = code.parse().ok().filter(|code| STATUSES.contains(code));
    let code = known
        .ok_or_else(|| Problem::not_found(format!("there are errors {STATUSES:?}, and random")))?;
    let reason = StatusCode::from_u16(code)
        .ok()
        .and_then(|status| status.canonical_reason());
    Ok(reply(code, reason.unwrap_or("Error")))
}

fn reply(code: u16, error: &str) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = format!("This is a test of status {code}");
    let mut response = (
        status,
        Json(ErrorReply {
            error: error.to_owned(),
            message,
        }),
    )
        .into_response();
    if let Some((name, value)) = companion(status) {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The header that a status must or should come with (RFC 9110, 15.5 and 15.6).
fn companion(status: StatusCode) -> Option<(HeaderName, &'static str)> {
    match status {
        StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
        StatusCode::METHOD_NOT_ALLOWED => Some((header::ALLOW, "GET,HEAD")),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Some((header::RETRY_AFTER, "1"))
        }
        _ => None,
    }
}
