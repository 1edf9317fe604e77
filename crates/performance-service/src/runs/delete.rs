//! `DELETE /{testId}`.

use axum::extract::State;
use http::StatusCode;
use service_defaults::problem::Problem;

use super::RunInPath;
use crate::app::App;

/// Removes a run that is over with everything that belongs to it.
#[utoipa::path(
    delete,
    path = "/api/v1/performancetest/{id}",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such run"),
        (status = 409, description = "The run is not over, or belongs to a baseline in force"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    RunInPath(run): RunInPath,
) -> Result<StatusCode, Problem> {
    app.conductor.remove(&run).await?;
    Ok(StatusCode::NO_CONTENT)
}
