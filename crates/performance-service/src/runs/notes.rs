//! `GET /notes`, `PUT` and `DELETE /{testId}/notes`: why figures changed for good, as people say.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use performance_store::{NotedStep, TestName};
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::{ValidJson, ValidQuery};
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::RunInPath;
use super::request::OnlyAsObject;
use super::trends::{NoteBody, explain};
use crate::app::App;
use crate::problems;

/// Which notes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotesQuery {
    /// The name of the test.
    #[serde(default)]
    test: String,
    /// Metric and statistic, such as `http_req_duration p(95)`; all when absent.
    measure: Option<String>,
}

/// Which measure.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MeasureQuery {
    /// Metric and statistic, such as `http_req_duration p(95)`.
    measure: String,
}

/// Why a measure changed from a run on.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ExplainBody {
    /// Metric and statistic, such as `http_req_duration p(95)`; one of the run's.
    measure: String,
    /// One line of 1 to 500 characters.
    #[schema(example = "a new index on author")]
    text: String,
    /// See [`OnlyAsObject`].
    #[serde(flatten)]
    #[schema(ignore)]
    _only_as_object: OnlyAsObject,
}

/// A note, and what it is said of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotedBody {
    /// The first run of the new level.
    test_id: String,
    /// Its number.
    number: u64,
    /// The measure.
    measure: String,
    /// What was said.
    note: NoteBody,
}

impl From<NotedStep> for NotedBody {
    fn from(noted: NotedStep) -> Self {
        Self {
            test_id: noted.run.to_string(),
            number: noted.number,
            measure: noted.measure,
            note: NoteBody::from(&noted.note),
        }
    }
}

/// What is said of the measures of a test, the newest run first; at most 500.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/notes",
    tag = "runs",
    params(NotesQuery),
    responses(
        (status = 200, body = Vec<NotedBody>),
        (status = 400, description = "No test is named"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<NotesQuery>,
) -> Result<Json<Vec<NotedBody>>, Problem> {
    if query.test.is_empty() {
        return Err(Problem::invalid_field("test", "must name a test"));
    }
    let test = TestName {
        tenant: caller.tenant,
        name: query.test,
        environment: None,
        scenario: None,
    };
    let noted = app.store.noted_steps(&test, query.measure.as_deref()).await;
    let noted = noted.map_err(problems::from_store)?;
    Ok(Json(noted.into_iter().map(NotedBody::from).collect()))
}

/// Says why a measure changed for good from a run on, in the place of what was said before.
#[utoipa::path(
    put,
    path = "/api/v1/performancetest/{id}/notes",
    tag = "runs",
    params(("id" = String, Path, description = "The id of the first run of the new level")),
    request_body = ExplainBody,
    responses(
        (status = 200, body = NoteBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 404, description = "No such run"),
    )
)]
pub(crate) async fn set(
    State(app): State<App>,
    Caller(caller): Caller,
    RunInPath(run): RunInPath,
    ValidJson(body): ValidJson<ExplainBody>,
) -> Result<Json<NoteBody>, Problem> {
    let said = (body.measure.as_str(), body.text.as_str());
    let missing = || Problem::invalid_field("text", "must say something");
    if body.text.trim().is_empty() {
        return Err(missing());
    }
    let (_, after) = explain(&app, &caller, &run, said).await?;
    after.map(Json).ok_or_else(missing)
}

/// Takes back what was said of a measure.
#[utoipa::path(
    delete,
    path = "/api/v1/performancetest/{id}/notes",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id"), MeasureQuery),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "The run does not have the measure"),
        (status = 404, description = "No such run, or nothing was said of it"),
    )
)]
pub(crate) async fn clear(
    State(app): State<App>,
    Caller(caller): Caller,
    RunInPath(run): RunInPath,
    ValidQuery(query): ValidQuery<MeasureQuery>,
) -> Result<StatusCode, Problem> {
    match explain(&app, &caller, &run, (&query.measure, "")).await? {
        (Some(_), _) => Ok(StatusCode::NO_CONTENT),
        (None, _) => Err(Problem::not_found("nothing is said of this measure there")),
    }
}
