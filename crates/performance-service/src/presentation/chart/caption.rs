//! The picture in words.

use std::fmt::Write as _;

use super::super::numbers::{number, run_time};
use super::time_axis::TimeAxis;
use super::{FaultSpan, Phase};
use crate::timeline::TimelinePoint;

/// Faults that the sentence names; the table has all.
const MAX_NAMED: usize = 8;

/// What the picture shows, in one or two sentences.
pub(super) fn caption(
    points: &[TimelinePoint],
    axis: &TimeAxis,
    phases: &[Phase],
    faults: &[FaultSpan],
) -> String {
    let mut caption = format!(
        "{} of the run in steps of {}",
        span(axis.seconds()),
        span(axis.step)
    );
    let worst = points
        .iter()
        .filter_map(|point| Some((point.t, point.p99?)))
        .max_by(|left, right| left.1.total_cmp(&right.1));
    if let Some((t, p99)) = worst {
        let _infallible = write!(
            caption,
            "; the slowest step had a p99 of {} ms at t+{}",
            number(p99),
            run_time(t)
        );
    }
    let failing = points
        .iter()
        .filter(|point| point.error_rate.is_some_and(|rate| rate > 0.0))
        .count();
    let _infallible = match failing {
        0 => write!(caption, "; no request failed."),
        steps => write!(
            caption,
            "; requests failed in {steps} of {} steps.",
            points.len()
        ),
    };
    if !phases.is_empty() {
        let phases: Vec<String> = phases.iter().map(Phase::text).collect();
        let _infallible = write!(caption, " Phases: {}.", phases.join(", "));
    }
    if !faults.is_empty() {
        let faults: Vec<String> = faults.iter().take(MAX_NAMED).map(FaultSpan::text).collect();
        let _infallible = write!(caption, " Faults: {}.", faults.join(", "));
    }
    caption
}

fn span(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}
