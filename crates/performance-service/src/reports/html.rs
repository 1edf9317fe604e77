//! A run as one page that needs no server, no script and no network.

use askama::Template;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use load_analysis::targets::TargetLine;
use sha2::{Digest, Sha256};

use super::Report;
use crate::outside_pages::OutsidePages;
use crate::presentation::chart::{self, Chart};
use crate::presentation::distribution::Form;
use crate::presentation::endpoints::{self, EndpointRow};
use crate::presentation::evidence::{self, Evidence};
use crate::presentation::fault_table::{self, FaultRow};
use crate::presentation::figures::{self, CheckRow, LimitRow, MetricRow};
use crate::presentation::money::{self, ForecastTable, MoneyPanel};
use crate::presentation::requests::Requests;
use crate::presentation::slowest::{self, SlowestTable};
use crate::presentation::tiles::{self, Tile};
use crate::presentation::time_table::{self, TimeRow};
use crate::presentation::words::{self, Badge};
use crate::runs::request::StartBody;

const STYLE: &str = include_str!("../../assets/style.css");

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    style: &'static str,
    /// Of the style, so that the page's own policy admits it and nothing else.
    style_hash: String,
    badge: Badge,
    name: String,
    number: u64,
    scenario: String,
    script: String,
    started: String,
    started_by: String,
    duration: String,
    address: String,
    reasons: Vec<String>,
    valid: bool,
    exit_code: u8,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    rows: Vec<TimeRow>,
    requests: Requests,
    slowest: SlowestTable,
    faults: Vec<FaultRow>,
    evidence: Evidence,
    endpoints: Vec<EndpointRow>,
    limits: Vec<LimitRow>,
    thresholds: Vec<TargetLine>,
    checks: Vec<CheckRow>,
    metrics: Vec<MetricRow>,
    coverage: Option<String>,
    money: Option<MoneyPanel>,
    forecast: ForecastTable,
    settings: Vec<(String, String)>,
}

pub(super) fn render(report: &Report) -> askama::Result<String> {
    let (run, results) = (&report.run, report.results.as_ref());
    let picture = &report.picture;
    let spend = results.and_then(|results| results.spend.as_ref());
    Page {
        style: STYLE,
        style_hash: STANDARD.encode(Sha256::digest(STYLE)),
        badge: Badge {
            level: report.level(),
            reason: String::new(),
        },
        name: run.test_name.clone(),
        number: run.number,
        scenario: run.scenario.clone(),
        script: run.script.clone(),
        started: words::clock(run.started_at.unwrap_or(run.queued_at)),
        started_by: words::started_by(run),
        duration: words::duration(run).unwrap_or_default(),
        address: report.address.clone(),
        reasons: report.reasons().to_vec(),
        valid: report.is_valid(),
        exit_code: report.exit_code(),
        tiles: tiles::of_load(&picture.load, picture.load_length(results), spend),
        chart: chart::draw(&picture.fine, &picture.window, &picture.frame(results)),
        rows: time_table::rows(&picture.coarse.points),
        requests: Requests::of(picture, None, Form::Percentiles),
        // A report is read where no trace store is.
        slowest: slowest::table(results, picture, &OutsidePages::default()),
        faults: fault_table::rows(picture),
        endpoints: endpoints::rows(picture, results),
        evidence: evidence::of(results, &report.resources, picture.seconds),
        limits: results.map(figures::limits).unwrap_or_default(),
        thresholds: report.thresholds(),
        checks: results.map(figures::checks).unwrap_or_default(),
        metrics: results.map(figures::metrics).unwrap_or_default(),
        coverage: results.map(figures::coverage),
        money: spend.map(money::panel),
        forecast: money::forecast_table(report.forecast.as_deref(), results),
        settings: settings(&run.request),
    }
    .render()
}

/// What was asked for, name and value.
fn settings(request: &str) -> Vec<(String, String)> {
    let request: StartBody = serde_json::from_str(request).unwrap_or_default();
    let (options, cap) = (&request.options, &request.max_dollars);
    let mut settings = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        settings.extend(value.map(|value| (name.to_owned(), value)));
    };
    add(
        "virtual users",
        options.virtual_users.map(|n| n.to_string()),
    );
    add("duration", options.duration.clone());
    add("iterations", options.iterations.map(|n| n.to_string()));
    add("warm-up", options.warm_up.clone());
    add("k6", options.k6_version.clone());
    add("maximum dollars", cap.as_ref().map(|cap| cap.0.clone()));
    let environment = request.environment.into_iter();
    settings.extend(environment.map(|(name, value)| (name, value.0)));
    settings
}
