//! `GET /tests` and `GET /running`.

use axum::Json;
use axum::extract::State;
use performance_store::{MAX_LISTED_RUNS, RunFilter};
use service_defaults::problem::Problem;
use tenancy::TenantId;

use super::body::RunBody;
use crate::app::App;
use crate::principal::Caller;
use crate::problems;

/// The newest runs, newest first, at most 500, without their results.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/tests",
    tag = "runs",
    responses((status = 200, body = Vec<RunBody>))
)]
pub(crate) async fn tests(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<RunBody>>, Problem> {
    list(&app, &caller.tenant, RunFilter::All).await
}

/// The runs that are starting or running.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/running",
    tag = "runs",
    responses((status = 200, body = Vec<RunBody>))
)]
pub(crate) async fn running(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<RunBody>>, Problem> {
    list(&app, &caller.tenant, RunFilter::Active).await
}

async fn list(
    app: &App,
    tenant: &TenantId,
    filter: RunFilter,
) -> Result<Json<Vec<RunBody>>, Problem> {
    let runs = app
        .store
        .list(tenant, filter, MAX_LISTED_RUNS)
        .await
        .map_err(problems::from_store)?;
    Ok(Json(
        runs.iter().map(|run| RunBody::new(run, None)).collect(),
    ))
}
