//! `GET /{testId}/timeline`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::RunInPath;
use crate::app::App;
use crate::problems;
use crate::timeline::{self, TimelinePoint};

/// The longest step, in seconds.
const MAX_STEP: u32 = 3_600;

/// How finely the time is divided.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineQuery {
    /// Seconds of one step, 1 to 3,600.
    step: Option<u32>,
}

/// The run over time. Percentiles of a step are those of all its requests.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/{id}/timeline",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id"), TimelineQuery),
    responses(
        (status = 200, body = Vec<TimelinePoint>),
        (status = 400, description = "The step is invalid"),
        (status = 404, description = "No such run"),
    )
)]
pub(crate) async fn timeline(
    State(app): State<App>,
    RunInPath(run): RunInPath,
    ValidQuery(query): ValidQuery<TimelineQuery>,
) -> Result<Json<Vec<TimelinePoint>>, Problem> {
    let step = query.step.unwrap_or(1);
    if !(1..=MAX_STEP).contains(&step) {
        return Err(Problem::invalid_field("step", "must be 1 to 3600"));
    }
    let points = timeline::of_run(&app.store, &run, step, 0)
        .await
        .map_err(problems::from_store)?;
    Ok(Json(points))
}
