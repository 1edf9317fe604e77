//! Warm-up, ramps and steady load apart, and whether the run counts: tables.

use load_analysis::comparison::Interval;
use load_analysis::phases::{Latency, Phase, PhaseFigures, Phases};
use load_analysis::results::Results;
use load_analysis::validity::{CheckState, ValidityCheck};

use super::numbers::{number, run_time, share, whole};

/// Phases of a run with what is judged.
pub(crate) struct PhaseTable {
    pub(crate) sentence: String,
    pub(crate) rows: Vec<PhaseRow>,
}

/// A phase.
pub(crate) struct PhaseRow {
    pub(crate) name: String,
    pub(crate) judged: bool,
    pub(crate) time: String,
    pub(crate) load: String,
    pub(crate) requests: String,
    pub(crate) rate: String,
    pub(crate) failed: String,
    pub(crate) successes: LatencyCells,
    pub(crate) failures: LatencyCells,
}

/// Durations in milliseconds and of how many requests they are.
pub(crate) struct LatencyCells {
    pub(crate) n: String,
    pub(crate) p50: String,
    pub(crate) p95: String,
    pub(crate) p99: String,
}

/// Conditions that a run must meet to count.
pub(crate) struct ValidityTable {
    pub(crate) summary: String,
    /// Whether everything is known and holds, so that nobody need look.
    pub(crate) quiet: bool,
    pub(crate) rows: Vec<ValidityRow>,
}

/// A condition.
pub(crate) struct ValidityRow {
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    /// The verdict whose symbol it has.
    pub(crate) symbol: &'static str,
    pub(crate) value: String,
    pub(crate) limit: String,
    pub(crate) text: String,
}

/// The phases; `None` of a run that has none.
pub(crate) fn phases(results: &Results) -> Option<PhaseTable> {
    let phases: &Phases = results.phases.as_ref()?;
    let mut rows: Vec<PhaseRow> = phases.phases.iter().map(phase).collect();
    if rows.len() > 1 {
        rows.push(PhaseRow {
            load: String::new(),
            time: String::new(),
            ..row("whole load".to_owned(), &phases.whole)
        });
    }
    Some(PhaseTable {
        sentence: phases.sentence.clone(),
        rows,
    })
}

fn phase(phase: &Phase) -> PhaseRow {
    let time = |seconds: i64| run_time(u32::try_from(seconds).unwrap_or(0));
    PhaseRow {
        judged: phase.judged,
        time: format!("{} to {}", time(phase.from), time(phase.to)),
        load: phase.load.clone(),
        ..row(phase.kind.words().to_owned(), &phase.figures)
    }
}

fn row(name: String, figures: &PhaseFigures) -> PhaseRow {
    PhaseRow {
        name,
        judged: false,
        time: String::new(),
        load: String::new(),
        requests: whole(figures.requests),
        rate: number(figures.requests_per_second),
        failed: figures.failed.map_or_else(dash, share),
        successes: cells(figures.successes.as_ref()),
        failures: cells(figures.failures.as_ref()),
    }
}

fn cells(latency: Option<&Latency>) -> LatencyCells {
    let of = |percentile: Option<f64>| percentile.map_or_else(dash, number);
    LatencyCells {
        n: latency.map_or_else(dash, |it| whole(it.n)),
        p50: of(latency.and_then(|it| it.p50)),
        p95: between(
            of(latency.and_then(|it| it.p95)),
            latency.and_then(|it| it.p95_interval),
        ),
        p99: between(
            of(latency.and_then(|it| it.p99)),
            latency.and_then(|it| it.p99_interval),
        ),
    }
}

/// A percentile, and where it lies: `84 (79 to 91)`.
fn between(percentile: String, interval: Option<Interval>) -> String {
    match interval {
        Some(Interval { low, high }) => {
            format!("{percentile} ({} to {})", number(low), number(high))
        }
        None => percentile,
    }
}

/// What was not measured, or by too few requests.
fn dash() -> String {
    "–".to_owned()
}

/// The conditions; `None` of a run that was judged before they were kept.
pub(crate) fn validity(results: &Results) -> Option<ValidityTable> {
    let validity = results.validity.as_ref()?;
    let held = |check: &ValidityCheck| check.state == CheckState::Held;
    Some(ValidityTable {
        summary: validity.summary.clone(),
        quiet: validity.checks.iter().all(held),
        rows: validity.checks.iter().map(condition).collect(),
    })
}

fn condition(check: &ValidityCheck) -> ValidityRow {
    let parts = [check.sentence.as_str(), check.advice.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    ValidityRow {
        name: called(&check.name),
        state: check.state.as_str(),
        symbol: match check.state {
            CheckState::Held => "PASS",
            CheckState::Failed => "INVALID",
            CheckState::Unknown => "INCONCLUSIVE",
        },
        value: check.value.clone(),
        limit: check.limit.clone(),
        text: parts.join(" "),
    }
}

fn called(name: &str) -> &'static str {
    match name {
        "generatorEnd" => "k6 came to its end",
        "measurements" => "measurements",
        "readableSamples" => "samples can be read",
        "completeSamples" => "samples are complete",
        "outputs" => "samples were written",
        "droppedIterations" => "dropped iterations",
        "exceptions" => "iterations that threw",
        "generatorCpu" => "processor time of k6",
        "askedRate" => "the load asked for was put on",
        "targetRestart" => "the target ran through",
        _ => "the run was judged",
    }
}
