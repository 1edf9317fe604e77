//! `/runs/{id}`: one run, live or finished.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::forecast::ForecastLine;
use load_analysis::results::Results;
use load_analysis::spend::Spend;
use performance_store::Run;
use service_defaults::access::Caller;
use service_defaults::problem::Problem;

use super::{page, see_other};
use crate::app::App;
use crate::presentation::chart::{self, Chart};
use crate::presentation::evidence::{self, Evidence};
use crate::presentation::figures::{self, CheckRow, LimitRow, MetricRow, ThresholdRow, Tile};
use crate::presentation::money::{self, MoneyPanel};
use crate::presentation::numbers;
use crate::presentation::time_table::{self, TimeRow};
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::cancel::stop;
use crate::runs::{RunInPath, logs, resources, results};
use crate::timeline::{self, TimelinePoint};

/// Points of the picture; a longer run gets longer steps.
const MAX_POINTS: u32 = 600;

/// Rows of the table behind the picture.
const MAX_ROWS: u32 = 60;

/// Log lines on the page, the last ones; all of them are behind the link.
const SHOWN_LINES: usize = 200;

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    id: String,
    number: u64,
    name: String,
    scenario: String,
    script: String,
    state: &'static str,
    live: bool,
    badge: Option<Badge>,
    reasons: Vec<String>,
    started: String,
    duration: String,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    rows: Vec<TimeRow>,
    evidence: Evidence,
    limits: Vec<LimitRow>,
    thresholds: Vec<ThresholdRow>,
    checks: Vec<CheckRow>,
    metrics: Vec<MetricRow>,
    coverage: Option<String>,
    money: Option<MoneyPanel>,
    forecast: Vec<ForecastLine>,
    log: String,
    log_lines: String,
    last_event: u64,
}

/// The page of a run.
pub(super) async fn run(
    State(app): State<App>,
    RunInPath(address): RunInPath,
) -> Result<Response, Problem> {
    // Read before everything else: what comes later is on the page or on the stream.
    let last_event = app
        .store
        .last_event(&address)
        .await
        .map_err(problems::from_store)?;
    let run = app
        .store
        .get(&address)
        .await
        .map_err(problems::from_store)?;
    let results = results::document(&app, &address).await?;
    let [fine, coarse] = timeline::overviews(&app.store, &address, [MAX_POINTS, MAX_ROWS])
        .await
        .map_err(problems::from_store)?;
    let lines = app
        .store
        .logs(&address)
        .await
        .map_err(problems::from_store)?;
    let resources = resources::document(&app, &address).await?;
    let seconds = fine.points.last().map_or(0, |last| last.t + fine.step);
    let shown = lines.len().saturating_sub(SHOWN_LINES);
    let forecast = app.store.forecast(&address).await;
    let forecast = forecast.map_err(problems::from_store)?;
    let so_far = app.conductor.spend_so_far(&address);
    let so_far = so_far.filter(|_| !run.status.is_final());
    let whole = of(&run, results.as_ref(), fine.points.last());
    page(&RunPage {
        last_event,
        money: spent(results.as_ref())
            .or(so_far.as_ref())
            .map(money::panel),
        tiles: figures::with_cost(whole.tiles, spent(results.as_ref()).or(so_far.as_ref())),
        forecast: money::forecast(forecast.as_deref(), results.as_ref()),
        log: logs::text(lines.get(shown..).unwrap_or_default()),
        log_lines: numbers::whole(lines.len() as u64),
        chart: chart::draw(&fine.points, fine.step),
        rows: time_table::rows(&coarse.points),
        evidence: evidence::of(results.as_ref(), &resources, seconds),
        ..whole
    })
}

fn spent(results: Option<&Results>) -> Option<&Spend> {
    results?.spend.as_ref()
}

/// The button that stops a run.
pub(super) async fn cancel(
    State(app): State<App>,
    Caller(caller): Caller,
    RunInPath(address): RunInPath,
) -> Result<Response, Problem> {
    stop(&app, &caller, &address).await?;
    Ok(see_other(&format!("/runs/{}", address.id)))
}

fn of(run: &Run, results: Option<&Results>, latest: Option<&TimelinePoint>) -> RunPage {
    RunPage {
        id: run.id.to_string(),
        number: run.number,
        name: run.test_name.clone(),
        scenario: run.scenario.clone(),
        script: run.script.clone(),
        state: words::state(run.status),
        live: !run.status.is_final(),
        badge: words::badge(run.verdict.as_ref()),
        reasons: run
            .verdict
            .as_ref()
            .map(|verdict| verdict.reasons.clone())
            .unwrap_or_default(),
        started: words::clock(run.started_at.unwrap_or(run.queued_at)),
        duration: words::duration(run).unwrap_or_default(),
        tiles: match results {
            Some(results) => figures::tiles(results),
            None => figures::live_tiles(latest),
        },
        chart: None,
        rows: Vec::new(),
        evidence: Evidence::default(),
        limits: results.map(figures::limits).unwrap_or_default(),
        thresholds: results.map(figures::thresholds).unwrap_or_default(),
        checks: results.map(figures::checks).unwrap_or_default(),
        metrics: results.map(figures::metrics).unwrap_or_default(),
        coverage: results.map(figures::coverage),
        money: None,
        forecast: Vec::new(),
        log: String::new(),
        log_lines: numbers::whole(0),
        last_event: 0,
    }
}
