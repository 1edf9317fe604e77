//! Faults of a run, and what its users saw meanwhile.

use super::chart::FaultSpan;
use super::numbers::{number, run_time, whole};
use crate::picture::Picture;
use crate::timeline::count;

/// One fault.
pub(crate) struct FaultRow {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) detail: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) requests: String,
    pub(crate) failed: String,
    pub(crate) worst_p95: String,
}

/// A row for each fault that reaches into what is looked at.
pub(crate) fn rows(picture: &Picture) -> Vec<FaultRow> {
    let window = &picture.window;
    let reaches =
        |fault: &&FaultSpan| fault.seconds.start < window.end && fault.seconds.end > window.start;
    let shown = picture.faults.iter().filter(reaches);
    shown.map(|fault| row(fault, picture)).collect()
}

fn row(fault: &FaultSpan, picture: &Picture) -> FaultRow {
    let step = picture.fine.step;
    let meanwhile = |t: u32| t < fault.seconds.end && t + step > fault.seconds.start;
    let points = picture.fine.points.iter();
    let points: Vec<_> = points.filter(|point| meanwhile(point.t)).collect();
    let requests: u64 = points.iter().map(|point| point.requests).sum();
    let failed: f64 = points
        .iter()
        .map(|point| point.error_rate.unwrap_or(0.0) * count(point.requests))
        .sum();
    let worst = points.iter().filter_map(|point| point.p95);
    let worst = worst.max_by(f64::total_cmp);
    FaultRow {
        number: fault.number,
        name: fault.name.clone(),
        detail: fault.detail.clone(),
        from: run_time(fault.seconds.start),
        to: run_time(fault.seconds.end),
        requests: whole(requests),
        failed: match requests {
            0 => "–".to_owned(),
            some => format!("{} %", number(failed / count(some) * 100.0)),
        },
        worst_p95: worst.map_or_else(|| "–".to_owned(), |p95| format!("{} ms", number(p95))),
    }
}
