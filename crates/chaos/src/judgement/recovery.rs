//! How soon all is well again after a fault: right answers, as soon as before it.

use super::windows::{GUARD, until_next, users};
use super::{Evidence, Judged};
use crate::faults::Happened;
use crate::plan::{Plan, Steady};
use crate::samples::{Figures, Sample};

/// The plan's hypothesis about the steady state is held against each stretch of so many seconds:
/// long enough for some dozens of answers, so that one slow one is none of five in a hundred.
const STRETCH: f64 = 2.0;

/// The bound of the plan on the time from a fault's end to the last answer that was wrong or slow.
pub(super) fn judge(plan: &Plan, one: &Happened, evidence: &Evidence) -> Judged {
    let within = plan.recovery.within;
    let what = format!("recovery after {}", one.name);
    let wanted = format!("within {within} s");
    let took = match recovered(one, evidence, &plan.steady, within) {
        Ok(took) => took,
        Err(why) => return Judged::untold(what, wanted, why),
    };
    let actual = if took <= 0.0 {
        "at once".to_owned()
    } else {
        format!("{took:.2} s until the last wrong or slow answer")
    };
    Judged::new(what, wanted, actual, took <= within)
}

/// Seconds from the end of a fault until the hypothesis holds in every stretch until the next
/// fault; 0 when it does at once. `Err` says why nobody can tell: nobody asked, or the next fault
/// began sooner than all had to be well, and it was not.
fn recovered(
    one: &Happened,
    evidence: &Evidence,
    steady: &Steady,
    within: f64,
) -> Result<f64, &'static str> {
    let window = until_next(one, evidence);
    let asked = evidence.samples.iter();
    let mut asked: Vec<&Sample> = asked
        .filter(|sample| window.has(sample) && users(sample))
        .collect();
    asked.sort_by(|one, next| one.at.total_cmp(&next.at));
    if asked.is_empty() {
        return Err("nobody asked");
    }
    let last = last_offence(&asked, steady, window.time.end).unwrap_or(one.ended);
    if window.time.end < one.ended + within && last > window.time.end - GUARD {
        return Err("still not well when the next fault began");
    }
    Ok((last - one.ended).max(0.0))
}

/// When the last answer came that keeps a stretch from being steady.
fn last_offence(asked: &[&Sample], steady: &Steady, end: f64) -> Option<f64> {
    let mut last: Option<f64> = None;
    for (index, first) in asked.iter().enumerate() {
        // What begins later lies in the one that began before.
        let before = index.checked_sub(1).and_then(|index| asked.get(index));
        if before.is_some_and(|before| before.at > end - STRETCH) {
            break;
        }
        let rest = asked.get(index..).unwrap_or_default();
        let length = rest.partition_point(|sample| sample.at < first.at + STRETCH);
        let stretch = rest.get(..length).unwrap_or_default();
        let seen = Figures::of(stretch.iter().copied());
        let wrong = seen.right.is_some_and(|right| right < steady.share);
        let slow = seen.p95_ms.is_some_and(|p95| p95 > steady.p95_ms);
        let offends = |sample: &&&Sample| {
            (wrong && !sample.right) || (slow && sample.took_ms > steady.p95_ms)
        };
        let offences = stretch.iter().filter(offends).map(|sample| sample.ended());
        last = offences.fold(last, |last, ended| {
            Some(last.map_or(ended, |last| last.max(ended)))
        });
    }
    last
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{evidence, sample};
    use super::*;

    const STEADY: Steady = Steady {
        share: 0.99,
        p95_ms: 1_000.0,
    };

    /// Twenty right answers a second from 8 s to 15 s, each after so many milliseconds.
    fn answers(took_ms: &dyn Fn(f64) -> f64) -> Vec<Sample> {
        let all = (0..140).map(|number| {
            let at = 8.0 + f64::from(number) / 20.0;
            let mut one = sample(at, true);
            one.took_ms = took_ms(at);
            one
        });
        all.collect()
    }

    fn first(samples: Vec<Sample>, within: f64) -> Result<f64, &'static str> {
        let seen = evidence(samples);
        recovered(&seen.happened[0], &seen, &STEADY, within)
    }

    #[test]
    fn recovery_ends_with_the_last_wrong_answer_before_the_next_fault() {
        let mut samples = answers(&|_| 10.0);
        samples.extend([
            sample(6.0, false),
            sample(9.0, false),
            // Answered after the next fault began.
            sample(14.95, false),
            sample(15.5, false),
        ]);
        let took = first(samples.clone(), 5.0).expect("asked");
        assert!((took - 1.1).abs() < 1e-9, "{took}");
        let seen = evidence(samples);
        assert!(recovered(&seen.happened[1], &seen, &STEADY, 5.0).is_err());
    }

    #[test]
    fn right_answers_that_come_late_are_no_recovery() {
        assert_eq!(first(answers(&|_| 900.0), 5.0), Ok(0.0));
        // Slow until 10 s.
        let took = first(answers(&|at| if at < 10.0 { 1_500.0 } else { 10.0 }), 5.0);
        let took = took.expect("asked");
        assert!((3.0..3.5).contains(&took), "{took}");
        // Never again as fast as before.
        let took = first(answers(&|_| 1_100.0), 5.0).expect("asked");
        assert!(took > 5.0, "{took}");
        // One slow answer is none of five in a hundred.
        let hiccup = |at: f64| {
            if (at - 12.0).abs() < 0.01 {
                1_500.0
            } else {
                10.0
            }
        };
        assert_eq!(first(answers(&hiccup), 5.0), Ok(0.0));
    }

    #[test]
    fn who_is_still_wrong_when_the_next_fault_begins_has_not_recovered() {
        let samples = vec![sample(9.0, false), sample(14.2, false)];
        assert!(first(samples.clone(), 10.0).is_err());
        assert!(first(samples, 5.0).expect("long enough") > 5.0);
    }

    #[test]
    fn who_asks_for_health_is_no_user() {
        let mut samples = vec![sample(9.0, true)];
        samples.push(Sample {
            probe: "ready",
            ..sample(10.0, false)
        });
        assert_eq!(first(samples, 5.0), Ok(0.0));
    }
}
