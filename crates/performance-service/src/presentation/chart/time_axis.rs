//! From seconds of a run to places in the picture.

use std::ops::Range;

use super::super::numbers::{px, run_time};
use super::{LEFT, RIGHT, Tick, WIDTH};
use crate::timeline::TimelinePoint;

/// More labels than this would touch each other.
const MAX_LABELS: u32 = 10;

/// Seconds between two labels; the first that gives few enough is taken.
const STEPS: [u32; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200,
];

/// The one axis of all strips.
pub(super) struct TimeAxis {
    /// Seconds of a point.
    pub(super) step: f64,
    from: u32,
    to: u32,
}

impl TimeAxis {
    /// An axis of a window, which has at least a second.
    pub(super) fn new(step: u32, window: &Range<u32>) -> Self {
        Self {
            step: f64::from(step),
            from: window.start,
            to: window.end.max(window.start.saturating_add(1)),
        }
    }

    pub(super) fn window(&self) -> Range<u32> {
        self.from..self.to
    }

    pub(super) fn seconds(&self) -> f64 {
        f64::from(self.to - self.from)
    }

    /// Where a second of the run begins; those outside are at the edge.
    pub(super) fn x_within(&self, second: u32) -> f64 {
        self.x(f64::from(second.clamp(self.from, self.to)))
    }

    /// A point stands for the whole of its step and is drawn in the step's middle.
    pub(super) fn middle(&self, point: &TimelinePoint) -> f64 {
        let end = f64::from(self.to);
        self.x((f64::from(point.t) + self.step / 2.0).min(end))
    }

    /// Where a point's step begins and ends.
    pub(super) fn ends(&self, point: &TimelinePoint) -> (f64, f64) {
        let end = (f64::from(point.t) + self.step).min(f64::from(self.to));
        (self.x(f64::from(point.t)), self.x(end))
    }

    pub(super) fn ticks(&self) -> Vec<Tick> {
        let fits = |step: &u32| (self.to - self.from) / step <= MAX_LABELS;
        let step = STEPS.into_iter().find(fits).unwrap_or(14_400);
        let first = self.from.div_ceil(step);
        (first..=self.to / step)
            .map(|index| Tick {
                at: px(self.x_within(index * step)),
                label: run_time(index * step),
            })
            .collect()
    }

    /// Where no second was measured between the first point and the last: begin and width.
    pub(super) fn gaps(&self, points: &[TimelinePoint]) -> Vec<(String, String)> {
        let ends = points.iter().map(|point| f64::from(point.t) + self.step);
        let begins = points.iter().skip(1).map(|point| f64::from(point.t));
        ends.zip(begins)
            .filter(|(end, begin)| begin > end)
            .map(|(end, begin)| (px(self.x(end)), px(self.x(begin) - self.x(end))))
            .collect()
    }

    /// Where a moment of the run is.
    pub(super) fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (seconds - f64::from(self.from)) / self.seconds()
    }
}
