//! A comparison in a sentence.

use super::{Comparison, Confidence, Direction, Interval, Method, Subject};
use crate::notation::number;

/// For example: `p95 of generate-summary is slower than the reference: +37.0 ms, +18.2 % (95 %
/// interval +11.2 to +26.0, 6 v 6 runs; own noise ± 4.0 %).`
pub(super) fn sentence(subject: &Subject, comparison: &Comparison) -> String {
    let name = &comparison.name;
    let difference = difference(subject, comparison);
    let basis = basis(comparison);
    match comparison.direction {
        Direction::Better | Direction::Worse | Direction::Changed => {
            let word = word(subject, comparison);
            format!("{name} is {word} than the reference: {difference} ({basis}).")
        }
        Direction::Same => {
            format!("{name} is the same as the reference: {difference} ({basis}).")
        }
        Direction::Inconclusive => {
            let needed = needed(comparison);
            format!("{name} cannot be told from the reference: {difference} ({basis}). {needed}")
        }
    }
}

fn word(subject: &Subject, comparison: &Comparison) -> &'static str {
    match (subject.unit.is_time(), comparison.effect > 0.0) {
        (true, true) => "slower",
        (true, false) => "faster",
        (false, true) => "higher",
        (false, false) => "lower",
    }
}

fn difference(subject: &Subject, comparison: &Comparison) -> String {
    if !comparison.difference.is_finite() {
        return "nothing to compare".to_owned();
    }
    let absolute = subject.unit.write_difference(comparison.difference);
    if comparison.method == Method::FisherExact {
        let of = |side: super::Side| subject.unit.write(side.centre);
        let (from, to) = (of(comparison.reference), of(comparison.candidate));
        return format!("{absolute}, from {from} to {to}");
    }
    format!("{absolute}, {} %", percent(comparison.effect))
}

fn basis(comparison: &Comparison) -> String {
    let points = if comparison.method == Method::FisherExact {
        " points"
    } else {
        ""
    };
    let interval = comparison.interval.map(|Interval { low, high }| {
        format!(
            "95 % interval {} to {}{points}, ",
            percent(low),
            percent(high)
        )
    });
    let (reference, candidate) = (comparison.reference.runs, comparison.candidate.runs);
    let runs = format!("{reference} v {candidate} runs");
    let noise = comparison
        .noise
        .map(|noise| format!("; own noise \u{b1} {:.1} %", noise * 100.0));
    let few = match comparison.confidence {
        Confidence::Low => "; too few for a test",
        Confidence::Tested => "",
    };
    interval.unwrap_or_default() + &runs + &noise.unwrap_or_default() + few
}

fn needed(comparison: &Comparison) -> String {
    match comparison.runs_needed {
        Some(runs) => format!("{runs} runs on each side could tell."),
        None => "No affordable number of runs could tell.".to_owned(),
    }
}

/// With a sign and one decimal.
fn percent(effect: f64) -> String {
    let percent = effect * 100.0;
    if percent.abs() >= 1_000.0 {
        return format!(
            "{}{}",
            if percent < 0.0 { "\u{2212}" } else { "+" },
            number(percent.abs())
        );
    }
    format!("{percent:+.1}").replace('-', "\u{2212}")
}
