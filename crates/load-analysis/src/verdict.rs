//! From evidence to a verdict.

use serde::{Deserialize, Serialize};

use crate::limits::LimitResult;
use crate::notation::whole;
use crate::results::Results;
use crate::validity::Validity;

/// k6's exit code for a finished run with a crossed threshold.
pub(crate) const THRESHOLDS_CROSSED: i32 = 99;

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
    /// How much of what k6 counted itself is among the samples.
    pub counted: Seen<Vec<Counted>>,
    /// Errors of outputs and of the summary that the generator logged, as it worded them.
    pub output_errors: Vec<String>,
    /// Iterations that threw, by the generator's log.
    pub exceptions: u64,
    /// The generator's time on processors, as a share of what it could have had; absent where
    /// nobody measured it.
    pub generator_cpu: Option<f64>,
    /// What an open load was asked for, beside what came of it.
    pub asked: Seen<AskedLoad>,
    /// When the target's process began.
    pub target_start: Seen<TargetStart>,
}

/// What may be known or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<T> {
    /// It is known.
    Value(T),
    /// There is nothing to know, for this reason.
    NotApplicable(String),
    /// It is not known, for this reason, a sentence.
    Unknown(String),
}

/// A metric that was counted twice: by k6 itself, and by its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// Its name.
    pub metric: String,
    /// How often k6's own summary says it happened.
    pub reported: f64,
    /// How often it is among the samples.
    pub folded: f64,
}

impl Counted {
    /// Whether nothing is missing and nothing is too much; both are whole numbers.
    pub(crate) fn agrees(&self) -> bool {
        (self.reported - self.folded).abs() < 0.5
    }
}

/// Iterations of an open load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AskedLoad {
    /// The area below the asked rates.
    pub asked: f64,
    /// Iterations that came to their end.
    pub achieved: f64,
    /// How many more or fewer the ends of the executors may make.
    pub slack: f64,
}

/// When the target's process began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetStart {
    /// Seconds after the load did; negative when it ran before, as it should.
    pub after_load_began: f64,
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

impl GeneratorEnd {
    /// Whether it came to its own end, by which everything is written.
    #[must_use]
    pub const fn is_regular(&self) -> bool {
        matches!(
            self,
            Self::Exited {
                code: 0 | THRESHOLDS_CROSSED,
                ..
            }
        )
    }
}

impl<'a> Evidence<'a> {
    /// An end and what was measured, with nothing lost and nothing known of the rest.
    #[must_use]
    pub fn new(end: GeneratorEnd, results: &'a Results) -> Self {
        let unknown = "Nobody looked.";
        Self {
            end,
            results,
            unreadable_lines: 0,
            counted: Seen::Unknown(unknown.to_owned()),
            output_errors: Vec::new(),
            exceptions: 0,
            generator_cpu: None,
            asked: Seen::Unknown(unknown.to_owned()),
            target_start: Seen::Unknown(unknown.to_owned()),
        }
    }
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
    let doubts = Validity::of(evidence).doubts();
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
