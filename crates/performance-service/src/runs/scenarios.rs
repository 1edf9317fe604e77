//! `GET /scenarios`.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::scenarios::Scenario;

/// A scenario that may be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScenarioBody {
    name: &'static str,
    value: u8,
    description: &'static str,
}

/// The scenarios, in the order of their numbers.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/scenarios",
    tag = "runs",
    responses((status = 200, body = Vec<ScenarioBody>))
)]
pub(crate) async fn scenarios() -> Json<Vec<ScenarioBody>> {
    let bodies = Scenario::ALL.map(|scenario| ScenarioBody {
        name: scenario.name(),
        value: scenario.value(),
        description: scenario.description(),
    });
    Json(bodies.into())
}
