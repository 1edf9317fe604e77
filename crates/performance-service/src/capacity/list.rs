//! `GET /capacity`.

use axum::Json;
use axum::extract::State;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::body::SearchBody;
use super::request;
use crate::app::App;

/// The searches, newest first; at most 200.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/capacity",
    tag = "capacity",
    responses((status = 200, body = Vec<SearchBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<SearchBody>>, Problem> {
    let found = app.store.searches(&caller.tenant).await;
    let found = found.map_err(request::from_store)?;
    let bodies: Result<Vec<_>, _> = found.iter().map(SearchBody::new).collect();
    Ok(Json(bodies?))
}
