//! What a run will take, before it starts: its plan, times what one iteration took in earlier runs
//! of the same script against the same target.
//!
//! For each earlier run the plan is computed as if every iteration were like its own; the middle of
//! these answers is what is expected, and their spread says how sure that is. Without an earlier
//! run only what the plan itself says is known.

mod actual;
mod bounds;
mod observation;

use serde::{Deserialize, Serialize};

pub use self::actual::{ForecastLine, against, not_forecast};
pub use self::bounds::{BoundForecast, bounds};
pub use self::observation::Observation;
use crate::dollars::Dollars;
use crate::execution::ExecutionPlan;
use crate::notation::{number, whole};
use crate::statistics::{median, prediction_margin, robust_spread};

/// How far from a single earlier run the next one may lie, as a share: one run has no spread of its
/// own, and half as much again is more than runs of one test usually differ.
const MARGIN_OF_ONE_RUN: f64 = 0.5;

/// From here on a load is called larger than any that was measured: queues grow faster than load.
const EXTRAPOLATED: f64 = 2.0;

/// From the least to the most, with what is expected between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range<T> {
    /// The least.
    pub low: T,
    /// The most likely.
    pub expected: T,
    /// The most.
    pub high: T,
}

/// A range and what it rests on, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate<T> {
    /// Absent where nothing is known.
    pub range: Option<Range<T>>,
    /// In words.
    pub basis: String,
}

/// What a run will take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// How many earlier runs it rests on.
    pub runs: u64,
    /// Seconds of load; setup and teardown come on top.
    pub seconds: Estimate<f64>,
    /// The most virtual users at once, those of an open model included.
    pub peak_virtual_users: u32,
    /// Iterations.
    pub iterations: Estimate<f64>,
    /// Requests, those of setup and teardown included.
    pub requests: Estimate<f64>,
    /// Requests per second on the target, on average.
    pub mean_rate: Estimate<f64>,
    /// Requests per second at the peak.
    pub peak_rate: Estimate<f64>,
    /// Tokens that models read.
    pub input_tokens: Estimate<f64>,
    /// Tokens that models write.
    pub output_tokens: Estimate<f64>,
    /// Dollars that somebody pays.
    pub real: Estimate<Dollars>,
    /// What simulated calls would cost.
    pub simulated: Estimate<Dollars>,
    /// The load generator's share of this machine's processors, 0 to 1.
    pub generator_cpu: Estimate<f64>,
    /// What else must be known, in sentences.
    pub remarks: Vec<String>,
}

/// The plan of a run as the load generator computes it.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// Its scenarios; absent where they cannot be read.
    pub execution: Option<&'a ExecutionPlan>,
    /// The longest that the load may last, with the time that iterations get to end.
    pub longest_seconds: f64,
    /// The most virtual users at once.
    pub virtual_users: u32,
}

/// Forecasts a run by its plan and what was observed in earlier ones, at best in the latest dozens.
#[must_use]
pub fn forecast(planned: Planned<'_>, history: &[Observation]) -> Forecast {
    let plan = planned.execution;
    let by = |of: fn(&Observation, &ExecutionPlan) -> f64| -> Vec<f64> {
        let each = |plan| history.iter().map(|run| of(run, plan)).collect();
        plan.map(each).unwrap_or_default()
    };
    let known = |values: Vec<f64>| estimate(&values, plan.is_some());
    let with_cpu: Vec<Observation> = history
        .iter()
        .filter(|run| run.generator_cpu.is_some())
        .copied()
        .collect();
    let cpu = plan.map(|plan| {
        let shares = with_cpu.iter().map(|run| run.cpu_of(plan));
        shares.collect::<Vec<f64>>()
    });
    Forecast {
        runs: history.len() as u64,
        seconds: seconds(planned, history),
        peak_virtual_users: planned.virtual_users,
        iterations: iterations(plan, &by(Observation::iterations_of)),
        requests: known(by(Observation::requests_of)),
        mean_rate: known(by(Observation::mean_rate_of)),
        peak_rate: known(by(Observation::peak_rate_of)),
        input_tokens: known(by(|run, plan| run.times(run.input_tokens, plan))),
        output_tokens: known(by(|run, plan| run.times(run.output_tokens, plan))),
        real: dollars(known(by(|run, plan| run.times(run.real, plan)))),
        simulated: dollars(known(by(|run, plan| run.times(run.simulated, plan)))),
        generator_cpu: known(cpu.unwrap_or_default()),
        remarks: remarks(planned, history),
    }
}

/// The time is the plan's; only iterations that are counted take as long as they did before.
fn seconds(planned: Planned<'_>, history: &[Observation]) -> Estimate<f64> {
    let longest = planned.longest_seconds;
    let Some(plan) = planned.execution else {
        let range = Range {
            low: 0.0,
            expected: longest,
            high: longest,
        };
        return planned_alone(range);
    };
    let before: Vec<f64> = history.iter().map(|run| run.iteration_seconds).collect();
    let expected = plan.seconds(median(&before)).min(longest);
    let shortest = before.iter().copied().reduce(f64::min);
    let range = Range {
        low: if history.is_empty() && plan.user_seconds() <= 0.0 && counts_alone(plan) {
            0.0
        } else {
            plan.seconds(shortest).min(expected)
        },
        expected,
        high: longest.max(expected),
    };
    planned_alone(range)
}

/// Whether nothing but the length of iterations says how long the plan takes.
fn counts_alone(plan: &ExecutionPlan) -> bool {
    use crate::execution::PlannedLoad;
    let mut loads = plan.scenarios.iter().map(|scenario| &scenario.load);
    loads.all(|load| matches!(load, PlannedLoad::Iterations { .. }))
}

fn iterations(plan: Option<&ExecutionPlan>, by_history: &[f64]) -> Estimate<f64> {
    match plan {
        // No user's pace has a say in it.
        Some(plan) if plan.user_seconds() <= 0.0 => {
            let count = plan.planned_iterations();
            planned_alone(Range {
                low: count,
                expected: count,
                high: count,
            })
        }
        _ => estimate(by_history, plan.is_some()),
    }
}

fn planned_alone<T>(range: Range<T>) -> Estimate<T> {
    Estimate {
        range: Some(range),
        basis: "the script's plan".to_owned(),
    }
}

/// The middle of the answers, and where the next one lies with 95 %: a prediction interval (see
/// [`prediction_margin`]) around it, with the spread of the answers as its σ.
fn estimate(answers: &[f64], plan_is_known: bool) -> Estimate<f64> {
    let Some(expected) = median(answers) else {
        let reason = if plan_is_known {
            "no earlier run of this script against this target tells"
        } else {
            "the scenarios of the script cannot be read"
        };
        return Estimate {
            range: None,
            basis: reason.to_owned(),
        };
    };
    let (margin, basis) = match answers.len() {
        1 => (
            expected * MARGIN_OF_ONE_RUN,
            "one earlier run, half of it either way".to_owned(),
        ),
        runs => (
            prediction_margin(robust_spread(answers), runs, 1),
            format!("{} earlier runs", whole(runs as u64)),
        ),
    };
    let range = Range {
        low: (expected - margin).max(0.0),
        expected,
        high: expected + margin,
    };
    Estimate {
        range: Some(range),
        basis,
    }
}

fn dollars(pico_usd: Estimate<f64>) -> Estimate<Dollars> {
    let range = pico_usd.range.map(|range| Range {
        low: Dollars::estimated(range.low),
        expected: Dollars::estimated(range.expected),
        high: Dollars::estimated(range.high),
    });
    Estimate {
        range,
        basis: pico_usd.basis,
    }
}

fn remarks(planned: Planned<'_>, history: &[Observation]) -> Vec<String> {
    let mut remarks = Vec::new();
    if history.is_empty() {
        remarks.push(
            "From the script's plan alone; the first run shows what an iteration takes.".to_owned(),
        );
    }
    let Some(plan) = planned.execution else {
        remarks.push("The scenarios of the script cannot be read.".to_owned());
        return remarks;
    };
    let rates: Vec<f64> = history.iter().map(|run| run.mean_rate_of(plan)).collect();
    let largest = history.iter().map(Observation::rate).reduce(f64::max);
    let factor = median(&rates)
        .zip(largest)
        .map(|(asked, seen)| asked / seen);
    if let Some(factor) = factor.filter(|factor| *factor >= EXTRAPOLATED) {
        remarks.push(format!(
            "The load is {} times the largest of the earlier runs: under more load answers may take \
             longer, and fewer of them come.",
            number(factor)
        ));
    }
    let unpriced: u64 = history.iter().map(|run| run.unpriced_calls).sum();
    if unpriced > 0 {
        remarks.push(format!(
            "{} calls of the earlier runs have no known price; the dollars leave them out.",
            whole(unpriced)
        ));
    }
    remarks
}

impl Range<f64> {
    /// How far the ends are from the middle, as a share of it.
    #[must_use]
    pub fn relative_margin(&self) -> f64 {
        if self.expected > 0.0 {
            (self.high - self.low) / 2.0 / self.expected
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_the_runs_is_the_width_of_the_range() {
        let none = estimate(&[], true);
        assert_eq!(none.range, None);
        assert!(none.basis.starts_with("no earlier run"), "{}", none.basis);
        let one = estimate(&[100.0], true).range.unwrap();
        assert_eq!((one.low, one.high), (50.0, 150.0));
        // Six runs with a σ of 1.4826 by their deviations: t(5) = 2.570582, times √(1 + 1/6).
        let six = estimate(&[98.0, 99.0, 99.0, 101.0, 101.0, 102.0], true);
        let range = six.range.unwrap();
        assert!((range.expected - 100.0).abs() < 1e-9);
        let margin = 2.570_581_835_636 * 1.482_602_218_505_602 * (7.0_f64 / 6.0).sqrt();
        assert!((range.high - 100.0 - margin).abs() < 1e-6, "{range:?}");
        assert!((range.relative_margin() - margin / 100.0).abs() < 1e-6);
        assert_eq!(six.basis, "6 earlier runs");
        // Nothing is never a negative number of tokens.
        let few = estimate(&[0.0, 0.0, 5.0], true).range;
        assert_eq!(few.map(|range| range.low), Some(0.0));
    }
}
