//! From evidence to a verdict.

use serde::{Deserialize, Serialize};

use crate::limits::LimitResult;
use crate::notation::{number, share, whole};
use crate::number::from_count;
use crate::results::Results;

/// The share of iterations that may be dropped: beyond it the load was not the one asked for.
const MOST_DROPPED: f64 = 0.001;

/// The share of the processors that a generator may use: beyond it requests wait inside of it
/// (k6's guide to large tests asks for 20 % of idle time).
const MOST_GENERATOR_CPU: f64 = 0.8;

/// k6's exit code for a finished run with a crossed threshold.
const THRESHOLDS_CROSSED: i32 = 99;

/// How a run ended, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Valid, and within every limit.
    Pass,
    /// Valid, and beyond a limit of the warning tier.
    Warning,
    /// Valid, but too little was measured to decide.
    Inconclusive,
    /// Valid, and beyond a limit.
    Fail,
    /// Valid, and beyond a limit of the first priority.
    Critical,
    /// The figures do not show what was asked.
    Invalid,
}

/// A judged run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The outcome.
    pub level: Level,
    /// 0 pass · 1 warning, inconclusive · 2 fail, critical, invalid.
    pub exit_code: u8,
    /// Sentences with their numbers, most important first.
    pub reasons: Vec<String>,
}

/// What a verdict rests on.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// How the load generator ended.
    pub end: GeneratorEnd,
    /// What it measured.
    pub results: &'a Results,
    /// Lines of the sample file that could not be read, a cut last line among them.
    pub unreadable_lines: u64,
    /// Errors of outputs and of the summary that the generator logged, as it worded them.
    pub output_errors: Vec<String>,
    /// Iterations that threw, by the generator's log.
    pub exceptions: u64,
    /// The generator's time on processors, as a share of what it could have had; absent where
    /// nobody measured it.
    pub generator_cpu: Option<f64>,
}

/// How the load generator ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneratorEnd {
    /// By itself, with an exit code and its meaning in words.
    Exited {
        /// The exit code.
        code: i32,
        /// What the code says.
        meaning: String,
    },
    /// By a signal.
    Killed {
        /// The signal's number.
        signal: i32,
    },
    /// Not seen: the process that watched it is gone.
    Unknown,
}

impl Level {
    /// All levels, from best to worst.
    pub const ALL: [Self; 6] = [
        Self::Pass,
        Self::Warning,
        Self::Inconclusive,
        Self::Fail,
        Self::Critical,
        Self::Invalid,
    ];

    /// The exit code of a gate.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Warning | Self::Inconclusive => 1,
            Self::Fail | Self::Critical | Self::Invalid => 2,
        }
    }

    /// The level as the contract spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Warning => "WARNING",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
            Self::Critical => "CRITICAL",
            Self::Invalid => "INVALID",
        }
    }
}

impl Verdict {
    /// The verdict with the limits of the run. An INVALID run stays one, whatever its limits say.
    /// Otherwise the worst of both counts; a limit without a sample makes the run INVALID only
    /// when none was crossed. Sentences on limits come before those on thresholds, worst first;
    /// limits that held are counted.
    #[must_use]
    pub fn with_limits(self, limits: &[LimitResult]) -> Self {
        if self.level == Level::Invalid || limits.is_empty() {
            return self;
        }
        let mut ordered: Vec<&LimitResult> = limits.iter().collect();
        ordered.sort_by(|a, b| (b.level, a.limit.priority).cmp(&(a.level, b.limit.priority)));
        let judged = ordered.iter().filter(|one| one.level != Level::Invalid);
        let worst = judged.map(|one| one.level).fold(self.level, Level::max);
        let unjudged = ordered.iter().any(|one| one.level == Level::Invalid);
        let level = if unjudged && worst < Level::Fail {
            Level::Invalid
        } else {
            worst
        };
        let notable = ordered.iter().filter(|one| one.level != Level::Pass);
        let mut reasons: Vec<String> = notable.map(|one| one.sentence.clone()).collect();
        match ordered
            .iter()
            .filter(|one| one.level == Level::Pass)
            .count()
        {
            0 => {}
            1 if limits.len() == 1 => reasons.push("The one limit held.".to_owned()),
            all if all == limits.len() => reasons.push(format!("All {all} limits held.")),
            some => reasons.push(format!("{some} of {} limits held.", limits.len())),
        }
        reasons.extend(self.reasons);
        Self {
            level,
            exit_code: level.exit_code(),
            reasons,
        }
    }
}

/// Judges a run. Validity comes first: figures that do not show what was asked are INVALID,
/// whatever they say. Then a crossed threshold is FAIL. A threshold without a sample decides
/// only when none was crossed: what was asked is not shown, but nothing speaks against it either.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let results = evidence.results;
    let doubts = doubts(evidence);
    if !doubts.is_empty() {
        return verdict(Level::Invalid, doubts, results);
    }
    let crossed = crossed_thresholds(evidence);
    if !crossed.is_empty() {
        return verdict(Level::Fail, crossed, results);
    }
    let thresholds = &results.thresholds.results;
    if thresholds.values().any(|one| one.observed_value.is_none()) {
        return verdict(Level::Invalid, Vec::new(), results);
    }
    let held = match thresholds.len() {
        0 => "No threshold was set.".to_owned(),
        1 => "The one threshold held.".to_owned(),
        several => format!("All {several} thresholds held."),
    };
    let measurements = whole(results.coverage.measurements);
    let sentence = format!("{held} {measurements} measurements were judged.");
    verdict(Level::Pass, vec![sentence], results)
}

/// The reasons, and after them what must be known about single thresholds.
fn verdict(level: Level, mut reasons: Vec<String>, results: &Results) -> Verdict {
    reasons.extend(remarks(results));
    Verdict {
        level,
        exit_code: level.exit_code(),
        reasons,
    }
}

/// Reasons why the figures do not show what was asked.
fn doubts(evidence: &Evidence<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    match &evidence.end {
        GeneratorEnd::Exited {
            code: 0 | THRESHOLDS_CROSSED,
            ..
        } => {}
        GeneratorEnd::Exited { code, meaning } => {
            doubts.push(format!("k6 ended with exit code {code}: {meaning}."));
        }
        GeneratorEnd::Killed { signal } => {
            doubts.push(format!(
                "k6 was ended by signal {signal} before its run was over."
            ));
        }
        GeneratorEnd::Unknown => doubts.push("Nobody saw how k6 ended.".to_owned()),
    }
    if evidence.results.coverage.measurements == 0 {
        doubts.push("The script measured nothing: no sample beyond k6's own counts.".to_owned());
    }
    if evidence.unreadable_lines > 0 {
        let lines = whole(evidence.unreadable_lines);
        doubts.push(format!(
            "{lines} lines of the sample file could not be read."
        ));
    }
    doubts.extend(iteration_doubts(evidence));
    if let Some(used) = evidence
        .generator_cpu
        .filter(|used| *used > MOST_GENERATOR_CPU)
    {
        doubts.push(format!(
            "k6 itself used {} of the processors that it may use, the limit is {}: its latencies \
             are not the target's. Lower the rate, or run it on a machine of its own.",
            share(used),
            share(MOST_GENERATOR_CPU)
        ));
    }
    if let Some(first) = evidence.output_errors.first() {
        let count = evidence.output_errors.len();
        doubts.push(format!(
            "k6 reported {count} errors of its outputs, the first: {first}."
        ));
    }
    doubts
}

/// k6 ends with 0 also when it could not start the iterations that were asked for, and when every
/// one of them threw.
fn iteration_doubts(evidence: &Evidence<'_>) -> Vec<String> {
    let count = |metric: &str| {
        let found = evidence.results.metrics.get(metric);
        let found = found.and_then(|metric| metric.values.get("count"));
        found.copied().unwrap_or(0.0)
    };
    let (done, dropped) = (count("iterations"), count("dropped_iterations"));
    let asked = done + dropped;
    let mut doubts = Vec::new();
    if dropped > asked * MOST_DROPPED {
        doubts.push(format!(
            "k6 dropped {} of {} iterations ({}): it had no free virtual user to start them. Allow \
             more users, or ask for a lower rate.",
            number(dropped),
            number(asked),
            share(dropped / asked)
        ));
    }
    let exceptions = from_count(evidence.exceptions);
    if evidence.exceptions > 0 && exceptions >= done {
        doubts.push(format!("Each of the {} iterations threw.", number(done)));
    }
    doubts
}

/// Thresholds that could not be judged, and those where k6 was overruled.
fn remarks(results: &Results) -> impl Iterator<Item = String> {
    let thresholds = results.thresholds.results.iter();
    thresholds.filter_map(|(name, result)| match result.observed_value {
        None => Some(format!(
            "The threshold `{name}` had no sample to be judged by."
        )),
        Some(_) if result.ok && result.reported_ok == Some(false) => Some(format!(
            "k6 saw the threshold `{name}` crossed, since it counts the time of setup and \
             teardown as well."
        )),
        Some(_) => None,
    })
}

fn crossed_thresholds(evidence: &Evidence<'_>) -> Vec<String> {
    let results = evidence.results;
    let thresholds = &results.thresholds.results;
    let mut reasons: Vec<String> = thresholds
        .iter()
        .filter(|(_, result)| !result.ok)
        .filter_map(|(name, result)| {
            let observed = results.observed(name)?;
            let samples = whole(result.samples);
            let also = match result.reported_ok {
                Some(true) => " k6 itself saw it hold.",
                Some(false) | None => "",
            };
            Some(format!(
                "The threshold `{name}` was crossed: {observed} over {samples} samples.{also}"
            ))
        })
        .collect();
    let exit_says_so = matches!(
        evidence.end,
        GeneratorEnd::Exited {
            code: THRESHOLDS_CROSSED,
            ..
        }
    );
    let known = thresholds
        .values()
        .any(|result| result.reported_ok == Some(false));
    if exit_says_so && !known && reasons.is_empty() {
        reasons
            .push("k6 ended with exit code 99: a threshold was crossed during the run.".to_owned());
    }
    reasons
}
