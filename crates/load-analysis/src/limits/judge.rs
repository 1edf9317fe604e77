//! Limits held against the seconds of a run.

use std::ops::Range;

use super::{Limit, LimitResult, Window, words};
use crate::aggregate::SecondBucket;
use crate::metric::MetricKind;
use crate::number::from_signed;
use crate::objective::Better;
use crate::percentile_interval::has_enough_samples;
use crate::series::{SeriesTags, SeriesValue};
use crate::span::Span;
use crate::threshold::Statistic;
use crate::verdict::Level;

/// Folds the seconds of a run into the results of its limits. Memory does not grow with the run:
/// each limit keeps the slice that it is in, and its worst one.
#[derive(Debug)]
pub struct LimitJudge {
    parts: Vec<Part>,
}

/// One limit, and how it did so far.
#[derive(Debug)]
struct Part {
    limit: Limit,
    window: Range<i64>,
    start: i64,
    slice: i64,
    /// Seconds that rates of a slice are computed over.
    rate_seconds: f64,
    open: Option<(i64, SeriesValue)>,
    worst: Option<Judged>,
    kind: Option<MetricKind>,
    next_slice: i64,
    first_empty: Option<i64>,
    /// Samples that belong to no tag set, so that they may or may not belong to the limit.
    unassigned: u64,
}

/// A judged slice, or several that are as bad.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) level: Level,
    pub(super) observed: Option<f64>,
    /// Whether that is the extreme sample instead of the statistic.
    pub(super) extreme: bool,
    pub(super) samples: u64,
    pub(super) slices: (i64, i64),
}

impl LimitJudge {
    /// Limits without any second yet.
    #[must_use]
    pub fn new(limits: Vec<Limit>, span: &Span) -> Self {
        let parts = limits.into_iter().map(|limit| Part::new(limit, span));
        Self {
            parts: parts.collect(),
        }
    }

    /// Adds a second, or a part of one. They come in the order of time, as the store gives them.
    pub fn add(&mut self, second: &SecondBucket) {
        for part in &mut self.parts {
            part.add(second);
        }
    }

    /// The results, in the order of the limits.
    #[must_use]
    pub fn results(self) -> Vec<LimitResult> {
        self.parts.into_iter().map(Part::result).collect()
    }
}

impl Part {
    fn new(limit: Limit, span: &Span) -> Self {
        let from_start = |seconds: i64| span.load.start.saturating_add(seconds);
        let mut window = match limit.window {
            Window::Run => span.load.clone(),
            Window::Steady | Window::Every(_) => span.steady.clone(),
            Window::Between(from, to) => from_start(from)..from_start(to).min(span.load.end),
        };
        let length = window.end.saturating_sub(window.start).max(1);
        let slice = match limit.window {
            Window::Every(seconds) => seconds.min(length),
            Window::Run | Window::Steady | Window::Between(..) => length,
        };
        window.end = window.start.saturating_add(length / slice * slice);
        let rate_seconds = match limit.window {
            Window::Run | Window::Steady | Window::Between(..) => span.seconds_within(&window),
            Window::Every(_) => from_signed(slice),
        };
        Self {
            start: span.load.start,
            limit,
            window,
            slice,
            rate_seconds,
            open: None,
            worst: None,
            kind: None,
            next_slice: 0,
            first_empty: None,
            unassigned: 0,
        }
    }

    fn add(&mut self, second: &SecondBucket) {
        if !self.window.contains(&second.second) {
            return;
        }
        let slice = (second.second - self.window.start) / self.slice;
        for (key, value) in &second.series {
            if key.metric.as_ref() != self.limit.metric {
                continue;
            }
            if key.tags.other && !self.limit.tags.is_empty() {
                self.unassigned += value.samples();
            } else if self.picks(&key.tags, value) {
                self.merge(slice, value);
            }
        }
    }

    fn picks(&self, tags: &SeriesTags, value: &SeriesValue) -> bool {
        let mut asked = self.limit.tags.iter();
        tags.is_load(value.kind()) && asked.all(|(name, value)| tags.get(name) == value)
    }

    fn merge(&mut self, slice: i64, value: &SeriesValue) {
        if let Some((open, merged)) = &mut self.open
            && *open == slice
        {
            merged.merge(value);
            return;
        }
        self.close();
        self.kind = Some(value.kind());
        self.open = Some((slice, value.clone()));
    }

    /// Judges the open slice.
    fn close(&mut self) {
        let Some((slice, value)) = self.open.take() else {
            return;
        };
        if slice > self.next_slice {
            self.first_empty.get_or_insert(self.next_slice);
        }
        self.next_slice = slice + 1;
        let judged = self.judge(slice, &value);
        self.keep(judged);
    }

    fn judge(&self, slice: i64, value: &SeriesValue) -> Judged {
        let limit = &self.limit;
        let samples = value.samples();
        let of = |statistic| value.statistic(statistic, self.rate_seconds);
        let few = limit
            .stat
            .percent()
            .is_some_and(|percent| !has_enough_samples(percent, samples));
        let extreme = match limit.better {
            Better::Lower => Statistic::Maximum,
            Better::Higher => Statistic::Minimum,
        };
        let observed = if few { of(extreme) } else { of(limit.stat) };
        let level = match observed {
            None => Level::Invalid,
            Some(value) if few && limit.tier(value) != Level::Pass => Level::Inconclusive,
            Some(value) => limit.tier(value),
        };
        Judged {
            level,
            observed,
            extreme: few && observed.is_some(),
            samples,
            slices: (slice, slice),
        }
    }

    /// Keeps the worst slice, and how far slices as bad as it reach.
    fn keep(&mut self, judged: Judged) {
        let harm = |judged: &Judged| {
            let harm = |value| self.limit.better.harm(value);
            judged.observed.map_or(f64::NEG_INFINITY, harm)
        };
        self.worst = Some(match self.worst.take() {
            None => judged,
            Some(worst) if worst.level != judged.level => {
                if judged.level > worst.level {
                    judged
                } else {
                    worst
                }
            }
            Some(worst) => {
                let slices = (
                    worst.slices.0.min(judged.slices.0),
                    worst.slices.1.max(judged.slices.1),
                );
                let worse = if harm(&judged) > harm(&worst) {
                    judged
                } else {
                    worst
                };
                Judged { slices, ..worse }
            }
        });
    }

    /// A counter that was not heard of in a slice counted 0 there; nothing else says anything
    /// where it was not measured.
    fn close_empty(&mut self) {
        let last = (self.window.end - self.window.start) / self.slice;
        if self.next_slice < last {
            self.first_empty.get_or_insert(self.next_slice);
        }
        if let (Some(MetricKind::Counter), Some(slice)) = (self.kind, self.first_empty) {
            let empty = SeriesValue::empty(MetricKind::Counter);
            let judged = self.judge(slice, &empty);
            self.keep(judged);
        }
    }

    fn result(mut self) -> LimitResult {
        self.close();
        self.close_empty();
        let mut judged = self.worst.take().unwrap_or(Judged {
            level: Level::Invalid,
            observed: None,
            extreme: false,
            samples: 0,
            slices: (0, 0),
        });
        if self.unassigned > 0 && judged.level < Level::Fail {
            judged.level = Level::Inconclusive;
        }
        let every = matches!(self.limit.window, Window::Every(_)) && judged.observed.is_some();
        let at = |slice: i64| self.window.start - self.start + slice * self.slice;
        let between = every.then(|| (at(judged.slices.0), at(judged.slices.1 + 1)));
        let sentence = words::sentence(&self.limit, &judged, between, self.unassigned);
        LimitResult {
            level: judged.level,
            observed: judged.observed,
            extreme: judged.extreme,
            samples: judged.samples,
            left: self.limit.left(judged.observed),
            between,
            sentence,
            limit: self.limit,
        }
    }
}
