//! `GET /{testId}`.

use axum::Json;
use axum::extract::State;
use service_defaults::problem::Problem;

use super::RunInPath;
use super::body::RunBody;
use crate::app::App;
use crate::faults;
use crate::problems;

/// One run, with its results once there are some.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/{id}",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = RunBody), (status = 404, description = "No such run"))
)]
pub(crate) async fn get(
    State(app): State<App>,
    RunInPath(run): RunInPath,
) -> Result<Json<RunBody>, Problem> {
    let found = app.store.get(&run).await.map_err(problems::from_store)?;
    let results = app
        .store
        .results(&run)
        .await
        .map_err(problems::from_store)?;
    let forecast = app.store.forecast(&run).await;
    let body = RunBody::new(&found, results);
    let body = body.with_forecast(forecast.map_err(problems::from_store)?);
    let faults = faults::of_run(&app.store, &run).await;
    Ok(Json(RunBody {
        faults: faults.map_err(problems::from_store)?,
        spend_so_far: app
            .conductor
            .spend_so_far(&run)
            .filter(|_| !found.status.is_final()),
        ..body
    }))
}
