//! What each strip draws.

use load_analysis::phases::AskedCourse;

use super::super::path::Path;
use super::silhouette::Shown;
use super::time_axis::TimeAxis;
use crate::timeline::{FailureKind, TimelinePoint, count};

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
    /// Where it shows what was asked for.
    pub(super) asked: Shown,
}

/// A line of a strip.
#[derive(Clone, Copy)]
pub(super) struct LinePlan {
    pub(super) class: &'static str,
    pub(super) label: &'static str,
    value: fn(&TimelinePoint) -> Option<f64>,
    /// Of values that are of a whole step: as of how many seconds they are drawn.
    per: Option<f64>,
    /// Whether each step is a bar from the bottom; else steps are joined.
    is_bar: bool,
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
        per: None,
        is_bar: false,
    }
}

const fn per_minute(plan: LinePlan) -> LinePlan {
    LinePlan {
        per: Some(60.0),
        ..plan
    }
}

const fn per_second(plan: LinePlan) -> LinePlan {
    LinePlan {
        per: Some(1.0),
        ..plan
    }
}

/// Failures of a kind on top of those before it. Drawn from the last kind to the first, each
/// covers what is not its own.
const fn failures(
    class: &'static str,
    kind: FailureKind,
    value: fn(&TimelinePoint) -> Option<f64>,
) -> LinePlan {
    let bar = LinePlan {
        is_bar: true,
        ..line(class, kind.words(), value)
    };
    per_second(bar)
}

/// Failed requests of the kinds up to this one; `None` where there are none of this one.
fn stacked(point: &TimelinePoint, last: FailureKind) -> Option<f64> {
    let of = |kind: FailureKind| point.failed_by_kind.get(kind.words()).copied();
    of(last)?;
    let kinds = FailureKind::ALL.into_iter().filter(|kind| *kind <= last);
    Some(count(kinds.filter_map(of).sum()))
}

const fn strip(title: &'static str, height: f64, lines: &'static [LinePlan]) -> Plan {
    Plan {
        title,
        height,
        least: 1.0,
        lines,
        is_of_durations: false,
        optional: false,
        asked: Shown::Never,
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
pub(super) const PLANS: [Plan; 8] = [
    Plan {
        is_of_durations: true,
        asked: Shown::Shape,
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
    Plan {
        asked: Shown::Arrivals,
        ..optional(
            strip(
                "Iterations per second",
                64.0,
                &[
                    line("p50", "ended", |point| point.iterations_per_second),
                    per_second(line("errors", "dropped", |point| {
                        point.dropped_iterations.map(count)
                    })),
                ],
            ),
            1.0,
        )
    },
    strip(
        "Failed requests per second",
        64.0,
        &[
            failures("no-answer", FailureKind::NoAnswer, |point| {
                stacked(point, FailureKind::NoAnswer)
            }),
            failures("cut", FailureKind::Cut, |point| {
                stacked(point, FailureKind::Cut)
            }),
            failures("refused", FailureKind::Refused, |point| {
                stacked(point, FailureKind::Refused)
            }),
            failures("timeout", FailureKind::Timeout, |point| {
                stacked(point, FailureKind::Timeout)
            }),
            failures("status", FailureKind::Status, |point| {
                stacked(point, FailureKind::Status)
            }),
            failures("too-many", FailureKind::TooMany, |point| {
                stacked(point, FailureKind::TooMany)
            }),
            failures("server", FailureKind::Server, |point| {
                stacked(point, FailureKind::Server)
            }),
        ],
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
    Plan {
        asked: Shown::Users,
        ..strip(
            "Virtual users",
            52.0,
            &[
                line("p95", "allocated", |point| point.allocated_users),
                line("p50", "in use", |point| point.virtual_users),
            ],
        )
    },
];

impl Plan {
    pub(super) fn is_drawn(&self, points: &[TimelinePoint], asked: Option<&AskedCourse>) -> bool {
        if self.asked == Shown::Arrivals {
            // Users who wait for their answers drop nothing, and nobody asks them for a rate.
            return asked.is_some_and(|asked| asked.arrivals)
                || points
                    .iter()
                    .any(|point| point.dropped_iterations.is_some());
        }
        !self.optional || self.lines.iter().any(|line| line.is_drawn(points))
    }
}

impl LinePlan {
    /// The value at a point.
    pub(super) fn of(&self, point: &TimelinePoint, axis: &TimeAxis) -> Option<f64> {
        let value = (self.value)(point)?;
        Some(
            self.per
                .map_or(value, |seconds| value * seconds / axis.step),
        )
    }

    pub(super) fn is_drawn(&self, points: &[TimelinePoint]) -> bool {
        points.iter().any(|point| (self.value)(point).is_some())
    }

    /// The `d` of its SVG path.
    pub(super) fn path(
        &self,
        points: &[TimelinePoint],
        axis: &TimeAxis,
        y: impl Fn(f64) -> f64,
    ) -> String {
        if self.is_bar {
            self.bars(points, axis, y)
        } else {
            self.joined(points, axis, y)
        }
    }

    /// A rectangle for each step.
    fn bars(&self, points: &[TimelinePoint], axis: &TimeAxis, y: impl Fn(f64) -> f64) -> String {
        let mut path = Path::default();
        let bottom = y(0.0);
        for (point, value) in points
            .iter()
            .filter_map(|it| Some((it, self.of(it, axis)?)))
        {
            let ((left, right), top) = (axis.ends(point), y(value));
            path.move_to(left, bottom);
            for (x, y) in [(left, top), (right, top), (right, bottom)] {
                path.line_to(x, y);
            }
            path.close();
        }
        path.text()
    }

    /// Joins neighbouring points and leaves a gap where a step has no value.
    fn joined(&self, points: &[TimelinePoint], axis: &TimeAxis, y: impl Fn(f64) -> f64) -> String {
        let mut path = Path::default();
        let mut previous: Option<u32> = None;
        for point in points {
            let Some(value) = self.of(point, axis) else {
                previous = None;
                continue;
            };
            let (x, y) = (axis.middle(point), y(value));
            let joined = previous.is_some_and(|t| f64::from(point.t - t) <= axis.step);
            if joined {
                path.line_to(x, y);
            } else {
                path.dot(x, y);
            }
            previous = Some(point.t);
        }
        path.text()
    }
}

fn usd(pico_usd: u64) -> f64 {
    count(pico_usd) / 1e12
}
