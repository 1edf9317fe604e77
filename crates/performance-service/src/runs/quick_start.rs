//! `POST /quick-start/{scenario}` and `POST /quick-setup`. Bodies are never parsed.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::body::RunBody;
use super::request::StartBody;
use super::start::created;
use crate::app::App;
use crate::planner::unknown_scenario;
use crate::scenarios::Scenario;

#[derive(Debug, Deserialize)]
pub(crate) struct ScenarioInPath {
    pub(crate) scenario: String,
}

/// What was begun.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuickSetupBody {
    /// A sentence.
    message: String,
    /// The run's id.
    test_id: String,
}

/// Queues a run with the scenario's preset.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/quick-start/{scenario}",
    tag = "runs",
    params(
        ("scenario" = String, Path, description = "A name in any case, or a number"),
        crate::idempotency::KeyHeader,
    ),
    responses(
        (status = 201, description = "The run is queued", body = RunBody),
        (status = 400, description = "There is no such scenario"),
        (status = 429, description = "The queue is full"),
        (status = 503, description = "k6 is not installed"),
    )
)]
pub(crate) async fn quick_start(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<ScenarioInPath>,
) -> Result<Response, Problem> {
    let scenario = Scenario::parse(&path.scenario).ok_or_else(|| unknown_scenario("scenario"))?;
    let body = StartBody::quick_start(scenario);
    let run = app.conductor.submit(&caller, body).await?;
    Ok(created(&run))
}

/// Queues a smoke run.
#[utoipa::path(
    post,
    path = "/quick-setup",
    tag = "runs",
    params(crate::idempotency::KeyHeader),
    responses(
        (status = 200, description = "A smoke run is queued", body = QuickSetupBody),
        (status = 429, description = "The queue is full"),
        (status = 503, description = "k6 is not installed"),
    )
)]
pub(crate) async fn quick_setup(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<QuickSetupBody>, Problem> {
    let body = StartBody::quick_start(Scenario::Smoke);
    let run = app.conductor.submit(&caller, body).await?;
    Ok(Json(QuickSetupBody {
        message: format!("Smoke test {} is queued", run.number),
        test_id: run.id.to_string(),
    }))
}
