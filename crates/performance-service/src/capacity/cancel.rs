//! `POST /capacity/{id}/cancel`.

use axum::extract::State;
use http::StatusCode;
use service_defaults::problem::Problem;
use tenancy::Role;

use super::{SearchInPath, request};
use crate::app::App;

/// Stops a search and its run. What is known by then stays.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/capacity/{id}/cancel",
    tag = "capacity",
    params(("id" = String, Path, description = "The search's id")),
    responses(
        (status = 204, description = "The search is stopped"),
        (status = 403, description = "Somebody else's, and the caller is no administrator"),
        (status = 404, description = "No such search"),
        (status = 409, description = "The search is over"),
    )
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    search: SearchInPath,
) -> Result<StatusCode, Problem> {
    stop(&app, search).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a search for a caller, who may stop its own ones, or any as an administrator.
///
/// # Errors
/// 403 for somebody else's, 404 for an unknown one, 409 for one that is over.
pub(crate) async fn stop(app: &App, search: SearchInPath) -> Result<(), Problem> {
    let SearchInPath { caller, id } = search;
    let found = app.store.search(&caller.tenant, id).await;
    let found = found.map_err(request::from_store)?;
    if caller.role < Role::Admin && *found.started_by != *caller.user {
        let detail = "the search of somebody else is stopped by an administrator only";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    app.searcher.cancel(found).await
}
