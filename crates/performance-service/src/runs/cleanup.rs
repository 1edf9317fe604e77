//! `POST /cleanup`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use crate::app::App;
use crate::problems;

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CleanupBody {
    /// A sentence.
    message: String,
}

/// Removes runs and raw samples beyond those that are kept. It happens after each run by
/// itself as well.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/cleanup",
    tag = "runs",
    responses((status = 200, body = CleanupBody))
)]
pub(crate) async fn cleanup(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<CleanupBody>, Problem> {
    let cleaned = app
        .conductor
        .clean_up(&caller.tenant, app.store.clock().now())
        .await
        .map_err(problems::from_store)?;
    let message = format!(
        "Cleanup begun: {} runs are being removed, and the raw samples of {} more are gone",
        cleaned.runs, cleaned.sample_files
    );
    Ok(Json(CleanupBody { message }))
}
