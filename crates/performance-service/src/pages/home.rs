//! `/`: what runs, what the last runs said, and where one begins: a link opens the form with
//! everything filled in, its button starts the run.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::verdict::Level;
use performance_store::{Run, RunFilter, TestSummary};
use service_defaults::access::{Authentication, Caller};
use service_defaults::problem::Problem;

use super::new::forbidden;
use super::page;
use crate::app::App;
use crate::presentation::numbers::{number, whole};
use crate::presentation::sparkline::{self, Sparkline};
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::trends::USUAL_MEASURE;
use crate::scenarios::Scenario;

/// Runs of each table on the page; all of them are in the JSON list.
const SHOWN: u32 = 50;

/// Characters of a reason in a row.
const REASON_LENGTH: usize = 160;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    /// Who is logged in, and as what.
    user: Option<String>,
    unfinished: Vec<Row>,
    tests: Vec<TestRow>,
    finished: Vec<Row>,
    scenarios: Vec<Start>,
    /// Why the caller may stop nothing.
    forbidden: Option<String>,
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
    pub(super) started_by: String,
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
        tests: failing_first(&tests).into_iter().map(test_row).collect(),
        unfinished: unfinished.iter().map(row).collect(),
        finished: finished.iter().map(row).collect(),
        scenarios: Scenario::ALL.map(start).into(),
        forbidden: forbidden(&caller),
    })
}

/// The rest stays as the store has it: the latest first.
fn failing_first(tests: &[TestSummary]) -> Vec<&TestSummary> {
    let fails = |test: &&TestSummary| {
        let verdict = test.latest.verdict.as_ref();
        verdict.is_some_and(|verdict| matches!(verdict.level, Level::Fail | Level::Critical))
    };
    let (mut first, rest): (Vec<_>, Vec<_>) = tests.iter().partition(fails);
    first.extend(rest);
    first
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
        badge: words::badge(run.verdict.as_ref()).map(clipped),
        started_by: words::started_by(run),
        when: words::clock(run.started_at.unwrap_or(run.queued_at)),
        duration: words::duration(run).unwrap_or_default(),
    }
}

fn start(scenario: Scenario) -> Start {
    Start {
        name: scenario.name(),
        slug: scenario.slug(),
        text: preset_text(scenario),
        description: scenario.description(),
    }
}

/// A row has room for the begin of a reason; all of it is on the run's page.
fn clipped(mut badge: Badge) -> Badge {
    if let Some((end, _)) = badge.reason.char_indices().nth(REASON_LENGTH) {
        badge.reason.truncate(end);
        badge.reason.push('…');
    }
    badge
}

/// What a scenario's preset asks for.
pub(super) fn preset_text(scenario: Scenario) -> String {
    let preset = scenario.preset();
    format!("{} users, {}", preset.virtual_users, preset.duration)
}
