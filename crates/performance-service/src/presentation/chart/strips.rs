//! What each strip draws.

use std::fmt::Write as _;

use super::time_axis::TimeAxis;
use crate::timeline::{TimelinePoint, count};

/// A strip before it has a place.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) title: &'static str,
    pub(super) height: f64,
    /// The least that the axis shows, so that noise around zero does not fill it.
    pub(super) least: f64,
    pub(super) lines: &'static [LinePlan],
    /// Whether bounds on durations belong into it.
    pub(super) is_of_durations: bool,
    /// Whether it is left out where nothing was measured.
    optional: bool,
}

/// A line of a strip.
#[derive(Clone, Copy)]
pub(super) struct LinePlan {
    pub(super) class: &'static str,
    pub(super) label: &'static str,
    value: fn(&TimelinePoint) -> Option<f64>,
    /// Whether values are of a whole step and drawn as of a minute.
    per_minute: bool,
}

const fn line(
    class: &'static str,
    label: &'static str,
    value: fn(&TimelinePoint) -> Option<f64>,
) -> LinePlan {
    LinePlan {
        class,
        label,
        value,
        per_minute: false,
    }
}

const fn per_minute(plan: LinePlan) -> LinePlan {
    LinePlan {
        per_minute: true,
        ..plan
    }
}

const fn strip(title: &'static str, height: f64, lines: &'static [LinePlan]) -> Plan {
    Plan {
        title,
        height,
        least: 1.0,
        lines,
        is_of_durations: false,
        optional: false,
    }
}

const fn optional(plan: Plan, least: f64) -> Plan {
    Plan {
        optional: true,
        least,
        ..plan
    }
}

/// From top to bottom. None is lower than what an eye can read.
pub(super) const PLANS: [Plan; 7] = [
    Plan {
        is_of_durations: true,
        ..strip(
            "Request duration, ms",
            170.0,
            &[
                line("p99", "p99", |point| point.p99),
                line("p95", "p95", |point| point.p95),
                line("p50", "p50", |point| point.p50),
            ],
        )
    },
    strip(
        "Requests per second",
        64.0,
        &[line("rate", "requests/s", |point| {
            Some(point.requests_per_second)
        })],
    ),
    strip(
        "Failed requests, %",
        52.0,
        &[line("errors", "failed", |point| {
            point.error_rate.map(|rate| rate * 100.0)
        })],
    ),
    optional(
        strip(
            "First token, ms",
            64.0,
            &[
                line("p95", "p95", |point| point.ttft_p95),
                line("p50", "p50", |point| point.ttft_p50),
            ],
        ),
        1.0,
    ),
    optional(
        strip(
            "Tokens per second",
            64.0,
            &[
                line("p95", "in", |point| point.input_tokens_per_second),
                line("p50", "out", |point| point.output_tokens_per_second),
            ],
        ),
        1.0,
    ),
    optional(
        strip(
            "Dollars per minute",
            52.0,
            &[
                per_minute(line("p95", "simulated", |point| {
                    point.simulated_pico_usd.map(usd)
                })),
                per_minute(line("p50", "real", |point| point.real_pico_usd.map(usd))),
            ],
        ),
        1e-6,
    ),
    strip(
        "Virtual users",
        52.0,
        &[line("users", "users", |point| point.virtual_users)],
    ),
];

impl Plan {
    pub(super) fn is_drawn(&self, points: &[TimelinePoint]) -> bool {
        !self.optional || self.lines.iter().any(|line| line.is_drawn(points))
    }
}

impl LinePlan {
    /// The value at a point.
    pub(super) fn of(&self, point: &TimelinePoint, axis: &TimeAxis) -> Option<f64> {
        let value = (self.value)(point)?;
        Some(if self.per_minute {
            value * 60.0 / axis.step
        } else {
            value
        })
    }

    pub(super) fn is_drawn(&self, points: &[TimelinePoint]) -> bool {
        points.iter().any(|point| (self.value)(point).is_some())
    }
}

/// Joins neighbouring points and leaves a gap where a step has no value.
pub(super) fn path(
    points: &[TimelinePoint],
    axis: &TimeAxis,
    line: &LinePlan,
    y: impl Fn(f64) -> f64,
) -> String {
    let mut path = String::new();
    let mut previous: Option<u32> = None;
    for point in points {
        let Some(value) = line.of(point, axis) else {
            previous = None;
            continue;
        };
        let (x, y) = (axis.middle(point), y(value));
        let joined = previous.is_some_and(|t| f64::from(point.t - t) <= axis.step);
        // A short dash makes a lone point visible.
        let _infallible = if joined {
            write!(path, "L{x:.1} {y:.1}")
        } else {
            write!(path, "M{x:.1} {y:.1}h3")
        };
        previous = Some(point.t);
    }
    path
}

fn usd(pico_usd: u64) -> f64 {
    count(pico_usd) / 1e12
}
