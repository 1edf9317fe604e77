//! `GET /{testId}/resources`.

use axum::Json;
use axum::extract::State;
use load_analysis::resources::Resources;
use performance_store::{RunAddress, RunStatus};
use service_defaults::problem::Problem;

use super::RunInPath;
use crate::app::App;
use crate::observation::RunTime;
use crate::problems;
use crate::runs::request::StartBody;

/// What the target used and waited for during the run, on the time axis of its timeline.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/{id}/resources",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (
            status = 200,
            description = "`{available, note, step, series: [{signal, of, points: [[t, value]]}]}`; \
                           `note` says why when nothing is available",
            body = Object
        ),
        (status = 404, description = "No such run"),
    )
)]
pub(crate) async fn resources(
    State(app): State<App>,
    RunInPath(run): RunInPath,
) -> Result<Json<Resources>, Problem> {
    Ok(Json(document(&app, &run).await?))
}

/// What was kept of a run that is over, or what can be seen of one that goes on.
pub(crate) async fn document(app: &App, address: &RunAddress) -> Result<Resources, Problem> {
    let kept = app.store.resources(address).await;
    if let Some(json) = kept.map_err(problems::from_store)? {
        return serde_json::from_str(&json).map_err(|error| {
            tracing::error!(test.id = %address.id, "stored resources cannot be read: {error}");
            Problem::internal()
        });
    }
    let run = app.store.get(address).await.map_err(problems::from_store)?;
    if run.status != RunStatus::Running {
        return Ok(Resources::none("nothing was kept of this run."));
    }
    let ends = app.store.first_and_last_second(address).await;
    let Some((first, last)) = ends.map_err(problems::from_store)? else {
        return Ok(Resources::none("no second has been measured yet."));
    };
    let request: StartBody = serde_json::from_str(&run.request).unwrap_or_default();
    let asked = request.environment.get("BASE_URL");
    let Some(base_url) = app.conductor.target_of(asked) else {
        return Ok(Resources::none("the target is not listed any more."));
    };
    let time = RunTime { first, last };
    Ok(app
        .observation
        .resources_now(address, &base_url, time)
        .await)
}
