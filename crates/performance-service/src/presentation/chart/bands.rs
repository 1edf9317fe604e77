//! Faults as bands over all strips.

use std::ops::Range;

use super::super::numbers::{px, run_time};
use super::time_axis::TimeAxis;

/// A fault that somebody caused, and its seconds of the run.
#[derive(Debug, Clone)]
pub(crate) struct FaultSpan {
    /// Counts the run's faults from 1: the band's label.
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) detail: String,
    pub(crate) seconds: Range<u32>,
}

/// The same as a rectangle from the top of the strips to their bottom.
pub(crate) struct Band {
    pub(crate) x: String,
    pub(crate) width: String,
    pub(crate) number: usize,
    pub(crate) title: String,
}

impl FaultSpan {
    /// `1 Redis killed 00:10 to 00:15`.
    pub(super) fn text(&self) -> String {
        let (from, to) = (run_time(self.seconds.start), run_time(self.seconds.end));
        format!("{} {} {from} to {to}", self.number, self.name)
    }
}

/// Those that reach into the window.
pub(super) fn bands(faults: &[FaultSpan], axis: &TimeAxis) -> Vec<Band> {
    let band = |fault: &FaultSpan| {
        let from = axis.x_within(fault.seconds.start);
        let width = axis.x_within(fault.seconds.end) - from;
        (width > 0.0).then(|| Band {
            x: px(from),
            width: px(width),
            number: fault.number,
            title: fault.text(),
        })
    };
    faults.iter().filter_map(band).collect()
}
