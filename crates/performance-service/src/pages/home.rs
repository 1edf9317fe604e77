//! `/`: what runs, what needs a person, what the last runs said, and where one begins: a link opens
//! the form with everything filled in, its button starts the run.

mod now;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::verdict::Level;
use performance_store::{Run, RunFilter, TestSummary};
use serde::Deserialize;
use service_defaults::access::{Authentication, Caller};
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::TenantId;

use self::now::NowRow;
use super::new::forbidden;
use super::page;
use crate::app::App;
use crate::attention::{self, Matter};
use crate::presentation::numbers::{number, whole};
use crate::presentation::sparkline::{self, Sparkline};
use crate::presentation::standing::{self, Difference};
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::standing::{Standing, standings};
use crate::runs::trends::USUAL_MEASURE;
use crate::runs::under_way::under_way;
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
    unfinished: Vec<NowRow>,
    matters: Vec<Matter>,
    tests: Vec<TestRow>,
    finished: Vec<Row>,
    scenarios: Vec<Start>,
    /// Why the caller may stop nothing.
    forbidden: Option<String>,
}

/// What runs, alone: what the script asks for again and again.
#[derive(Template)]
#[template(path = "now.html")]
struct Now {
    unfinished: Vec<NowRow>,
    forbidden: Option<String>,
}

/// Which part of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PartQuery {
    /// `now`, or all of it.
    #[serde(default)]
    part: String,
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
    /// From the baseline of its test.
    pub(super) difference: Option<Difference>,
    pub(super) cost: String,
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
    ValidQuery(query): ValidQuery<PartQuery>,
) -> Result<Response, Problem> {
    let tenant = &caller.tenant;
    let unfinished = now::rows(&under_way(&app, tenant).await?);
    let forbidden = forbidden(&caller);
    if query.part == "now" {
        return page(&Now {
            unfinished,
            forbidden,
        });
    }
    let logged_in = matches!(app.authentication, Authentication::Tokens(_));
    let role = caller.role.as_str();
    let finished = app.store.list(tenant, RunFilter::Finished, SHOWN).await;
    let finished = finished.map_err(problems::from_store)?;
    let tests = app.store.tests(tenant, USUAL_MEASURE).await;
    let tests = tests.map_err(problems::from_store)?;
    page(&Home {
        user: logged_in.then(|| format!("{}, {role} of {tenant}", caller.user)),
        unfinished,
        matters: attention::matters(&app, tenant, &tests).await?,
        tests: test_rows(&app, tenant, &failing_first(&tests)).await?,
        finished: rows(&app, tenant, &finished).await?,
        scenarios: Scenario::ALL.map(start).into(),
        forbidden,
    })
}

/// The rest stays as the store has it: the latest first.
fn failing_first(tests: &[TestSummary]) -> Vec<&TestSummary> {
    let fails = |test: &&TestSummary| {
        let decisive = test.decisive.as_ref();
        let verdict = decisive.and_then(|run| run.verdict.as_ref());
        verdict.is_some_and(|verdict| matches!(verdict.level, Level::Fail | Level::Critical))
    };
    let (mut first, rest): (Vec<_>, Vec<_>) = tests.iter().partition(fails);
    first.extend(rest);
    first
}

async fn test_rows(
    app: &App,
    tenant: &TenantId,
    tests: &[&TestSummary],
) -> Result<Vec<TestRow>, Problem> {
    let latest: Vec<&Run> = tests.iter().map(|test| &test.latest).collect();
    let latest = rows_of(app, tenant, &latest).await?;
    let row = |(test, latest): (&&TestSummary, Row)| {
        let figure = test.figures.last();
        let figure = figure.map(|value| format!("{} ms", number(*value)));
        TestRow {
            name: test.name.clone(),
            runs: whole(test.runs),
            spark: sparkline::draw(&test.figures),
            figure: figure.unwrap_or_else(|| "–".to_owned()),
            latest,
        }
    };
    Ok(tests.iter().zip(latest).map(row).collect())
}

/// Runs as lists show them.
pub(super) async fn rows(app: &App, tenant: &TenantId, runs: &[Run]) -> Result<Vec<Row>, Problem> {
    rows_of(app, tenant, &runs.iter().collect::<Vec<_>>()).await
}

async fn rows_of(app: &App, tenant: &TenantId, runs: &[&Run]) -> Result<Vec<Row>, Problem> {
    let beside = standings(&app.store, tenant, runs).await;
    let beside = beside.map_err(problems::from_store)?;
    let none = Standing::default();
    let row = |run: &&Run| row(run, beside.get(&run.id).unwrap_or(&none));
    Ok(runs.iter().map(row).collect())
}

fn row(run: &Run, beside: &Standing) -> Row {
    Row {
        id: run.id.to_string(),
        number: run.number,
        name: run.test_name.clone(),
        scenario: run.scenario.clone(),
        script: run.script.clone(),
        state: words::state(run.status),
        badge: words::badge(run.verdict.as_ref()).map(clipped),
        difference: standing::difference(beside),
        cost: standing::cost(beside),
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
