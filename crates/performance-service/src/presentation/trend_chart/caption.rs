//! What the picture of a trend shows, in sentences made from its data.

use std::fmt::Write as _;

use super::{BoundBody, TrendBody, number};
use crate::presentation::words;

pub(super) fn of(trend: &TrendBody, is_drawn: impl Fn(&BoundBody) -> bool) -> String {
    let runs = words::runs(trend.points.len() as u64);
    let mut caption = format!("{} over {runs}", trend.measure);
    for step in &trend.change_points {
        let _infallible = write!(
            caption,
            "; {:+.1} % from run #{} on ({} before, {} after)",
            step.effect * 100.0,
            step.number,
            number(step.before),
            number(step.after)
        );
    }
    let is_even = trend.change_points.is_empty();
    caption.push_str(if is_even { "; no step in it." } else { "." });
    if let Some(band) = &trend.baseline {
        let (median, low, high) = (number(band.median), number(band.low), number(band.high));
        let version = band.version;
        let _infallible = write!(
            caption,
            " Baseline, version {version}: {median} [{low}, {high}]."
        );
    }
    for bound in &trend.bounds {
        let (kind, value) = (bound.kind, number(bound.value));
        let _infallible = if is_drawn(bound) {
            write!(caption, " The {kind} is {value}.")
        } else {
            write!(caption, " The {kind} of {value} lies above the picture.")
        };
    }
    match trend.not_counted.len() {
        0 => {}
        1 => caption.push_str(" One INVALID run, drawn hollow, is not counted."),
        many => {
            let _infallible = write!(
                caption,
                " {many} INVALID runs, drawn hollow, are not counted."
            );
        }
    }
    caption
}
