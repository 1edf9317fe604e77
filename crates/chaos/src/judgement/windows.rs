//! Parts of an experiment's time, and what lies in them.

use std::ops::Range;

use super::Evidence;
use crate::faults::Happened;
use crate::metrics::MetricsPage;
use crate::plan::{Expectation, Moment};
use crate::probes::OPERATORS;
use crate::samples::{Figures, Sample};

/// Connections are opened and caches filled in the first second.
const SETTLES: f64 = 1.0;

/// What is asked just before a fault may be answered in it, and what is asked just before its end
/// after it.
const GUARD: f64 = 1.0;

/// Whether the probe of a sample stands for a user.
pub(crate) fn users(sample: &Sample) -> bool {
    !OPERATORS.contains(&sample.probe)
}

/// Figures over the samples that were sent in the window and are meant.
pub(crate) fn figures(
    samples: &[Sample],
    window: Range<f64>,
    meant: &dyn Fn(&Sample) -> bool,
) -> Figures {
    let inside = |sample: &&Sample| window.contains(&sample.at) && meant(sample);
    Figures::of(samples.iter().filter(inside))
}

/// The time before the first fault.
pub(crate) fn before(happened: &[Happened], seconds: f64) -> Range<f64> {
    let first = happened.first().map_or(seconds, |one| one.began - GUARD);
    SETTLES..first.max(SETTLES)
}

/// When an expectation must hold.
pub(crate) fn during(expectation: &Expectation, evidence: &Evidence) -> Range<f64> {
    let window = of_moment(&expectation.during, evidence);
    let guard = expectation.during.fault().map_or(0.0, |_| GUARD);
    window.start + expectation.from..window.end - guard
}

pub(crate) fn of_moment(moment: &Moment, evidence: &Evidence) -> Range<f64> {
    let happened = &evidence.happened;
    match moment.0.as_str() {
        Moment::BEFORE => before(happened, evidence.seconds),
        Moment::AFTER => happened.last().map_or(0.0, |one| one.ended)..evidence.seconds,
        Moment::ALWAYS => SETTLES..evidence.seconds,
        name => happened
            .iter()
            .find(|one| one.name == name)
            .map_or(0.0..0.0, |one| one.began..one.ended),
    }
}

/// The time until the next fault.
pub(crate) fn until_next(one: &Happened, evidence: &Evidence) -> Range<f64> {
    let later = evidence.happened.iter().filter(|it| it.began > one.began);
    let next = later.map(|it| it.began).fold(evidence.seconds, f64::min);
    one.ended..next
}

/// Seconds from the end of a fault to the end of the last wrong answer before the next fault; 0
/// when there is none. What was asked just before the next fault and answered in it is that one's.
/// `Err` says why nobody can tell: nobody asked, or the next fault began sooner than all had to be
/// well, and it was not.
pub(super) fn recovered(
    one: &Happened,
    evidence: &Evidence,
    within: f64,
) -> Result<f64, &'static str> {
    let window = until_next(one, evidence);
    let asked = evidence.samples.iter();
    let mut asked = asked
        .filter(|sample| window.contains(&sample.at) && users(sample))
        .peekable();
    asked.peek().ok_or("nobody asked")?;
    let of_next = |sample: &Sample| {
        let next = window.end;
        next < evidence.seconds && sample.at > next - GUARD && sample.ended() > next
    };
    let wrong = asked.filter(|sample| !sample.right && !of_next(sample));
    let wrong = wrong.map(Sample::ended);
    let last = wrong.fold(one.ended, f64::max);
    if window.end < one.ended + within && last > window.end - GUARD {
        return Err("still wrong when the next fault began");
    }
    Ok(last - one.ended)
}

/// The pages of metrics that enclose a moment.
pub(super) fn pages_around<'a>(
    moment: &Moment,
    evidence: &'a Evidence,
) -> Option<(&'a MetricsPage, &'a MetricsPage)> {
    let window = of_moment(moment, evidence);
    let pages = &evidence.pages;
    let first = pages.iter().rev().find(|page| page.at <= window.start);
    let last = pages.iter().find(|page| page.at >= window.end);
    let first = first.or(pages.first())?;
    let last = last.or(pages.last())?;
    (last.at > first.at).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Losses;
    use crate::load::Ended;
    use crate::samples::Answer;

    fn fault(name: &str, began: f64, ended: f64) -> Happened {
        Happened {
            name: name.to_owned(),
            began,
            ended,
            wrong: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn sample(at: f64, right: bool) -> Sample {
        Sample {
            probe: "list",
            at,
            took_ms: 100.0,
            answer: Answer::Nothing,
            right,
        }
    }

    fn evidence(samples: Vec<Sample>) -> Evidence {
        Evidence {
            samples,
            ended: Ended {
                verdict: None,
                reasons: Vec::new(),
                error: None,
                requests: 0,
                history: Vec::new(),
                lasted: 0.0,
            },
            happened: vec![fault("one", 5.0, 8.0), fault("two", 15.0, 16.0)],
            pages: Vec::new(),
            losses: Losses::default(),
            seconds: 25.0,
            note: None,
        }
    }

    #[test]
    fn recovery_ends_with_the_last_wrong_answer_before_the_next_fault() {
        let seen = evidence(vec![
            sample(6.0, false),
            sample(8.5, true),
            sample(9.0, false),
            sample(9.5, true),
            // Answered after the next fault began.
            sample(14.95, false),
            sample(15.5, false),
        ]);
        let took = recovered(&seen.happened[0], &seen, 5.0).expect("asked");
        assert!((took - 1.1).abs() < 1e-9, "{took}");
        assert!(recovered(&seen.happened[1], &seen, 5.0).is_err());
    }

    #[test]
    fn who_is_still_wrong_when_the_next_fault_begins_has_not_recovered() {
        let seen = evidence(vec![sample(9.0, false), sample(14.2, false)]);
        let of_first = |within| recovered(&seen.happened[0], &seen, within);
        assert!(of_first(10.0).is_err());
        assert!(of_first(5.0).expect("long enough") > 5.0);
    }

    #[test]
    fn an_expectation_leaves_out_what_was_asked_just_before_the_end() {
        let text = "during = \"one\"\nfrom = 0.5\nprobe = \"list\"\nstatus = [503]";
        let expectation: Expectation = toml::from_str(text).expect("an expectation");
        assert_eq!(during(&expectation, &evidence(Vec::new())), 5.5..7.0);
    }

    #[test]
    fn who_asks_for_health_is_no_user() {
        let mut seen = evidence(vec![sample(9.0, true)]);
        seen.samples.push(Sample {
            probe: "ready",
            ..sample(10.0, false)
        });
        assert_eq!(recovered(&seen.happened[0], &seen, 5.0), Ok(0.0));
    }
}
