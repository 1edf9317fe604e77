//! `/`: what runs, what the last runs said, and the buttons that start one.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use performance_store::{Run, RunFilter, TestSummary};
use service_defaults::access::{Authentication, Caller};
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;

use super::{page, see_other};
use crate::app::App;
use crate::planner::unknown_scenario;
use crate::presentation::numbers::{number, whole};
use crate::presentation::sparkline::{self, Sparkline};
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::quick_start::ScenarioInPath;
use crate::runs::request::StartBody;
use crate::runs::trends::USUAL_MEASURE;
use crate::scenarios::Scenario;

/// Runs of each table on the page; all of them are in the JSON list.
const SHOWN: u32 = 50;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    /// Who is logged in, and as what.
    user: Option<String>,
    unfinished: Vec<Row>,
    tests: Vec<TestRow>,
    finished: Vec<Row>,
    scenarios: Vec<Start>,
}

/// A run in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) scenario: String,
    pub(super) script: String,
    pub(super) state: &'static str,
    pub(super) badge: Option<Badge>,
    pub(super) when: String,
    pub(super) duration: String,
}

struct TestRow {
    name: String,
    runs: String,
    /// The usual measure of the latest runs as a line; absent below two of them.
    spark: Option<Sparkline>,
    figure: String,
    latest: Row,
}

struct Start {
    name: &'static str,
    slug: &'static str,
    text: String,
    description: &'static str,
}

/// The home page.
pub(super) async fn home(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Response, Problem> {
    let list = async |filter| {
        let runs = app.store.list(&caller.tenant, filter, SHOWN).await;
        runs.map_err(problems::from_store)
    };
    let unfinished = list(RunFilter::Unfinished).await?;
    let finished = list(RunFilter::Finished).await?;
    let logged_in = matches!(app.authentication, Authentication::Tokens(_));
    let role = caller.role.as_str();
    let tests = app.store.tests(&caller.tenant, USUAL_MEASURE).await;
    let tests = tests.map_err(problems::from_store)?;
    page(&Home {
        user: logged_in.then(|| format!("{}, {role} of {}", caller.user, caller.tenant)),
        tests: tests.iter().map(test_row).collect(),
        unfinished: unfinished.iter().map(row).collect(),
        finished: finished.iter().map(row).collect(),
        scenarios: Scenario::ALL.map(start).into(),
    })
}

/// The button of a scenario.
pub(super) async fn quick_start(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<ScenarioInPath>,
) -> Result<Response, Problem> {
    let scenario = Scenario::parse(&path.scenario).ok_or_else(|| unknown_scenario("scenario"))?;
    let body = StartBody::quick_start(scenario);
    let run = app.conductor.submit(&caller, body).await?;
    Ok(see_other(&format!("/runs/{}", run.id)))
}

fn test_row(test: &TestSummary) -> TestRow {
    let figure = test
        .figures
        .last()
        .map(|value| format!("{} ms", number(*value)));
    TestRow {
        name: test.name.clone(),
        runs: whole(test.runs),
        spark: sparkline::draw(&test.figures),
        figure: figure.unwrap_or_else(|| "–".to_owned()),
        latest: row(&test.latest),
    }
}

pub(super) fn row(run: &Run) -> Row {
    Row {
        id: run.id.to_string(),
        number: run.number,
        name: run.test_name.clone(),
        scenario: run.scenario.clone(),
        script: run.script.clone(),
        state: words::state(run.status),
        badge: words::badge(run.verdict.as_ref()),
        when: words::clock(run.started_at.unwrap_or(run.queued_at)),
        duration: words::duration(run).unwrap_or_default(),
    }
}

fn start(scenario: Scenario) -> Start {
    let preset = scenario.preset();
    Start {
        name: scenario.name(),
        slug: scenario.slug(),
        text: format!("{} users, {}", preset.virtual_users, preset.duration),
        description: scenario.description(),
    }
}
