//! `GET /{testId}/results`.

use axum::Json;
use axum::extract::State;
use load_analysis::results::Results;
use performance_store::RunAddress;
use serde_json::value::RawValue;
use service_defaults::problem::Problem;

use super::RunInPath;
use crate::app::App;
use crate::problems;

/// The results document: metrics, checks, thresholds, and what the figures are made of.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/{id}/results",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "`{metrics, checks, thresholds, coverage}`", body = Object),
        (status = 404, description = "No such run, or it has no results yet"),
    )
)]
pub(crate) async fn results(
    State(app): State<App>,
    RunInPath(run): RunInPath,
) -> Result<Json<Box<RawValue>>, Problem> {
    let json = app
        .store
        .results(&run)
        .await
        .map_err(problems::from_store)?
        .ok_or_else(|| Problem::not_found("the run has no results"))?;
    let results = RawValue::from_string(json).map_err(|error| {
        tracing::error!(test.id = %run.id, "stored results cannot be read: {error}");
        Problem::internal()
    })?;
    Ok(Json(results))
}

/// The same as a value; `None` while there is none, or when it cannot be read any more.
pub(crate) async fn document(app: &App, address: &RunAddress) -> Result<Option<Results>, Problem> {
    let json = app
        .store
        .results(address)
        .await
        .map_err(problems::from_store)?;
    Ok(json.and_then(|json| {
        serde_json::from_str(&json)
            .inspect_err(|error| tracing::error!(test.id = %address.id, "stored results cannot be read: {error}"))
            .ok()
    }))
}
