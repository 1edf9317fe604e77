//! `GET /tests` and `GET /running`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderName;
use load_analysis::verdict::Level;
use performance_store::{MAX_LISTED_RUNS, RunFilter, RunQuery, RunStatus};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::{FieldError, Problem};

use super::body::RunBody;
use crate::app::App;
use crate::problems;
use crate::scenarios::Scenario;

/// How many runs match, those of other pages included.
const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// Which runs.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The name of the test, whole.
    pub(crate) test: Option<String>,
    /// A scenario's name in any case, or its number.
    pub(crate) scenario: Option<String>,
    /// The name of the target.
    pub(crate) environment: Option<String>,
    /// A state, such as `Completed`.
    pub(crate) status: Option<String>,
    /// The level of a verdict, such as `FAIL`.
    pub(crate) level: Option<String>,
    /// Only runs with a smaller number: where the next page begins.
    pub(crate) before: Option<u64>,
    /// The most runs, 1 to 500, which is the default.
    pub(crate) limit: Option<u32>,
}

/// The runs that match, newest first, without their results. `X-Total-Count` says how many match.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/tests",
    tag = "runs",
    params(ListQuery),
    responses(
        (status = 200, body = Vec<RunBody>),
        (status = 400, description = "A filter is invalid"),
    )
)]
pub(crate) async fn tests(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<ListQuery>,
) -> Result<Response, Problem> {
    let found = app.store.find(&caller.tenant, query.read()?).await;
    let found = found.map_err(problems::from_store)?;
    let runs: Vec<RunBody> = found
        .runs
        .iter()
        .map(|run| RunBody::new(run, None))
        .collect();
    let total = [(TOTAL, found.total.to_string())];
    Ok((total, Json(runs)).into_response())
}

impl ListQuery {
    /// The query as the store takes it. Empty filters, as forms send them, match everything.
    ///
    /// # Errors
    /// 400 names every filter that cannot match anything.
    pub(crate) fn read(&self) -> Result<RunQuery, Problem> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut errors = Vec::new();
        let mut refuse = |field: &str, reason: String| errors.push(FieldError::new(field, reason));
        let scenario = given(&self.scenario).and_then(|text| {
            let found = Scenario::parse(&text).map(|scenario| scenario.name().to_owned());
            if found.is_none() {
                refuse("scenario", "is no scenario".to_owned());
            }
            found
        });
        let status = given(&self.status).and_then(|text| {
            let found = RunStatus::parse(&text);
            if found.is_none() {
                let names = RunStatus::ALL.map(RunStatus::as_str).join(", ");
                refuse("status", format!("must be one of {names}"));
            }
            found
        });
        let level = given(&self.level).filter(|text| {
            let known = Level::ALL.iter().any(|level| level.as_str() == text);
            if !known {
                let names = Level::ALL.map(Level::as_str).join(", ");
                refuse("level", format!("must be one of {names}"));
            }
            known
        });
        let limit = self.limit.unwrap_or(MAX_LISTED_RUNS);
        if !(1..=MAX_LISTED_RUNS).contains(&limit) {
            refuse("limit", format!("must be 1 to {MAX_LISTED_RUNS}"));
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        Ok(RunQuery {
            test: given(&self.test),
            scenario,
            environment: given(&self.environment),
            status,
            level,
            before: self.before,
            limit,
        })
    }
}

/// The runs that are starting or running.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/running",
    tag = "runs",
    responses((status = 200, body = Vec<RunBody>))
)]
pub(crate) async fn running(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<RunBody>>, Problem> {
    let runs = app
        .store
        .list(&caller.tenant, RunFilter::Active, MAX_LISTED_RUNS)
        .await;
    let runs = runs.map_err(problems::from_store)?;
    Ok(Json(
        runs.iter().map(|run| RunBody::new(run, None)).collect(),
    ))
}
