//! Which seconds of a run are which phase.

use std::ops::Range;

use super::course::AskedCourse;
use super::executor::{executors, first_iteration, model};
use super::stretches::{Stretch, bound, cut_warm_up, highest, stretches, words};
use super::{Model, PhaseKind, between};
use crate::execution::ExecutionPlan;
use crate::notation::number;
use crate::number::round_within;
use crate::span::Span;

/// A day, the longest that any run is.
const LONGEST: f64 = 86_400.0;

/// The phases of a run, as yet without figures.
#[derive(Debug, Clone, PartialEq)]
pub struct PhasePlan {
    /// Phases in the order of time. Their seconds are those since the Unix epoch; together they
    /// are the load.
    pub(super) phases: Vec<Planned>,
    pub(super) span: Span,
    /// `None` where the executors are not known.
    pub(super) model: Option<Model>,
    warm_up: f64,
    pub(super) asked: Option<AskedCourse>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) kind: PhaseKind,
    pub(super) seconds: Range<i64>,
    pub(super) load: String,
    pub(super) judged: bool,
}

impl PhasePlan {
    /// Lays the phases of a plan over the time in which the load was on. So many seconds of
    /// warm-up at its begin are judged by nobody. Without a plan the whole load is one phase
    /// that nobody knows to be steady.
    #[must_use]
    pub fn new(plan: Option<&ExecutionPlan>, warm_up: f64, span: Span) -> Self {
        let executors = executors(plan);
        let length = span.load_seconds.min(LONGEST);
        // Samples tell when the first iteration began, the plan how long after the load's begin.
        let delay = first_iteration(&executors);
        let mut stretches = stretches(&executors, delay + length);
        if warm_up > 0.0 {
            cut_warm_up(&mut stretches, delay + warm_up);
        }
        bound(&mut stretches);
        let judged = highest(&stretches);
        let phases = placed(&stretches, judged, delay, &span);
        Self {
            phases,
            model: model(&executors),
            asked: AskedCourse::of(&executors),
            warm_up,
            span,
        }
    }

    /// The time of the load with its steady part, for the limits of the run.
    #[must_use]
    pub fn span(&self) -> Span {
        let judged = self.phases.iter().find(|phase| phase.judged);
        match judged {
            Some(phase) => self.span.clone().with_steady(phase.seconds.clone()),
            None => self.span.clone(),
        }
    }

    /// The model of the load, what is judged, and why.
    #[must_use]
    pub fn sentence(&self) -> String {
        let judged = self.judged_in_words();
        match self.model {
            Some(model) => format!("{} {judged}", model.sentence()),
            None => judged,
        }
    }

    fn judged_in_words(&self) -> String {
        let start = self.span.load.start;
        let shown = |seconds: &Range<i64>| between(&(seconds.start - start..seconds.end - start));
        let warm_up = if self.warm_up > 0.0 {
            format!(" {} s of warm-up were left out.", number(self.warm_up))
        } else {
            String::new()
        };
        match self.phases.iter().find(|phase| phase.judged) {
            Some(phase) => format!(
                "Limits and comparisons judge the steady phase, {} at {}.{warm_up}",
                shown(&phase.seconds),
                phase.load
            ),
            None if self.model.is_none() => {
                "Nobody knows which part of the load was steady: limits and \
                                     comparisons judge all of it."
                    .to_owned()
            }
            None => format!(
                "The load had no steady phase: limits and comparisons judge all of it, ramps \
                 included.{warm_up}"
            ),
        }
    }
}

/// Whole seconds for each stretch: one that is steady in part belongs to what is not.
fn placed(stretches: &[Stretch], judged: Option<usize>, delay: f64, span: &Span) -> Vec<Planned> {
    let load = span.load.clone();
    // The load's first sample began within its first second, `delay` into the plan.
    let begin = span.begin - delay;
    let mut phases: Vec<Planned> = Vec::new();
    let mut next = load.start;
    for (index, stretch) in stretches.iter().enumerate() {
        let end = begin + stretch.end;
        let following = stretches.get(index + 1).map(|it| it.kind);
        let to = match (stretch.kind, following) {
            (_, None) => load.end,
            // What ends in this second was begun under the steady load; without it a run of
            // seconds would lose its slowest requests.
            (PhaseKind::Steady, Some(PhaseKind::Ending)) => whole(end.ceil()),
            (PhaseKind::Steady, Some(_)) if judged != Some(index + 1) => whole(end.floor()),
            (_, Some(_)) => whole(end.ceil()),
        };
        let to = to.clamp(next, load.end);
        if to > next {
            phases.push(Planned {
                kind: stretch.kind,
                seconds: next..to,
                load: words(stretch.levels),
                judged: judged == Some(index),
            });
        }
        next = to;
    }
    if phases.is_empty() && !load.is_empty() {
        phases.push(Planned {
            kind: PhaseKind::Idle,
            seconds: load,
            load: String::new(),
            judged: false,
        });
    }
    phases
}

fn whole(seconds: f64) -> i64 {
    round_within(seconds, 1 << 53)
}
