//! `/tests/{name}`: one measure of a test over its runs.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::{ValidPath, ValidQuery};
use service_defaults::problem::Problem;

use super::baselines::{Listed, listed};
use super::page;
use crate::app::App;
use crate::presentation::interval_bar::percent;
use crate::presentation::numbers::number;
use crate::presentation::trend_chart::{self, TrendChart};
use crate::presentation::words;
use crate::problems;
use crate::runs::trends::{TrendsQuery, trend};

#[derive(Deserialize)]
pub(super) struct NameInPath {
    name: String,
}

#[derive(Template)]
#[template(path = "test.html")]
struct TestPage {
    name: String,
    measure: String,
    /// Names, and whether one is shown.
    measures: Vec<(String, bool)>,
    chart: TrendChart,
    rows: Vec<Row>,
    baselines: Vec<Listed>,
}

struct Row {
    id: String,
    number: u64,
    at: String,
    level: &'static str,
    revision: String,
    value: String,
    /// The run before it, to compare with.
    before: Option<String>,
    /// What begins with it.
    step: Option<String>,
}

/// The page of a test.
pub(super) async fn test(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<NameInPath>,
    ValidQuery(query): ValidQuery<TrendsQuery>,
) -> Result<Response, Problem> {
    let query = TrendsQuery {
        test: Some(path.name),
        ..query
    };
    let trend = trend(&app, &caller.tenant, &query).await?;
    let baselines = app.store.baselines(&caller.tenant).await;
    let baselines = baselines.map_err(problems::from_store)?.into_iter();
    let baselines = baselines.filter(|version| version.name.test == trend.test);
    let step = |id: &str| {
        let step = trend.change_points.iter().find(|step| step.test_id == id)?;
        let builds = match (&step.revision_before, &step.revision) {
            (Some(before), Some(first)) => format!(", between {before} and {first}"),
            (None, Some(first)) => format!(", first seen with {first}"),
            (_, None) => String::new(),
        };
        Some(format!(
            "{} ({} to {}) from here on{builds}",
            percent(step.effect),
            percent(step.low),
            percent(step.high)
        ))
    };
    let before = std::iter::once(None).chain(trend.points.iter().map(Some));
    let pairs = trend.points.iter().zip(before);
    let mut rows: Vec<Row> = pairs
        .map(|(point, before)| Row {
            id: point.test_id.clone(),
            number: point.number,
            at: clock(&point.at),
            level: point.level,
            revision: point.revision.clone().unwrap_or_default(),
            value: number(point.value),
            before: before.map(|before| before.test_id.clone()),
            step: step(&point.test_id),
        })
        .collect();
    rows.reverse();
    page(&TestPage {
        baselines: baselines.map(listed).collect(),
        chart: trend_chart::draw(&trend),
        rows,
        name: trend.test,
        measures: trend
            .measures
            .into_iter()
            .map(|name| (name.clone(), name == trend.measure))
            .collect(),
        measure: trend.measure,
    })
}

/// As on every page, without the fractions of a second.
fn clock(at: &str) -> String {
    let read: Result<jiff::Timestamp, _> = at.parse();
    read.map_or_else(|_| at.to_owned(), words::clock)
}
