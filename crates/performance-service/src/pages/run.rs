//! `/runs/{id}`: one run, live or finished.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use load_analysis::results::Results;
use performance_store::{Run, RunAddress};
use service_defaults::problem::Problem;

use super::chart::{self, Chart};
use super::figures::{self, CheckRow, MetricRow, ThresholdRow, Tile};
use super::words::{self, Badge};
use super::{numbers, page, see_other};
use crate::app::App;
use crate::problems;
use crate::runs::{RunInPath, logs};
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
    thresholds: Vec<ThresholdRow>,
    checks: Vec<CheckRow>,
    metrics: Vec<MetricRow>,
    coverage: Option<String>,
    log: String,
    log_lines: String,
    last_event: u64,
}

struct TimeRow {
    time: String,
    requests: String,
    p50: String,
    p95: String,
    p99: String,
    failed: String,
    users: String,
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
    let results = results(&app, &address).await?;
    let [fine, coarse] = timeline::overviews(&app.store, &address, [MAX_POINTS, MAX_ROWS])
        .await
        .map_err(problems::from_store)?;
    let lines = app
        .store
        .logs(&address)
        .await
        .map_err(problems::from_store)?;
    let shown = lines.len().saturating_sub(SHOWN_LINES);
    page(&RunPage {
        last_event,
        log: logs::text(lines.get(shown..).unwrap_or_default()),
        log_lines: numbers::whole(lines.len() as u64),
        chart: chart::draw(&fine.points, fine.step),
        rows: coarse.points.iter().map(time_row).collect(),
        ..of(&run, results.as_ref(), fine.points.last())
    })
}

/// The button that stops a run.
pub(super) async fn cancel(
    State(app): State<App>,
    RunInPath(address): RunInPath,
) -> Result<Response, Problem> {
    app.conductor.cancel(&address).await?;
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
        thresholds: results.map(figures::thresholds).unwrap_or_default(),
        checks: results.map(figures::checks).unwrap_or_default(),
        metrics: results.map(figures::metrics).unwrap_or_default(),
        coverage: results.map(coverage),
        log: String::new(),
        log_lines: numbers::whole(0),
        last_event: 0,
    }
}

async fn results(app: &App, address: &RunAddress) -> Result<Option<Results>, Problem> {
    let json = app
        .store
        .results(address)
        .await
        .map_err(problems::from_store)?;
    Ok(json.and_then(|json| {
        serde_json::from_str(&json)
            .inspect_err(|error| tracing::error!(test.id = %address.id, "stored results cannot be read: {error}"))
            .ok()
    }))
}

fn time_row(point: &TimelinePoint) -> TimeRow {
    let optional = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), numbers::number);
    TimeRow {
        time: numbers::run_time(point.t),
        requests: numbers::whole(point.requests),
        p50: optional(point.p50),
        p95: optional(point.p95),
        p99: optional(point.p99),
        failed: optional(point.error_rate.map(|rate| rate * 100.0)),
        users: optional(point.virtual_users),
    }
}

/// What the figures are made of, in a sentence.
fn coverage(results: &Results) -> String {
    let coverage = &results.coverage;
    let mut text = format!(
        "{} samples in {} tag sets over {} s of load",
        numbers::whole(coverage.samples),
        coverage.tag_sets,
        numbers::number(coverage.load_seconds)
    );
    if coverage.samples_in_other > 0 {
        text.push_str(&format!(
            "; {} samples came after the bound on tag sets and are counted as \u{201c}other\u{201d}",
            numbers::whole(coverage.samples_in_other)
        ));
    }
    if coverage.samples_left_out > 0 {
        text.push_str(&format!(
            "; {} samples came after the bound on metrics and are in no figure",
            numbers::whole(coverage.samples_left_out)
        ));
    }
    text.push('.');
    text
}
