//! Stored runs as groups that `load-analysis` can compare, and as series over time.

mod direction;

use std::collections::BTreeMap;

use load_analysis::comparison::{Comparison, Count, Direction, Subject, compare};
use load_analysis::limits::Limit;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::objective::Priority;
use load_analysis::results::{LEAST_FOR_P99, MetricResult, Results};
use load_analysis::threshold::Statistic;
use load_analysis::unit::Unit;
use performance_store::{Run, WithResults};

/// Metrics whose 95th percentile, mean or share decides; the others inform.
const DECIDING: [&str; 4] = [
    "http_req_duration",
    "http_req_failed",
    "ai_ttft",
    "ai_cost_per_call_pico_usd",
];

/// The part of a run without warm-up and ramps.
const STEADY: &str = "steady";

/// A run whose results could be read.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) run: Run,
    pub(crate) results: Results,
}

/// The statistics of a metric that are compared.
const STATISTICS: [Statistic; 4] = [
    Statistic::Average,
    Statistic::Median,
    Statistic::Percentile(95.0),
    Statistic::Percentile(99.0),
];

/// The runs that have figures. It takes a moment for each: not for a thread that serves requests.
pub(crate) fn measured(runs: Vec<WithResults>) -> Vec<Measured> {
    let read = |stored: WithResults| {
        let results = serde_json::from_str(stored.results.as_deref()?)
            .inspect_err(|error| {
                tracing::error!(test.id = %stored.run.id, "stored results cannot be read: {error}");
            })
            .ok()?;
        Some(Measured {
            run: stored.run,
            results,
        })
    };
    runs.into_iter().filter_map(read).collect()
}

/// Everything that both groups measured, compared; for a thread of its own, as
/// [`Comparisons`](crate::comparisons::Comparisons) give one.
pub(crate) fn compare_groups(reference: &[Measured], candidate: &[Measured]) -> Vec<Comparison> {
    compare(&subjects(reference, candidate))
}

/// Whether a measure is worth a line without being asked for.
pub(crate) fn is_told(one: &&Comparison) -> bool {
    let alike = matches!(one.direction, Direction::Same | Direction::Inconclusive);
    one.level.is_some() || !alike
}

/// Which part of the runs is compared: `steady`, or `run` where one of them has no steady phase.
pub(crate) fn compared_phase(reference: &[Measured], candidate: &[Measured]) -> &'static str {
    let mut runs = reference.iter().chain(candidate);
    let has_one = |one: &Measured| {
        one.results
            .phases
            .as_ref()
            .is_some_and(|it| it.steady.is_some())
    };
    if runs.all(has_one) { STEADY } else { "run" }
}

/// The figures of a run's judged phase by measure, such as `http_req_duration p(95)`, in k6's
/// units.
pub(crate) fn figures(results: &Results) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for (name, metric) in results.judged_metrics() {
        for statistic in statistics(metric) {
            if let Some(value) = figure(metric, statistic) {
                figures.insert(measure(name, statistic), value);
            }
        }
    }
    figures
}

/// The name of a measure.
pub(crate) fn measure(metric: &str, statistic: Statistic) -> String {
    format!("{metric} {}", statistic.name())
}

fn metrics<'a>(run: &'a Measured, phase: &str) -> &'a BTreeMap<String, MetricResult> {
    match phase {
        STEADY => run.results.judged_metrics(),
        _ => &run.results.metrics,
    }
}

fn subjects(reference: &[Measured], candidate: &[Measured]) -> Vec<Subject> {
    let Some(first) = reference.first() else {
        return Vec::new();
    };
    let phase = compared_phase(reference, candidate);
    let limits = candidate.iter().flat_map(|run| &run.results.limits);
    let limits: Vec<&Limit> = limits.map(|judged| &judged.limit).collect();
    let mut subjects = Vec::new();
    for (name, metric) in metrics(first, phase) {
        if metric.kind == MetricKind::Rate {
            subjects.extend(rate(name, (reference, candidate), phase, &limits));
            continue;
        }
        for statistic in statistics(metric) {
            let of = |runs: &[Measured]| -> Option<Vec<f64>> {
                let figure = |run: &Measured| figure(metrics(run, phase).get(name)?, statistic);
                runs.iter().map(figure).collect()
            };
            // A measure that a run lacks says nothing of the group.
            if let Some(figures) = of(reference).zip(of(candidate)) {
                let called = (called(name, statistic), unit(name, metric, statistic));
                let better = direction::of_figures(name, (metric, statistic), &limits);
                let priority = priority(name, statistic);
                subjects.push(Subject::of_figures(called, better, priority, figures));
            }
        }
    }
    subjects
}

/// What went right of which the rate is turned around: what is left of it went wrong.
const RIGHT: &str = "checks";

/// k6's own rate of what went wrong.
const WRONG: &str = "http_req_failed";

/// A rate; k6's own are turned so that they count what went wrong.
fn rate(
    name: &str,
    (reference, candidate): (&[Measured], &[Measured]),
    phase: &str,
    limits: &[&Limit],
) -> Option<Subject> {
    let metric = name.split('{').next().unwrap_or(name);
    let right = metric == RIGHT;
    let of = |runs: &[Measured]| -> Option<Vec<Count>> {
        let count = |run: &Measured| {
            let metric = metrics(run, phase).get(name)?;
            let (yes, no) = (metric.count_of("passes")?, metric.count_of("fails")?);
            Some(Count {
                hits: if right { no } else { yes },
                of: yes + no,
            })
        };
        runs.iter().map(count).collect()
    };
    let counts = of(reference).zip(of(candidate))?;
    let priority = priority(name, Statistic::Rate);
    if right {
        let called = "failed checks".to_owned();
        return Some(Subject::of_failures(called, priority, counts));
    }
    let called = format!("rate of {name}");
    if metric == WRONG {
        return Some(Subject::of_failures(called, priority, counts));
    }
    let better = direction::of_rate(metric, limits);
    Some(Subject::of_shares(called, better, counts))
}

/// Which statistics of a metric are worth a comparison. The rate of an open load is a set-point,
/// but that of a closed one tells.
fn statistics(metric: &MetricResult) -> Vec<Statistic> {
    match metric.kind {
        MetricKind::Trend => STATISTICS.into(),
        MetricKind::Rate | MetricKind::Counter => vec![Statistic::Rate],
        MetricKind::Gauge => Vec::new(),
    }
}

fn figure(metric: &MetricResult, statistic: Statistic) -> Option<f64> {
    let count = metric.count_of("count").unwrap_or(0);
    let too_few = statistic == Statistic::Percentile(99.0) && count < LEAST_FOR_P99;
    let value = metric.values.get(&statistic.name()).copied();
    value.filter(|value| value.is_finite() && !too_few)
}

fn priority(metric: &str, statistic: Statistic) -> Priority {
    let deciding = match statistic {
        Statistic::Percentile(95.0) => metric != "ai_cost_per_call_pico_usd",
        Statistic::Average => metric == "ai_cost_per_call_pico_usd",
        Statistic::Rate => true,
        _ => false,
    };
    if deciding && DECIDING.contains(&metric) {
        Priority::P0
    } else {
        Priority::P2
    }
}

fn called(metric: &str, statistic: Statistic) -> String {
    let statistic = match statistic {
        Statistic::Average => "mean".to_owned(),
        Statistic::Median => "median".to_owned(),
        Statistic::Percentile(p) => format!("p{p}"),
        other => other.name(),
    };
    format!("{statistic} of {metric}")
}

/// Money is counted in pico-dollars by the names of our own suites.
pub(crate) fn unit(name: &str, metric: &MetricResult, statistic: Statistic) -> Unit {
    let money = name.ends_with("_pico_usd");
    match (statistic, metric.kind, metric.contains) {
        (Statistic::Rate, MetricKind::Rate, _) => Unit::Percent,
        (Statistic::Rate, _, _) => Unit::PerSecond,
        _ if money => Unit::MicroDollars,
        (_, _, Contains::Time) => Unit::Milliseconds,
        (_, _, Contains::Data) => Unit::Bytes,
        (_, _, Contains::Default) => Unit::Count,
    }
}
