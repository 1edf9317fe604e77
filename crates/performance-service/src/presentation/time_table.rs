//! A run over time as a table: what stands behind the picture.

use super::numbers;
use crate::timeline::TimelinePoint;

/// One step of the run.
pub(crate) struct TimeRow {
    pub(crate) time: String,
    pub(crate) requests: String,
    pub(crate) p50: String,
    pub(crate) p95: String,
    pub(crate) p99: String,
    pub(crate) failed: String,
    pub(crate) users: String,
}

/// The rows of a table.
pub(crate) fn rows(points: &[TimelinePoint]) -> Vec<TimeRow> {
    points.iter().map(time_row).collect()
}

fn time_row(point: &TimelinePoint) -> TimeRow {
    let optional = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), numbers::number);
    TimeRow {
        time: numbers::run_time(point.t),
        requests: numbers::whole(point.requests),
        p50: optional(point.p50),
        p95: optional(point.p95),
        p99: optional(point.p99),
        failed: optional(point.error_rate.map(|rate| rate * 100.0)),
        users: optional(point.virtual_users),
    }
}
