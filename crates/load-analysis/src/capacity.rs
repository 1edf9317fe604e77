//! The search for the highest rate that a service carries within all its limits.
//!
//! A pure state machine: it says which rate to try, is told how the run at that rate was judged,
//! and follows from its trials alone, so that a search goes on after a restart. Rates double
//! until one breaks a limit; between the highest that held and the lowest that broke it bisects;
//! the highest that held must hold again before it counts. Near its capacity a service breaks by
//! chance, so that one broken run does not bound the search, and one that held proves nothing.

mod plan;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::plan::{InvalidPlan, MAX_RATE, MOST_TRIALS, Plan};
use crate::verdict::Level;

/// How often a rate must break before it is beyond the capacity.
const BREAKS: u32 = 2;

/// How often a rate may be tried without an answer (INCONCLUSIVE, INVALID: the load generator
/// could not make it) before it counts as not carried.
const UNANSWERED: u32 = 3;

/// One run of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// The run's id.
    pub run: String,
    /// Requests per second that were asked for.
    pub rate: f64,
    /// How the run was judged. PASS and WARNING carry the rate, FAIL and CRITICAL do not.
    pub level: Level,
    /// Why.
    pub reasons: Vec<String>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Run the test at this rate, in requests per second, and record how it was judged.
    Try {
        /// The rate.
        rate: f64,
        /// What the run is for.
        purpose: Purpose,
    },
    /// The search is over.
    Done(Capacity),
}

/// What a run of a search is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A rate that was not tried yet.
    Probe,
    /// A rate whose one answer does not suffice.
    Repeat,
    /// The highest rate that held must hold again.
    Confirm,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// The highest confirmed rate in requests per second; absent when none held often enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// The lowest rate that was not carried; absent when all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond: Option<f64>,
    /// Why the search ended.
    pub end: End,
    /// All of it in a sentence, with what broke first.
    pub sentence: String,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The capacity is known to the precision of the plan.
    Found,
    /// The highest rate of the plan is carried; the capacity may be higher.
    AtHighest,
    /// Not even the lowest rate of the plan is carried.
    BelowLowest,
    /// The plan has no more runs.
    OutOfTrials,
    /// There is no more time.
    OutOfTime,
    /// There is no more money.
    OutOfMoney,
    /// Somebody stopped it.
    Stopped,
}

/// A search and its trials so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CapacitySearch {
    plan: Plan,
    trials: Vec<Trial>,
}

/// How often a rate was tried.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    rate: f64,
    held: u32,
    broke: u32,
    unanswered: u32,
}

impl CapacitySearch {
    /// A search that begins.
    #[must_use]
    pub const fn new(plan: Plan) -> Self {
        Self {
            plan,
            trials: Vec::new(),
        }
    }

    /// The trials so far, oldest first: the evidence.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Takes the outcome of the run that [`Self::next_step`] asked for. False, and nothing
    /// changes, when the search is over or asked for another rate.
    pub fn record(&mut self, trial: Trial) -> bool {
        let asked = match self.next_step() {
            Step::Try { rate, .. } => rate.to_bits() == trial.rate.to_bits(),
            Step::Done(_) => false,
        };
        if asked {
            self.trials.push(trial);
        }
        asked
    }

    /// What is known when the search goes no further for a reason that is not its own.
    #[must_use]
    pub fn ended(&self, end: End) -> Capacity {
        let tallies = self.tallies();
        let beyond = tallies.into_iter().find(Tally::is_beyond);
        self.capacity(end, beyond)
    }

    /// What to do next. The same trials always give the same answer.
    #[must_use]
    pub fn next_step(&self) -> Step {
        let tallies = self.tallies();
        let beyond = tallies.iter().find(|tally| tally.is_beyond()).copied();
        let below = |tally: &&Tally| beyond.is_none_or(|beyond| tally.rate < beyond.rate);
        let carried = tallies
            .iter()
            .filter(below)
            .rfind(|tally| tally.held > 0)
            .copied();
        if self.trials.len() >= self.plan.most_trials {
            return self.done(End::OutOfTrials, beyond);
        }
        // An answer that does not suffice yet is asked for again before anything else.
        let open = tallies.iter().filter(below).find(|tally| tally.is_open());
        if let Some(open) = open {
            return attempt(open.rate, Purpose::Repeat);
        }
        let Some(carried) = carried else {
            return match beyond {
                Some(beyond) if beyond.rate <= self.plan.lowest => {
                    self.done(End::BelowLowest, Some(beyond))
                }
                Some(_) | None => attempt(self.plan.lowest, Purpose::Probe),
            };
        };
        if let Some(rate) = self.between(carried.rate, beyond.map(|tally| tally.rate)) {
            return attempt(rate, Purpose::Probe);
        }
        if !self.is_confirmed(carried) {
            return attempt(carried.rate, Purpose::Confirm);
        }
        let end = if beyond.is_some() {
            End::Found
        } else {
            End::AtHighest
        };
        self.done(end, beyond)
    }

    /// A rate between one that is carried and one that is not; `None` when they are close enough.
    fn between(&self, carried: f64, beyond: Option<f64>) -> Option<f64> {
        let Some(beyond) = beyond else {
            let doubled = (carried * 2.0).min(self.plan.highest);
            return (carried < self.plan.highest).then_some(doubled);
        };
        // Rates are felt by their ratio, so that the middle is the geometric one.
        let middle = three_digits((carried * beyond).sqrt());
        let is_new = middle > carried && middle < beyond;
        (is_new && beyond / carried > 1.0 + self.plan.precision).then_some(middle)
    }

    const fn is_confirmed(&self, tally: Tally) -> bool {
        tally.held > self.plan.confirmations
    }

    /// Tried rates in ascending order.
    fn tallies(&self) -> Vec<Tally> {
        // Rates are above zero, where bits and values have the same order.
        let mut by_rate: BTreeMap<u64, Tally> = BTreeMap::new();
        for trial in &self.trials {
            let tally = by_rate.entry(trial.rate.to_bits()).or_default();
            tally.rate = trial.rate;
            match trial.level {
                Level::Pass | Level::Warning => tally.held += 1,
                Level::Fail | Level::Critical => tally.broke += 1,
                Level::Inconclusive | Level::Invalid => tally.unanswered += 1,
            }
        }
        by_rate.into_values().collect()
    }

    fn done(&self, end: End, beyond: Option<Tally>) -> Step {
        Step::Done(self.capacity(end, beyond))
    }

    fn capacity(&self, end: End, beyond: Option<Tally>) -> Capacity {
        let limit = beyond.map_or(f64::INFINITY, |tally| tally.rate);
        let tallies = self.tallies();
        let confirmed = tallies
            .iter()
            .rfind(|tally| tally.rate < limit && self.is_confirmed(**tally));
        let rate = confirmed.map(|tally| tally.rate);
        let beyond = beyond.map(|tally| tally.rate);
        Capacity {
            rate,
            beyond,
            end,
            sentence: self.sentence(rate, beyond, end),
        }
    }
}

impl Trial {
    const fn broke(&self) -> bool {
        matches!(self.level, Level::Fail | Level::Critical)
    }
}

impl Tally {
    /// Not carried. A rate that held more often than it broke still may be.
    const fn is_beyond(&self) -> bool {
        (self.broke >= BREAKS && self.broke >= self.held)
            || (self.unanswered >= UNANSWERED && self.held == 0)
    }

    /// Tried, but neither carried nor not.
    const fn is_open(&self) -> bool {
        self.held == 0 && !self.is_beyond()
    }
}

const fn attempt(rate: f64, purpose: Purpose) -> Step {
    Step::Try { rate, purpose }
}

/// Rounded to three significant digits, as people write rates.
fn three_digits(rate: f64) -> f64 {
    let scale = 10_f64.powf(2.0 - rate.log10().floor());
    (rate * scale).round() / scale
}
