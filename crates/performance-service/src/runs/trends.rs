//! `GET /trends`.

mod bounds;
mod notes;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use load_analysis::change_points::ChangePoint;
use load_analysis::verdict::Level;
use performance_store::{Run, RunId, Shape, StepNote, TestName};
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use url::form_urlencoded;
use utoipa::ToSchema;

pub(crate) use self::bounds::{BandBody, BoundBody};
pub(crate) use self::notes::{NoteBody, explain};
use crate::app::App;
use crate::problems;
use crate::runs::body::RunBody;

/// What is shown when no measure is asked for.
pub(crate) const USUAL_MEASURE: &str = "http_req_duration p(95)";

/// Which test and which of its measures.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendsQuery {
    /// The name of the test.
    pub(crate) test: Option<String>,
    /// Metric and statistic, such as `http_req_duration p(95)`, which is the usual one.
    pub(crate) measure: Option<String>,
    /// The name of the target; any when absent.
    pub(crate) environment: Option<String>,
    /// The scenario; any when absent.
    pub(crate) scenario: Option<String>,
}

/// One measure of a test over its runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrendBody {
    /// The name of the test.
    pub(crate) test: String,
    /// The measure.
    pub(crate) measure: String,
    /// Every measure that the latest run has.
    pub(crate) measures: Vec<String>,
    /// What the test has run against and as, that of its latest run first.
    pub(crate) shapes: Vec<ShapeBody>,
    /// The runs that count, oldest first, at most the latest 200.
    pub(crate) points: Vec<PointBody>,
    /// Those that are INVALID among them.
    pub(crate) not_counted: Vec<PointBody>,
    /// The steps in the series.
    pub(crate) change_points: Vec<ChangePointBody>,
    /// What the measure of the latest run that counts was held against.
    pub(crate) bounds: Vec<BoundBody>,
    /// Where the measure lies in the baseline, if all these runs have the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<BandBody>,
}

/// What runs ran against and as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ShapeBody {
    /// The target's name.
    pub(crate) environment: String,
    /// The scenario.
    pub(crate) scenario: String,
}

/// A run's figure.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PointBody {
    /// The run.
    pub(crate) test_id: String,
    /// Its number.
    pub(crate) number: u64,
    /// When it began.
    pub(crate) at: String,
    /// Its verdict.
    pub(crate) level: &'static str,
    /// Which build of the target it measured, as far as somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<String>,
    /// The figure, in k6's unit.
    pub(crate) value: f64,
    /// What somebody said of the measure from this run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<NoteBody>,
}

/// A step in a series.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangePointBody {
    /// The first run of the new level.
    pub(crate) test_id: String,
    /// Its number.
    pub(crate) number: u64,
    /// The build that it measured, as far as somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<String>,
    /// The build of the run before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision_before: Option<String>,
    /// The median before.
    pub(crate) before: f64,
    /// The median from there on.
    pub(crate) after: f64,
    /// The change as a share of what was before.
    pub(crate) effect: f64,
    /// The 95 % interval of the effect.
    pub(crate) low: f64,
    /// Its upper end.
    pub(crate) high: f64,
    /// The share of shuffled series with a step as large.
    pub(crate) p: f64,
    /// Why it is there, if somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<NoteBody>,
}

/// One measure of a test over its runs, with the steps in it. Runs that are INVALID do not count.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/trends",
    tag = "runs",
    params(TrendsQuery),
    responses(
        (status = 200, body = TrendBody),
        (status = 400, description = "No test is named"),
        (status = 404, description = "The test has no completed run, or no such measure"),
    )
)]
pub(crate) async fn trends(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<TrendsQuery>,
) -> Result<Json<TrendBody>, Problem> {
    Ok(Json(trend(&app, &caller.tenant, &query).await?))
}

/// The trend that a query asks for.
pub(crate) async fn trend(
    app: &App,
    tenant: &TenantId,
    query: &TrendsQuery,
) -> Result<TrendBody, Problem> {
    let name = query.test.clone().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Problem::invalid_field("test", "must name a test"))?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let test = TestName {
        tenant: tenant.clone(),
        name,
        environment: given(&query.environment),
        scenario: given(&query.scenario),
    };
    let measure = query.measure.as_deref().unwrap_or(USUAL_MEASURE).to_owned();
    let series = app.store.series(&test, &measure).await;
    let series = series.map_err(problems::from_store)?;
    let shapes = app
        .store
        .shapes(&test)
        .await
        .map_err(problems::from_store)?;
    let is_narrowed = test.environment.is_some() || test.scenario.is_some();
    if series.is_empty() && (shapes.is_empty() || !is_narrowed) {
        let detail = "no completed run of the test has this measure";
        return Err(Problem::not_found(detail));
    }
    let measures = match series.last() {
        Some((latest, _)) => app.store.measures(&latest.address()).await,
        None => Ok(vec![measure.clone()]),
    };
    let notes = app.store.step_notes(&test, &measure).await;
    let notes = notes.map_err(problems::from_store)?;
    let (points, not_counted): (Vec<_>, Vec<_>) = series
        .iter()
        .filter_map(|one| point(one, &notes))
        .partition(|point| point.level != Level::Invalid.as_str());
    let figures = points.iter().map(|point| point.value).collect();
    let found = app.steps.of(figures).await?;
    let steps = found.iter().filter_map(|step| step_body(step, &points));
    let change_points = steps.collect();
    Ok(TrendBody {
        measures: measures.map_err(problems::from_store)?,
        bounds: bounds::of_latest(&app.store, &series, &measure).await?,
        baseline: bounds::band(&app.store, &series, &measure).await?,
        test: test.name,
        measure,
        shapes: shapes.into_iter().map(ShapeBody::from).collect(),
        points,
        not_counted,
        change_points,
    })
}

/// Where people see a test.
pub(crate) fn page_of(test: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(test.as_bytes()).collect();
    // In a path a space is no plus sign.
    format!("/tests/{}", name.replace('+', "%20"))
}

/// What the latest completed run of a test ran against and as.
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn latest_shape(
    app: &App,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<ShapeBody>, Problem> {
    let test = TestName {
        tenant: tenant.clone(),
        name: name.to_owned(),
        environment: None,
        scenario: None,
    };
    let shapes = app
        .store
        .shapes(&test)
        .await
        .map_err(problems::from_store)?;
    Ok(shapes.into_iter().next().map(ShapeBody::from))
}

impl TrendBody {
    /// Whether a run of it counts.
    pub(crate) fn counts(&self, point: &PointBody) -> bool {
        !self
            .not_counted
            .iter()
            .any(|other| other.test_id == point.test_id)
    }
}

/// A run that was judged.
fn point((run, value): &(Run, f64), notes: &BTreeMap<RunId, StepNote>) -> Option<PointBody> {
    let verdict = run.verdict.as_ref()?;
    Some(PointBody {
        test_id: run.id.to_string(),
        number: run.number,
        at: run.started_at.unwrap_or(run.queued_at).to_string(),
        level: verdict.level.as_str(),
        revision: RunBody::new(run, None).revision,
        value: *value,
        note: notes.get(&run.id).map(NoteBody::from),
    })
}

impl From<Shape> for ShapeBody {
    fn from(shape: Shape) -> Self {
        Self {
            environment: shape.environment,
            scenario: shape.scenario,
        }
    }
}

fn step_body(step: &ChangePoint, points: &[PointBody]) -> Option<ChangePointBody> {
    let first = points.get(step.index)?;
    let last_before = step
        .index
        .checked_sub(1)
        .and_then(|index| points.get(index));
    Some(ChangePointBody {
        revision: first.revision.clone(),
        revision_before: last_before.and_then(|point| point.revision.clone()),
        test_id: first.test_id.clone(),
        number: first.number,
        before: step.before,
        after: step.after,
        effect: step.effect,
        low: step.interval.low,
        high: step.interval.high,
        p: step.p,
        note: first.note.clone(),
    })
}
