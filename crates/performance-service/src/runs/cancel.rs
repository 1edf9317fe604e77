//! `POST /{testId}/cancel`.

use axum::extract::State;
use http::StatusCode;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::RunInPath;
use crate::app::App;

/// Stops a run and answers when it has ended.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/{id}/cancel",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 204, description = "The run is cancelled"),
        (status = 403, description = "Somebody else's run, and the caller is no administrator"),
        (status = 404, description = "No such run"),
        (status = 409, description = "The run is over"),
    )
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    Caller(caller): Caller,
    RunInPath(run): RunInPath,
) -> Result<StatusCode, Problem> {
    app.conductor.cancel_for(&caller, &run).await?;
    Ok(StatusCode::NO_CONTENT)
}
