//! `GET /scripts` and `DELETE /scripts/{name}`: the generated scripts that are saved.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use performance_store::{MAX_LISTED_RUNS, RunFilter};
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use utoipa::ToSchema;

use crate::app::App;
use crate::conductor::blocking;
use crate::generated_scripts::SavedScript;
use crate::problems;
use crate::runs::request::StartBody;
use crate::schedules::body::ScheduleDocument;

/// The script that a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct ScriptInPath {
    name: String,
}

/// A saved script.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedScriptBody {
    /// The name that it was saved under.
    name: String,
    /// Its name for runs.
    test_script: String,
    /// The size of the script and its data, in bytes.
    bytes: u64,
    /// When it was saved.
    saved_at: String,
}

impl From<SavedScript> for SavedScriptBody {
    fn from(saved: SavedScript) -> Self {
        Self {
            test_script: saved.test_script(),
            name: saved.name,
            bytes: saved.bytes,
            saved_at: saved.saved_at.to_string(),
        }
    }
}

/// The tenant's saved scripts, by name.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/scripts",
    tag = "scripts",
    responses((status = 200, body = Vec<SavedScriptBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<SavedScriptBody>>, Problem> {
    let saved = blocking(move || app.generated.list(&caller.tenant)).await?;
    Ok(Json(saved.into_iter().map(SavedScriptBody::from).collect()))
}

/// Removes a saved script that nothing is to run. Runs that were made with it stay.
#[utoipa::path(
    delete,
    path = "/api/v1/performancetest/scripts/{name}",
    tag = "scripts",
    params(("name" = String, Path, description = "The name that it was saved under")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such script"),
        (status = 409, description = "A run that is not over, a schedule or a test names it"),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<ScriptInPath>,
) -> Result<StatusCode, Problem> {
    let tenant = caller.tenant;
    let script = SavedScript::script(&path.name);
    if let Some(user) = user_of(&app, &tenant, &script).await? {
        let detail = format!("{user} names this script");
        return Err(Problem::conflict(detail).with_kind("script-in-use"));
    }
    let removed = blocking(move || app.generated.remove(&tenant, &path.name)).await?;
    match removed {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found("there is no such script")),
        Err(error) => {
            tracing::error!("a generated script is not removed: {error}");
            Err(Problem::internal())
        }
    }
}

/// What would fail without a script.
async fn user_of(app: &App, tenant: &TenantId, script: &str) -> Result<Option<String>, Problem> {
    let runs = app
        .store
        .list(tenant, RunFilter::Unfinished, MAX_LISTED_RUNS);
    let runs = runs.await.map_err(problems::from_store)?;
    if let Some(run) = runs.iter().find(|run| run.script == script) {
        return Ok(Some(format!("run {}, which is not over,", run.number)));
    }
    let schedules = app.store.schedules(tenant).await;
    for schedule in schedules.map_err(problems::from_store)? {
        let document = ScheduleDocument::stored(&schedule)?;
        if document.run.test_script.as_deref() == Some(script) {
            return Ok(Some(format!("the schedule {}", schedule.name)));
        }
    }
    let tests = app.store.configurations(tenant).await;
    for test in tests.map_err(problems::from_store)? {
        let document: StartBody = serde_json::from_str(&test.document).unwrap_or_default();
        if document.test_script.as_deref() == Some(script) {
            return Ok(Some(format!("the test {}", test.id)));
        }
    }
    Ok(None)
}
