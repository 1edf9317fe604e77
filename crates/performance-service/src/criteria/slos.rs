//! `GET /slos`.

use axum::Json;
use serde::{Deserialize, Serialize};
use service_defaults::problem::Problem;
use utoipa::ToSchema;

/// The objectives of `monitoring/slo`, as a test writes them here: a service that only shows them
/// needs no reader of their language.
const OBJECTIVES: &str = include_str!("objectives.json");

/// An objective of a service.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectiveBody {
    /// Whose it is.
    service: String,
    /// Its name among those of the service.
    name: String,
    /// The share of good events in percent.
    objective: f64,
    /// What a good event is.
    description: String,
}

/// What the services promise their users, whatever runs are held against: the objectives that
/// alerts are made from. Whether they are kept is in Prometheus.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/slos",
    tag = "criteria",
    responses((status = 200, body = Vec<ObjectiveBody>))
)]
pub(crate) async fn slos() -> Result<Json<Vec<ObjectiveBody>>, Problem> {
    let objectives = serde_json::from_str(OBJECTIVES).map_err(|error| {
        tracing::error!("the objectives cannot be read: {error}");
        Problem::internal()
    });
    objectives.map(Json)
}
