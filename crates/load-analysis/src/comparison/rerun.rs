//! The runs that would decide what a comparison leaves open: how many, how long, for how much.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Comparison;
use crate::notation;
use crate::number::{from_count, from_size, whole};
use crate::spend::{Amount, Spend};
use crate::verdict::Level;

/// What a run at hand took.
#[derive(Debug, Clone, Default)]
pub struct Took {
    /// From its start to its verdict.
    pub time: Duration,
    /// What its calls of models cost.
    pub spend: Spend,
}

/// More runs of both sides, which could decide what is inconclusive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rerun {
    /// The measures that they could decide.
    pub measures: Vec<String>,
    /// Runs that each side needs in all.
    pub runs_needed: usize,
    /// How many more runs the reference needs.
    pub reference_runs: usize,
    /// How many more runs the candidate needs.
    pub candidate_runs: usize,
    /// How long they take, one after the other, if they take as long as those at hand.
    pub seconds: f64,
    /// What they cost in dollars that somebody pays, if they cost what those at hand did.
    pub real: Amount,
    /// The same in simulated dollars.
    pub simulated: Amount,
    /// All of it in a sentence.
    pub sentence: String,
}

/// The runs that could decide the measures of the first priority which are inconclusive for want of
/// runs; `None` where there is none, or no number of runs that is worth it. Time and cost are the
/// means of the runs at hand, each side's for its own.
#[must_use]
pub fn rerun(compared: &[Comparison], reference: &[Took], candidate: &[Took]) -> Option<Rerun> {
    let open = compared
        .iter()
        .filter(|one| one.level == Some(Level::Inconclusive));
    let open: Vec<(&str, usize)> = open
        .filter_map(|one| Some((one.name.as_str(), one.runs_needed?)))
        .collect();
    let runs_needed = open.iter().map(|(_, runs)| *runs).max()?;
    let more = |has: &[Took]| runs_needed.saturating_sub(has.len());
    let (reference_runs, candidate_runs) = (more(reference), more(candidate));
    if reference_runs + candidate_runs == 0 {
        return None;
    }
    let sides = [(reference, reference_runs), (candidate, candidate_runs)];
    let (mut seconds, mut spend) = (0.0, Spend::default());
    for (runs, more) in sides {
        if runs.is_empty() {
            continue;
        }
        let times = from_size(more) / from_size(runs.len());
        let time: Duration = runs.iter().map(|took| took.time).sum();
        seconds += time.as_secs_f64() * times;
        let sum = |of: fn(&Spend) -> Amount| {
            let all = runs.iter().map(|took| of(&took.spend));
            scaled(all.fold(Amount::default(), Amount::plus), times)
        };
        spend.real = spend.real.plus(sum(|spend| spend.real));
        spend.simulated = spend.simulated.plus(sum(|spend| spend.simulated));
    }
    let mut rerun = Rerun {
        measures: open.into_iter().map(|(name, _)| name.to_owned()).collect(),
        runs_needed,
        reference_runs,
        candidate_runs,
        seconds,
        real: spend.real,
        simulated: spend.simulated,
        sentence: String::new(),
    };
    rerun.sentence = sentence(&rerun, &spend);
    Some(rerun)
}

/// So many times an amount; an estimate, rounded up.
fn scaled(amount: Amount, times: f64) -> Amount {
    let count = |count: u64| whole((from_count(count) * times).ceil());
    Amount {
        calls: amount.calls.map(count),
        unpriced_calls: count(amount.unpriced_calls),
        input_tokens: count(amount.input_tokens),
        output_tokens: count(amount.output_tokens),
        cost: amount.cost.times(times),
    }
}

/// `3 more runs of the candidate could tell p95 of checkout: about 4 min and sim $8.90, as the runs
/// at hand took.`
fn sentence(rerun: &Rerun, spend: &Spend) -> String {
    let runs = |count: usize, of: &str| match count {
        0 => None,
        1 => Some(format!("1 more run of the {of}")),
        more => Some(format!("{more} more runs of the {of}")),
    };
    let sides = [
        runs(rerun.reference_runs, "reference"),
        runs(rerun.candidate_runs, "candidate"),
    ];
    let sides: Vec<String> = sides.into_iter().flatten().collect();
    let priced = !(spend.real.cost.is_zero() && spend.simulated.cost.is_zero());
    let unpriced = match spend.unpriced_calls() {
        calls if calls == 0 || !priced => String::new(),
        calls => format!(
            ", {} without a price left out",
            notation::counted(calls, "call")
        ),
    };
    format!(
        "{} could tell {}: about {} and {}{unpriced}, as the runs at hand took.",
        sides.join(" and "),
        rerun.measures.join(", "),
        notation::time(rerun.seconds),
        spend.in_words(),
    )
}
