//! `POST /schedules`, `PUT` and `DELETE /schedules/{name}`, and its `pause` and `resume`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use service_defaults::access::Caller;
use service_defaults::extract::{ValidJson, ValidPath};
use service_defaults::problem::Problem;

use super::body::{ScheduleBody, ScheduleDocument};
use super::list::{self, NameInPath};
use crate::app::App;

/// Makes a schedule. Its runs are started on the caller's behalf, with the caller's role.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/schedules",
    tag = "schedules",
    params(crate::idempotency::KeyHeader),
    request_body = ScheduleDocument,
    responses(
        (status = 201, description = "It is kept; `Location` is its address", body = ScheduleBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 403, description = "As for the start of such a run"),
        (status = 409, description = "The name is taken"),
        (status = 429, description = "There are as many as are kept"),
    )
)]
pub(crate) async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<ScheduleDocument>,
) -> Result<Response, Problem> {
    let name = body.name.clone().unwrap_or_default();
    let schedule = super::add(&app, &caller, &name, body).await?;
    let body = list::body(&app, schedule, 0).await?;
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    let address = format!("/api/v1/performancetest/schedules/{name}");
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    Ok(response)
}

/// Replaces what a schedule starts and when. It is the caller's from then on.
#[utoipa::path(
    put,
    path = "/api/v1/performancetest/schedules/{name}",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule's name")),
    request_body = ScheduleDocument,
    responses(
        (status = 200, body = ScheduleBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such schedule"),
    )
)]
pub(crate) async fn replace(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
    ValidJson(body): ValidJson<ScheduleDocument>,
) -> Result<Json<ScheduleBody>, Problem> {
    if body.name.as_ref().is_some_and(|name| *name != path.name) {
        return Err(Problem::invalid_field(
            "name",
            "must be that of the address",
        ));
    }
    let schedule = super::replace(&app, &caller, &path.name, body).await?;
    Ok(Json(list::body(&app, schedule, 0).await?))
}

/// Removes a schedule; its runs stay.
#[utoipa::path(
    delete,
    path = "/api/v1/performancetest/schedules/{name}",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such schedule"),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<StatusCode, Problem> {
    super::remove(&app, &caller, &path.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a schedule from starting anything.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/schedules/{name}/pause",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, body = ScheduleBody),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such schedule"),
    )
)]
pub(crate) async fn pause(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<Json<ScheduleBody>, Problem> {
    let schedule = super::pause(&app, &caller, &path.name).await?;
    Ok(Json(list::body(&app, schedule, 0).await?))
}

/// Lets a schedule start again, from now on: nothing of the pause is caught up.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/schedules/{name}/resume",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, body = ScheduleBody),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such schedule"),
    )
)]
pub(crate) async fn resume(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<Json<ScheduleBody>, Problem> {
    let schedule = super::resume(&app, &caller, &path.name).await?;
    Ok(Json(list::body(&app, schedule, 0).await?))
}
