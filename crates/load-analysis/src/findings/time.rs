//! Where requests spend their time.

use super::{Finding, FindingKind, Observed, total};
use crate::notation::{number, share};
use crate::resources::{ResourceSeries, Signal};

/// A part in which requests spend this share of their time is where they are slow; no other part
/// can have as much.
const LEAST_SHARE: f64 = 0.5;

/// A wait of this share is worth a word also when another part has more.
const LEAST_WAIT: f64 = 0.2;

/// Fewer requests in service than this at a time are an idle target, whose shares mean nothing.
const LEAST_BUSY: f64 = 0.05;

/// Signals whose seconds are part of those of the requests, and what they say.
const PARTS: [(Signal, FindingKind, f64); 5] = [
    (Signal::StoreBusy, FindingKind::StoreTime, LEAST_SHARE),
    (Signal::ModelBusy, FindingKind::ModelTime, LEAST_SHARE),
    (Signal::PoolBusy, FindingKind::PoolWait, LEAST_WAIT),
    (Signal::ModelQueueBusy, FindingKind::ModelQueue, LEAST_WAIT),
    (
        Signal::ModelBackoffBusy,
        FindingKind::ModelRetries,
        LEAST_WAIT,
    ),
];

pub(super) fn find(observed: &Observed<'_>) -> Vec<Finding> {
    let judged = &observed.judged;
    let busy = total(observed, Signal::RequestsBusy, judged).filter(|busy| *busy >= LEAST_BUSY);
    let Some(busy) = busy else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (signal, kind, least) in PARTS {
        for series in observed.resources.of(signal) {
            let inside = series.mean(judged).unwrap_or(0.0);
            // A call may go on when its request is answered, so that a share can exceed 1.
            let weight = (inside / busy).min(1.0);
            if weight >= least {
                findings.push(finding(observed, series, kind, (inside, busy, weight)));
            }
        }
    }
    findings
}

fn finding(
    observed: &Observed<'_>,
    series: &ResourceSeries,
    kind: FindingKind,
    (inside, busy, weight): (f64, f64, f64),
) -> Finding {
    let part = &series.of;
    let (where_to, recommendation) = match kind {
        FindingKind::StoreTime => (
            format!("in calls to {part}"),
            format!(
                "Look at {part}: its latency on the way, its slowest commands, how many calls one \
                 request makes."
            ),
        ),
        FindingKind::PoolWait => (
            format!("waiting for a connection to {part}"),
            format!("Allow more connections to {part}, or make its calls shorter."),
        ),
        FindingKind::ModelTime => (
            format!("at the model of {part}"),
            format!(
                "Ask {part} for less (shorter answers, a faster model), or answer more from the \
                 summary cache; nothing else in the target can make these requests much faster."
            ),
        ),
        FindingKind::ModelQueue => (
            format!("waiting for a place at {part}"),
            format!(
                "Allow more calls to {part} at once, if its rate limit permits, or lower the load: \
                 the queue is on this side."
            ),
        ),
        _ => (
            format!("waiting to try {part} again"),
            format!("See why calls to {part} fail: their error types and Retry-After."),
        ),
    };
    let slowest = slowest(observed, kind, part);
    Finding {
        kind,
        part: part.clone(),
        sentence: format!(
            "Requests spent {} of their time {where_to}: of {} requests in service at a time, {} \
             were there{slowest}.",
            share(weight),
            number(busy),
            number(inside)
        ),
        recommendation,
        weight,
    }
}

/// The percentile that belongs to the part, where there is one.
fn slowest(observed: &Observed<'_>, kind: FindingKind, part: &str) -> String {
    let (signal, words) = match kind {
        FindingKind::StoreTime => (Signal::StoreP95, "the p95 of its calls was"),
        FindingKind::ModelTime => (Signal::ModelFirstChunkP95, "the p95 to its first chunk was"),
        _ => return String::new(),
    };
    let mut of = observed.resources.of(signal).filter(|it| it.of == part);
    let p95 = of.next().and_then(|it| it.mean(&observed.judged));
    p95.map_or_else(String::new, |p95| {
        format!("; {words} {} ms", number(p95 * 1_000.0))
    })
}
