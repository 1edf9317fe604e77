//! Parts of an experiment's time, and what lies in them: each request in one, wherever its answer
//! came.

use std::ops::Range;

use super::Evidence;
use crate::faults::Happened;
use crate::metrics::MetricsPage;
use crate::plan::{Expectation, Moment};
use crate::probes::OPERATORS;
use crate::samples::{Figures, Sample};

/// Connections are opened and caches filled in the first second.
const SETTLES: f64 = 1.0;

/// A request may wait so long for its answer at the edge of a fault; what waits longer is judged
/// on both sides of it.
pub(super) const GUARD: f64 = 1.0;

/// Whether the probe of a sample stands for a user.
pub(crate) fn users(sample: &Sample) -> bool {
    !OPERATORS.contains(&sample.probe)
}

/// Figures over the samples that lie in the window and are meant.
pub(crate) fn figures(
    samples: &[Sample],
    window: &Window,
    meant: &dyn Fn(&Sample) -> bool,
) -> Figures {
    let inside = |sample: &&Sample| window.has(sample) && meant(sample);
    Figures::of(samples.iter().filter(inside))
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    pub(crate) time: Range<f64>,
    edges: Edges,
}

/// Whose is what was sent before an edge and answered after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edges {
    /// Nobody asks on after the end.
    Sent,
    /// A fault begins at the end: it has what was under way.
    BeforeFault,
    /// A fault begins at the begin.
    Fault,
    /// The fault began earlier.
    WithinFault,
}

impl Window {
    fn until_fault(time: Range<f64>, seconds: f64) -> Self {
        let edges = if time.end < seconds {
            Edges::BeforeFault
        } else {
            Edges::Sent
        };
        Self { time, edges }
    }

    /// A fault from its begin to its end.
    pub(crate) fn of_fault(one: &Happened) -> Self {
        Self {
            time: one.began..one.ended,
            edges: Edges::Fault,
        }
    }

    /// Whether a sample lies in it.
    pub(crate) fn has(&self, sample: &Sample) -> bool {
        let Range { start, end } = self.time;
        let sent = self.time.contains(&sample.at);
        match self.edges {
            Edges::Sent | Edges::WithinFault => sent,
            Edges::BeforeFault => sent && !(sample.at > end - GUARD && sample.ended() > end),
            Edges::Fault => sent || (sample.at < start && sample.ended() > start),
        }
    }

    /// Whether a sample may be answered as if nothing was broken: what was under way when the
    /// fault began, and what was asked shortly before its end.
    pub(crate) fn is_at_edge(&self, sample: &Sample) -> bool {
        let fault = matches!(self.edges, Edges::Fault | Edges::WithinFault);
        fault && (sample.at < self.time.start || sample.at > self.time.end - GUARD)
    }
}

/// The time before the first fault.
pub(crate) fn before(happened: &[Happened], seconds: f64) -> Window {
    let first = happened.first().map_or(seconds, |one| one.began);
    Window::until_fault(SETTLES..first.max(SETTLES), seconds)
}

/// When an expectation must hold. One that begins later than its fault leaves out what was under
/// way.
pub(crate) fn during(expectation: &Expectation, evidence: &Evidence) -> Window {
    let mut window = of_moment(&expectation.during, evidence);
    if expectation.from > 0.0 {
        window.time.start += expectation.from;
        if window.edges == Edges::Fault {
            window.edges = Edges::WithinFault;
        }
    }
    window
}

pub(crate) fn of_moment(moment: &Moment, evidence: &Evidence) -> Window {
    let happened = &evidence.happened;
    let sent = |time| Window {
        time,
        edges: Edges::Sent,
    };
    match moment.0.as_str() {
        Moment::BEFORE => before(happened, evidence.seconds),
        Moment::AFTER => sent(happened.last().map_or(0.0, |one| one.ended)..evidence.seconds),
        Moment::ALWAYS => sent(SETTLES..evidence.seconds),
        name => happened
            .iter()
            .find(|one| one.name == name)
            .map_or(sent(0.0..0.0), Window::of_fault),
    }
}

/// The time until the next fault.
pub(crate) fn until_next(one: &Happened, evidence: &Evidence) -> Window {
    let later = evidence.happened.iter().filter(|it| it.began > one.began);
    let next = later.map(|it| it.began).fold(evidence.seconds, f64::min);
    Window::until_fault(one.ended..next, evidence.seconds)
}

/// The pages of metrics that enclose a moment; of the time before the first fault the last one in
/// it, since the next one has the fault.
pub(super) fn pages_around<'a>(
    moment: &Moment,
    evidence: &'a Evidence,
) -> Option<(&'a MetricsPage, &'a MetricsPage)> {
    let window = of_moment(moment, evidence).time;
    let pages = &evidence.pages;
    let first = pages.iter().rev().find(|page| page.at <= window.start);
    let last = if moment.0 == Moment::BEFORE {
        pages.iter().rev().find(|page| page.at <= window.end)
    } else {
        pages.iter().find(|page| page.at >= window.end)
    };
    let first = first.or(pages.first())?;
    let last = last.or(pages.last())?;
    (last.at > first.at).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{evidence, sample};
    use super::*;

    fn expectation(text: &str) -> Expectation {
        let text = format!("during = \"one\"\nprobe = \"list\"\nstatus = [503]\n{text}");
        toml::from_str(&text).expect("an expectation")
    }

    /// A fault lasts from 5 to 8 s, another from 15 to 16 s.
    #[test]
    fn each_request_is_judged_in_one_part_of_the_time() {
        let seen = evidence(Vec::new());
        let parts = [
            before(&seen.happened, seen.seconds),
            Window::of_fault(&seen.happened[0]),
            until_next(&seen.happened[0], &seen),
            Window::of_fault(&seen.happened[1]),
            until_next(&seen.happened[1], &seen),
        ];
        for (at, took_ms, wanted) in [
            (4.3, 100.0, &[0][..]),
            // Under way when the fault began.
            (4.95, 100.0, &[1]),
            (4.95, 19_000.0, &[1, 3]),
            // It had waited for long before.
            (3.0, 3_000.0, &[0, 1]),
            (7.9, 500.0, &[1]),
            (8.1, 500.0, &[2]),
            (14.95, 500.0, &[3]),
            (24.9, 500.0, &[4]),
        ] {
            let mut one = sample(at, true);
            one.took_ms = took_ms;
            let has = |part: &usize| parts[*part].has(&one);
            let found: Vec<usize> = (0..parts.len()).filter(has).collect();
            assert_eq!(found, wanted, "{one:?}");
        }
    }

    #[test]
    fn what_was_under_way_is_left_out_by_who_begins_later() {
        let mut under_way = sample(4.95, true);
        under_way.took_ms = 5_000.0;
        let seen = evidence(Vec::new());
        let from_the_begin = during(&expectation(""), &seen);
        assert!(from_the_begin.has(&under_way) && from_the_begin.is_at_edge(&under_way));
        let later = during(&expectation("from = 0.5"), &seen);
        assert_eq!(later.time, 5.5..8.0);
        assert!(!later.has(&under_way));
        let (middle, end) = (sample(6.0, true), sample(7.5, true));
        assert!(later.has(&middle) && !later.is_at_edge(&middle));
        assert!(later.has(&end) && later.is_at_edge(&end));
    }

    #[test]
    fn what_a_fault_counts_is_not_counted_before_it() {
        let mut seen = evidence(Vec::new());
        let page = |at: &f64| MetricsPage::of(*at, String::new());
        seen.pages = [0.0, 4.99, 8.01, 14.99, 16.01, 25.0]
            .iter()
            .map(page)
            .collect();
        for (moment, wanted) in [
            ("before", (0.0, 4.99)),
            ("one", (4.99, 8.01)),
            ("two", (14.99, 16.01)),
            ("always", (0.0, 25.0)),
        ] {
            let moment = Moment(moment.to_owned());
            let (first, last) = pages_around(&moment, &seen).expect("two pages");
            assert_eq!((first.at, last.at), wanted, "{moment:?}");
        }
    }
}
