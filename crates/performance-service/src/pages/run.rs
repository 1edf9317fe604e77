//! `/runs/{id}`: one run, live or finished, the whole of it or a window.

use std::ops::Range;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use load_analysis::results::Results;
use load_analysis::spend::Spend;
use performance_store::{BaselineName, Neighbours, Run, StoreError};
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::new::forbidden;
use super::{page, see_other};
use crate::app::App;
use crate::outside_pages::Link;
use crate::picture::heatmap::HIGHEST;
use crate::picture::{self, BaselineDurations, PAGE_ROWS, Picture, Selection, View};
use crate::presentation::chart::{self, Chart};
use crate::presentation::distribution::Form;
use crate::presentation::endpoints::{self, EndpointRow, ErrorRow};
use crate::presentation::evidence::{self, Evidence};
use crate::presentation::fault_table::{self, FaultRow};
use crate::presentation::figures::{self, CheckRow, LimitRow, MetricRow, ThresholdRow};
use crate::presentation::money::{self, ForecastTable, MoneyPanel};
use crate::presentation::numbers::{self, run_time};
use crate::presentation::requests::Requests;
use crate::presentation::selected::{self, SelectedPanel};
use crate::presentation::slowest::{self, SlowestTable};
use crate::presentation::tiles::{self, Tile};
use crate::presentation::time_table::{self, TimeRow};
use crate::presentation::words::{self, Badge};
use crate::problems;
use crate::runs::cancel::stop;
use crate::runs::{RunInPath, logs, resources, results};

/// Log lines on the page, the last ones; all of them are behind the link.
const SHOWN_LINES: usize = 200;

/// A part of the run, in seconds of it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WindowQuery {
    /// The first second.
    from: Option<u32>,
    /// The second behind the last one.
    to: Option<u32>,
    /// A box of the map of requests: when they ended, in seconds of the run,
    box_from: Option<u32>,
    box_to: Option<u32>,
    /// and how long they took, in milliseconds.
    above: Option<f64>,
    below: Option<f64>,
    /// Whether the distribution has shares upwards.
    #[serde(default)]
    distribution: String,
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    id: String,
    number: u64,
    name: String,
    scenario: String,
    script: String,
    target: String,
    started_by: String,
    state: &'static str,
    live: bool,
    badge: Option<Badge>,
    reasons: Vec<String>,
    started: String,
    duration: String,
    /// Which seconds are shown, of how many; `None` when it is all of them.
    part: Option<Part>,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    rows: Vec<TimeRow>,
    requests: Requests,
    selected: Option<SelectedPanel>,
    slowest: SlowestTable,
    faults: Vec<FaultRow>,
    evidence: Evidence,
    endpoints: Vec<EndpointRow>,
    errors: Vec<ErrorRow>,
    limits: Vec<LimitRow>,
    thresholds: Vec<ThresholdRow>,
    checks: Vec<CheckRow>,
    metrics: Vec<MetricRow>,
    coverage: Option<String>,
    money: Option<MoneyPanel>,
    forecast: ForecastTable,
    links: Vec<Link>,
    /// Whether its test has a baseline for its target and scenario.
    has_baseline: bool,
    neighbours: Neighbours,
    log: String,
    log_lines: String,
    last_event: u64,
    /// Why the caller may not act on it.
    forbidden: Option<String>,
}

/// A window of a run, in words.
struct Part {
    window: Range<u32>,
    from: String,
    to: String,
    of: String,
}

/// The page of a run.
pub(super) async fn run(
    State(app): State<App>,
    Caller(caller): Caller,
    RunInPath(address): RunInPath,
    ValidQuery(window): ValidQuery<WindowQuery>,
) -> Result<Response, Problem> {
    let view = view(&window)?;
    // Read before everything else: what comes later is on the page or on the stream.
    let last_event = app.store.last_event(&address).await;
    let last_event = last_event.map_err(problems::from_store)?;
    let run = app.store.get(&address).await;
    let run = run.map_err(problems::from_store)?;
    let results = results::document(&app, &address).await?;
    let picture = picture::of_run(&app, &address, view).await;
    let picture = picture.map_err(problems::from_store)?;
    let lines = app.store.logs(&address).await;
    let lines = lines.map_err(problems::from_store)?;
    let resources = resources::document(&app, &address).await?;
    let shown = lines.len().saturating_sub(SHOWN_LINES);
    let forecast = app.store.forecast(&address).await;
    let forecast = forecast.map_err(problems::from_store)?;
    let so_far = app.conductor.spend_so_far(&address);
    let so_far = so_far.filter(|_| !run.status.is_final());
    let spend = spent(results.as_ref()).or(so_far.as_ref());
    let beside = beside(&app, &run).await.map_err(problems::from_store)?;
    let target = app.conductor.planner().targets.named(&run.environment);
    let requests = Requests::of(&picture, beside.durations.as_ref(), form(&window));
    page(&RunPage {
        last_event,
        requests,
        slowest: slowest::table(results.as_ref(), &picture, &app.outside),
        selected: selected(&app, &run, &picture),
        money: spend.map(money::panel),
        forecast: money::forecast_table(forecast.as_deref(), results.as_ref()),
        log: logs::text(lines.get(shown..).unwrap_or_default()),
        log_lines: numbers::whole(lines.len() as u64),
        has_baseline: beside.has_baseline,
        neighbours: beside.neighbours,
        links: app.outside.links(&run, target),
        forbidden: forbidden(&caller),
        evidence: evidence::of(results.as_ref(), &resources, picture.seconds),
        ..of(&run, results.as_ref(), &picture, spend)
    })
}

/// The runs of the same test that it is shown beside.
struct Beside {
    neighbours: Neighbours,
    has_baseline: bool,
    /// How long requests of the baseline took.
    durations: Option<BaselineDurations>,
}

async fn beside(app: &App, run: &Run) -> Result<Beside, StoreError> {
    let name = BaselineName {
        tenant: run.tenant.clone(),
        test: run.test_name.clone(),
        environment: run.environment.clone(),
        scenario: run.scenario.clone(),
    };
    let baseline = app.store.baseline(&name).await?;
    // A page that follows a run is made every few seconds, and reads no other runs each time.
    let durations = match &baseline {
        Some(version) if run.status.is_final() => {
            picture::durations_of(app, version, &run.address()).await?
        }
        _ => None,
    };
    Ok(Beside {
        neighbours: app.store.neighbours(run).await?,
        has_baseline: baseline.is_some(),
        durations,
    })
}

/// How the address asks to look at the run.
fn view(window: &WindowQuery) -> Result<View, Problem> {
    if window.from.unwrap_or(0) >= window.to.unwrap_or(u32::MAX) {
        return Err(Problem::invalid_field("to", "must come after from"));
    }
    let is_box = window.box_from.is_some() || window.box_to.is_some();
    let is_box = is_box || window.above.is_some() || window.below.is_some();
    let seconds = window.box_from.unwrap_or(0)..window.box_to.unwrap_or(u32::MAX);
    let milliseconds = window.above.unwrap_or(0.0)..window.below.unwrap_or(HIGHEST);
    if seconds.is_empty() {
        return Err(Problem::invalid_field("box_to", "must come after box_from"));
    }
    if milliseconds.is_empty() {
        return Err(Problem::invalid_field("below", "must be more than above"));
    }
    Ok(View {
        window: (window.from, window.to),
        most_rows: PAGE_ROWS,
        selection: is_box.then_some(Selection {
            seconds,
            milliseconds,
        }),
    })
}

fn form(window: &WindowQuery) -> Form {
    match window.distribution.as_str() {
        "shares" => Form::Shares,
        _ => Form::Percentiles,
    }
}

/// What is in the box, and where its traces are.
fn selected(app: &App, run: &Run, picture: &Picture) -> Option<SelectedPanel> {
    let selected = picture.selected.as_ref()?;
    let selection = &selected.selection;
    let moment = |second: u32| {
        let second = picture.origin?.checked_add(i64::from(second))?;
        Timestamp::from_second(second).ok()
    };
    let ended = moment(selection.seconds.start).zip(moment(selection.seconds.end));
    let traces = ended.and_then(|(from, to)| {
        app.outside
            .traces_within(run, from..to, &selection.milliseconds)
    });
    Some(selected::panel(selected, traces))
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

fn of(run: &Run, results: Option<&Results>, picture: &Picture, spend: Option<&Spend>) -> RunPage {
    let live = !run.status.is_final();
    let verdict = run.verdict.as_ref();
    // Of a part nobody knows more than its samples.
    let spend = spend.filter(|_| !picture.is_part());
    RunPage {
        id: run.id.to_string(),
        number: run.number,
        name: run.test_name.clone(),
        scenario: run.scenario.clone(),
        script: run.script.clone(),
        target: run.environment.clone(),
        started_by: words::started_by(run),
        state: words::state(run.status),
        live,
        badge: words::badge(verdict),
        reasons: verdict
            .map(|verdict| verdict.reasons.clone())
            .unwrap_or_default(),
        started: words::clock(run.started_at.unwrap_or(run.queued_at)),
        duration: words::duration(run).unwrap_or_default(),
        part: picture.is_part().then(|| Part {
            window: picture.window.clone(),
            from: run_time(picture.window.start),
            to: run_time(picture.window.end),
            of: run_time(picture.seconds),
        }),
        tiles: if live {
            tiles::live(picture.fine.points.last(), &picture.load, spend)
        } else {
            tiles::of_load(&picture.load, picture.load_length(results), spend)
        },
        chart: chart::draw(&picture.fine, &picture.window, &picture.frame(results)),
        rows: time_table::rows(&picture.coarse.points),
        requests: Requests::default(),
        selected: None,
        slowest: SlowestTable::default(),
        faults: fault_table::rows(picture),
        endpoints: endpoints::rows(picture, results),
        errors: endpoints::errors(picture),
        evidence: Evidence::default(),
        limits: results.map(figures::limits).unwrap_or_default(),
        thresholds: results.map(figures::thresholds).unwrap_or_default(),
        checks: results.map(figures::checks).unwrap_or_default(),
        metrics: results.map(figures::metrics).unwrap_or_default(),
        coverage: results.map(figures::coverage),
        money: None,
        forecast: ForecastTable::default(),
        links: Vec::new(),
        has_baseline: false,
        neighbours: Neighbours::default(),
        log: String::new(),
        log_lines: numbers::whole(0),
        last_event: 0,
        forbidden: None,
    }
}
