//! `GET /capacity/{id}`.

use axum::Json;
use axum::extract::State;
use service_defaults::problem::Problem;

use super::body::SearchBody;
use super::{SearchInPath, request};
use crate::app::App;

/// One search with its runs.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/capacity/{id}",
    tag = "capacity",
    params(("id" = String, Path, description = "The search's id")),
    responses(
        (status = 200, body = SearchBody),
        (status = 404, description = "No such search"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    search: SearchInPath,
) -> Result<Json<SearchBody>, Problem> {
    Ok(Json(found(&app, &search).await?))
}

/// The search of a path, for every form that it is shown in.
///
/// # Errors
/// 404 when the tenant has none with this id.
pub(crate) async fn found(app: &App, search: &SearchInPath) -> Result<SearchBody, Problem> {
    let found = app.store.search(&search.caller.tenant, search.id).await;
    SearchBody::new(&found.map_err(request::from_store)?)
}
