//! `GET /baselines`.

use axum::Json;
use axum::extract::State;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::body::BaselineBody;
use crate::app::App;
use crate::problems;

/// The baselines in force, by test; at most 500.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/baselines",
    tag = "baselines",
    responses((status = 200, body = Vec<BaselineBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<BaselineBody>>, Problem> {
    let found = app.store.baselines(&caller.tenant).await;
    let found = found.map_err(problems::from_store)?;
    Ok(Json(found.into_iter().map(BaselineBody::from).collect()))
}
