//! `/api/performance/tests`: list, get, execute, configure, remove.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::{ValidJson, ValidPath};
use service_defaults::problem::Problem;

use super::body::{ExecuteBody, ExecutedBody, TestBody};
use crate::app::App;
use crate::problems;
use crate::runs::request::StartBody;

/// The test that a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct TestInPath {
    id: String,
}

/// The tenant's configured tests with their latest results, the last changed first.
#[utoipa::path(
    get,
    path = "/api/performance/tests",
    tag = "tests",
    responses((status = 200, body = Vec<TestBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<TestBody>>, Problem> {
    let found = app.store.configurations(&caller.tenant).await;
    let mut bodies = Vec::new();
    for one in found.map_err(problems::from_store)? {
        bodies.push(super::told(&app, one).await?);
    }
    Ok(Json(bodies))
}

/// One configured test with its latest results.
#[utoipa::path(
    get,
    path = "/api/performance/tests/{id}",
    tag = "tests",
    params(("id" = String, Path, description = "The test's id")),
    responses(
        (status = 200, body = TestBody),
        (status = 404, description = "No such test"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<TestInPath>,
) -> Result<Json<TestBody>, Problem> {
    let found = app.store.configuration(&caller.tenant, &path.id).await;
    let found = found.map_err(problems::from_store)?;
    Ok(Json(super::told(&app, found).await?))
}

/// Keeps a configuration and queues a run of it. One of the same type, environment and name is
/// replaced and keeps its id.
#[utoipa::path(
    post,
    path = "/api/performance/tests/execute",
    tag = "tests",
    params(crate::idempotency::KeyHeader),
    request_body = ExecuteBody,
    responses(
        (status = 202, description = "The run is queued", body = ExecutedBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 403, description = "The environment has no target, or is in production and not confirmed; or somebody else's test has this name"),
        (status = 429, description = "The queue is full, or there are as many tests as are kept"),
        (status = 503, description = "k6 is not installed"),
    )
)]
pub(crate) async fn execute(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<ExecuteBody>,
) -> Result<(StatusCode, Json<ExecutedBody>), Problem> {
    let asked = body.configuration.clone().canonical();
    let (test, run) = super::execute(&app, &caller, body).await?;
    let body = ExecutedBody::new(&test.id, &run, &asked, None);
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Replaces what a test asks for; nothing is started.
#[utoipa::path(
    put,
    path = "/api/performance/tests/{id}/config",
    tag = "tests",
    params(("id" = String, Path, description = "The test's id")),
    request_body = StartBody,
    responses(
        (status = 200, body = TestBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such test"),
    )
)]
pub(crate) async fn configure(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<TestInPath>,
    ValidJson(body): ValidJson<StartBody>,
) -> Result<Json<TestBody>, Problem> {
    Ok(Json(super::configure(&app, &caller, &path.id, body).await?))
}

/// Removes a test; its runs stay.
#[utoipa::path(
    delete,
    path = "/api/performance/tests/{id}",
    tag = "tests",
    params(("id" = String, Path, description = "The test's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such test"),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<TestInPath>,
) -> Result<StatusCode, Problem> {
    super::remove(&app, &caller, &path.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
