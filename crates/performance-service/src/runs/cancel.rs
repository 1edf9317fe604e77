//! `POST /{testId}/cancel`.

use axum::extract::State;
use http::StatusCode;
use performance_store::RunAddress;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;
use tenancy::{Principal, Role};

use super::RunInPath;
use crate::app::App;
use crate::problems;

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
    stop(&app, &caller, &run).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a run for a caller, who may stop its own ones, or any as an administrator.
///
/// # Errors
/// As [`Conductor::cancel`](crate::conductor::Conductor::cancel), and 403 for somebody else's run.
pub(crate) async fn stop(app: &App, caller: &Principal, run: &RunAddress) -> Result<(), Problem> {
    let found = app.store.get(run).await.map_err(problems::from_store)?;
    if caller.role < Role::Admin && *found.started_by != *caller.user {
        let detail = "the run of somebody else is stopped by an administrator only";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    app.conductor.cancel(run).await
}
