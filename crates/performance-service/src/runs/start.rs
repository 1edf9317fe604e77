//! `POST /start`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use performance_store::Run;
use service_defaults::access::Caller;
use service_defaults::extract::ValidJson;
use service_defaults::problem::Problem;

use super::body::RunBody;
use super::request::StartBody;
use crate::app::App;

/// Queues a run.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/start",
    tag = "runs",
    params(crate::idempotency::KeyHeader),
    request_body = StartBody,
    responses(
        (status = 201, description = "The run is queued; `Location` is its address", body = RunBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 403, description = "The target is not listed, or in production and not confirmed"),
        (status = 429, description = "The queue is full"),
        (status = 503, description = "k6 is not installed"),
        (status = 507, description = "There is no room on the disk"),
    )
)]
pub(crate) async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<StartBody>,
) -> Result<Response, Problem> {
    let run = app.conductor.submit(&caller, body).await?;
    Ok(created(&run))
}

/// 201 with the run and its address.
pub(crate) fn created(run: &Run) -> Response {
    let address = format!("/api/v1/performancetest/{}", run.id);
    let mut response = (StatusCode::CREATED, Json(RunBody::new(run, None))).into_response();
    // The id is hexadecimal, so the address always is a header value.
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response
}
