//! The runs that wait or go on: how far each is, what its latest second measured, and what its
//! limits say of that.

use load_analysis::forecast::Forecast;
use load_analysis::limits::{Limit, Window};
use load_analysis::spend::Spend;
use load_analysis::threshold::Statistic;
use load_analysis::verdict::Level;
use performance_store::{MAX_LISTED_RUNS, Run, RunFilter, RunStatus};
use serde::Deserialize;
use service_defaults::problem::Problem;
use tenancy::TenantId;

use crate::announcer::kind;
use crate::app::App;
use crate::conductor::blocking;
use crate::problems;
use crate::scenarios::Scenario;

/// A run that is not over.
pub(crate) struct UnderWay {
    pub(crate) run: Run,
    /// Seconds of load that it is expected to last; absent where nobody could tell.
    pub(crate) expected: Option<f64>,
    /// Its latest second, once there is one.
    pub(crate) latest: Option<LatestSecond>,
    /// What the limits of its test say of that second. It is provisional: limits judge all of the
    /// steady load.
    pub(crate) held: Vec<HeldFigure>,
    pub(crate) spend: Option<Spend>,
    /// What it waits for.
    pub(crate) waits: Option<Wait>,
}

/// What the latest second of a run measured: the part of its event that is shown here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LatestSecond {
    /// Seconds since the first sample.
    pub(crate) t: u32,
    /// Milliseconds.
    pub(crate) p95: Option<f64>,
    /// 0 to 1.
    pub(crate) error_rate: Option<f64>,
    pub(crate) requests_per_second: f64,
}

/// A figure of the latest second, held against a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeldFigure {
    pub(crate) figure: Figure,
    pub(crate) value: f64,
    /// Absent without such a limit.
    pub(crate) level: Option<Level>,
}

/// What is shown of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// 95th percentile of the requests' durations, in milliseconds.
    P95,
    /// Share of failed requests.
    Errors,
}

/// What is in front of a run that waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wait {
    /// Runs of the same tenant; those of others are none of its business.
    pub(crate) runs: u64,
    /// How long they still take, in seconds; absent where nobody can tell of one of them.
    pub(crate) seconds: Option<f64>,
}

/// A tenant's runs that are not over, the oldest first, at most [`MAX_LISTED_RUNS`].
///
/// # Errors
/// When the store does not answer.
pub(crate) async fn under_way(app: &App, tenant: &TenantId) -> Result<Vec<UnderWay>, Problem> {
    let listed = app
        .store
        .list(tenant, RunFilter::Unfinished, MAX_LISTED_RUNS);
    let mut all: Vec<UnderWay> = Vec::new();
    for run in listed.await.map_err(problems::from_store)? {
        let waits = (run.status == RunStatus::Queued).then(|| in_front(&all));
        let mut one = of_run(app, run).await?;
        one.waits = waits;
        all.push(one);
    }
    Ok(all)
}

async fn of_run(app: &App, run: Run) -> Result<UnderWay, Problem> {
    let address = run.address();
    let forecast = app.store.forecast(&address).await;
    let forecast = forecast.map_err(problems::from_store)?;
    let forecast: Option<Forecast> = forecast.and_then(|json| serde_json::from_str(&json).ok());
    let expected = forecast.and_then(|forecast| Some(forecast.seconds.range?.expected));
    let latest = app.store.latest_event(&address, kind::SECOND).await;
    let latest = latest.map_err(problems::from_store)?;
    let latest: Option<LatestSecond> =
        latest.and_then(|event| serde_json::from_str(&event.data).ok());
    Ok(UnderWay {
        held: match latest {
            Some(second) => second.held_against(&limits(app, &run).await?),
            None => Vec::new(),
        },
        spend: app.conductor.spend_so_far(&address),
        expected,
        latest,
        waits: None,
        run,
    })
}

/// The limits that the run will be judged by; none where they cannot be read now.
async fn limits(app: &App, run: &Run) -> Result<Vec<Limit>, Problem> {
    let planner = app.conductor.planner().clone();
    let (script, scenario) = (run.script.clone(), Scenario::parse(&run.scenario));
    blocking(move || {
        let limits = scenario.and_then(|scenario| planner.limits(&script, scenario).ok());
        limits.unwrap_or_default()
    })
    .await
}

fn in_front(others: &[UnderWay]) -> Wait {
    Wait {
        runs: others.len() as u64,
        seconds: others.iter().map(UnderWay::left).sum(),
    }
}

impl UnderWay {
    /// Seconds of load that are left; absent where nobody can tell.
    pub(crate) fn left(&self) -> Option<f64> {
        let done = self.latest.map_or(0.0, |latest| f64::from(latest.t) + 1.0);
        Some((self.expected? - done).max(0.0))
    }

    /// How much of the load is done, 0 to 1; absent before its first second, and where nobody can
    /// tell.
    pub(crate) fn share(&self) -> Option<f64> {
        let (expected, latest) = (self.expected?, self.latest?);
        let done = f64::from(latest.t) + 1.0;
        (expected > 0.0).then(|| (done / expected).min(1.0))
    }
}

impl LatestSecond {
    fn held_against(&self, limits: &[Limit]) -> Vec<HeldFigure> {
        let figures = [(Figure::P95, self.p95), (Figure::Errors, self.error_rate)];
        let held = |(figure, value): (Figure, Option<f64>)| {
            let value = value?;
            let limit = limits.iter().find(|limit| figure.is_of(limit));
            let level = limit.map(|limit| limit.tier(value));
            Some(HeldFigure {
                figure,
                value,
                level,
            })
        };
        figures.into_iter().filter_map(held).collect()
    }
}

impl Figure {
    /// Whether a limit is one of this figure, over all requests and the whole load.
    fn is_of(self, limit: &Limit) -> bool {
        let (metric, statistic) = match self {
            Self::P95 => ("http_req_duration", Statistic::Percentile(95.0)),
            Self::Errors => ("http_req_failed", Statistic::Rate),
        };
        let whole = matches!(limit.window, Window::Run | Window::Steady);
        whole && limit.metric == metric && limit.stat == statistic && limit.tags.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = r#"
[[limit]]
metric = "http_req_duration"
tags = { route_class = "ai" }
stat = "p(95)"
target = 1
unit = "ms"
priority = "P0"

[[limit]]
metric = "http_req_duration"
stat = "p(95)"
target = 150
warning = 200
unit = "ms"
priority = "P0"
"#;

    #[test]
    fn a_second_is_held_against_the_limits_of_all_requests() {
        let limits = Limit::parse_file(LIMITS).unwrap();
        let levels = |p95: f64| -> Vec<_> {
            let second = LatestSecond {
                p95: Some(p95),
                error_rate: Some(0.5),
                ..LatestSecond::default()
            };
            let held = second.held_against(&limits);
            held.iter().map(|held| (held.figure, held.level)).collect()
        };
        for (p95, level) in [
            (88.0, Level::Pass),
            (171.0, Level::Warning),
            (262.0, Level::Critical),
        ] {
            // There is no limit of errors.
            let expected = [(Figure::P95, Some(level)), (Figure::Errors, None)];
            assert_eq!(levels(p95), expected);
        }
    }

    #[test]
    fn the_event_of_a_second_is_read() {
        let json = r#"{"testId":"x","t":7,"requests":3,"requestsPerSecond":3.0,"p95":9.5}"#;
        let second: LatestSecond = serde_json::from_str(json).unwrap();
        assert_eq!(
            (second.t, second.p95, second.error_rate),
            (7, Some(9.5), None)
        );
    }
}
