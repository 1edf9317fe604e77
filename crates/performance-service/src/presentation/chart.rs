//! The picture of a run over time: strips under each other on one time axis, drawn by
//! the server, so that a page without scripts shows it.

use std::fmt::Write as _;

use super::numbers::{axis_label, number, px, run_time};
use crate::timeline::TimelinePoint;

/// The picture's width in its own units; the page scales it.
const WIDTH: f64 = 960.0;
/// Room for the labels of the y axis.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
/// Between two strips; holds the title of the lower one.
const GAP: f64 = 26.0;
/// Below the last strip; holds the labels of the time axis.
const FOOT: f64 = 22.0;
/// More labels than this on the time axis would touch each other.
const MAX_TIME_LABELS: u32 = 10;

/// A picture, ready to be written into the page.
pub(crate) struct Chart {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) strips: Vec<Strip>,
    pub(crate) time_ticks: Vec<Tick>,
    pub(crate) time_label_y: String,
    /// What the picture shows, in a sentence made from its data.
    pub(crate) caption: String,
}

/// One y axis with its lines.
pub(crate) struct Strip {
    pub(crate) title: &'static str,
    pub(crate) title_y: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) lines: Vec<Line>,
}

/// A label and where its middle is.
pub(crate) struct Tick {
    pub(crate) at: String,
    pub(crate) label: String,
}

/// A line of a strip; `path` is the `d` of an SVG path.
pub(crate) struct Line {
    pub(crate) class: &'static str,
    pub(crate) label: &'static str,
    pub(crate) path: String,
}

/// What a strip draws, before it has a place.
struct Plan {
    title: &'static str,
    height: f64,
    /// The least that the axis shows, so that noise around zero does not fill it.
    least: f64,
    lines: &'static [LinePlan],
}

struct LinePlan {
    class: &'static str,
    label: &'static str,
    value: fn(&TimelinePoint) -> Option<f64>,
}

const PLANS: [Plan; 4] = [
    Plan {
        title: "Request duration, ms",
        height: 190.0,
        least: 1.0,
        lines: &[
            LinePlan {
                class: "p99",
                label: "p99",
                value: |point| point.p99,
            },
            LinePlan {
                class: "p95",
                label: "p95",
                value: |point| point.p95,
            },
            LinePlan {
                class: "p50",
                label: "p50",
                value: |point| point.p50,
            },
        ],
    },
    Plan {
        title: "Requests per second",
        height: 80.0,
        least: 1.0,
        lines: &[LinePlan {
            class: "rate",
            label: "requests/s",
            value: |point| Some(point.requests_per_second),
        }],
    },
    Plan {
        title: "Failed requests, %",
        height: 56.0,
        least: 1.0,
        lines: &[LinePlan {
            class: "errors",
            label: "failed",
            value: |point| point.error_rate.map(|rate| rate * 100.0),
        }],
    },
    Plan {
        title: "Virtual users",
        height: 56.0,
        least: 1.0,
        lines: &[LinePlan {
            class: "users",
            label: "users",
            value: |point| point.virtual_users,
        }],
    },
];

/// Draws the points, which are `step` seconds each; `None` when there are none.
pub(crate) fn draw(points: &[TimelinePoint], step: u32) -> Option<Chart> {
    let last = points.last()?;
    let axis = TimeAxis {
        step: f64::from(step),
        seconds: f64::from(last.t.saturating_add(step)),
    };
    let mut top = GAP;
    let mut strips = Vec::with_capacity(PLANS.len());
    for plan in &PLANS {
        strips.push(strip(plan, top, points, &axis));
        top += plan.height + GAP;
    }
    let bottom = top - GAP;
    Some(Chart {
        width: px(WIDTH),
        height: px(bottom + FOOT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        strips,
        time_ticks: axis.ticks(),
        time_label_y: px(bottom + FOOT - 6.0),
        caption: caption(points, &axis),
    })
}

struct TimeAxis {
    step: f64,
    seconds: f64,
}

impl TimeAxis {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds
    }

    /// A point stands for the whole of its step and is drawn in the step's middle.
    fn middle(&self, point: &TimelinePoint) -> f64 {
        self.x(f64::from(point.t) + self.step / 2.0)
    }

    fn ticks(&self) -> Vec<Tick> {
        const STEPS: [u32; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600];
        let fits = |step: &u32| self.seconds / f64::from(*step) <= f64::from(MAX_TIME_LABELS);
        let step = STEPS.into_iter().find(fits).unwrap_or(7_200);
        (0..=MAX_TIME_LABELS)
            .map(|index| index * step)
            .take_while(|seconds| f64::from(*seconds) <= self.seconds)
            .map(|seconds| Tick {
                at: px(self.x(f64::from(seconds))),
                label: run_time(seconds),
            })
            .collect()
    }
}

fn strip(plan: &Plan, top: f64, points: &[TimelinePoint], axis: &TimeAxis) -> Strip {
    let bottom = top + plan.height;
    let largest = points
        .iter()
        .flat_map(|point| plan.lines.iter().filter_map(|line| (line.value)(point)))
        .fold(plan.least, f64::max);
    let limit = round_up(largest);
    let y = |value: f64| bottom - plan.height * (value / limit).clamp(0.0, 1.0);
    Strip {
        title: plan.title,
        title_y: px(top - 8.0),
        top: px(top),
        bottom: px(bottom),
        ticks: [0.0, limit / 2.0, limit]
            .map(|value| Tick {
                at: px(y(value)),
                label: axis_label(value),
            })
            .into(),
        lines: plan
            .lines
            .iter()
            .map(|line| Line {
                class: line.class,
                label: line.label,
                path: path(points, axis, line.value, y),
            })
            .collect(),
    }
}

/// Joins neighbouring points and leaves a gap where a step has no value.
fn path(
    points: &[TimelinePoint],
    axis: &TimeAxis,
    value: fn(&TimelinePoint) -> Option<f64>,
    y: impl Fn(f64) -> f64,
) -> String {
    let mut path = String::new();
    let mut previous: Option<u32> = None;
    for point in points {
        let Some(value) = value(point) else {
            previous = None;
            continue;
        };
        let (x, y) = (axis.middle(point), y(value));
        let joined = previous.is_some_and(|t| f64::from(point.t - t) <= axis.step);
        // A short dash makes a lone point visible.
        let _infallible = if joined {
            write!(path, "L{x:.1} {y:.1}")
        } else {
            write!(path, "M{x:.1} {y:.1}h.5")
        };
        previous = Some(point.t);
    }
    path
}

fn caption(points: &[TimelinePoint], axis: &TimeAxis) -> String {
    let mut caption = format!(
        "{} of load in steps of {}",
        span(axis.seconds),
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
    caption
}

fn span(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
pub(super) fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let nice = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|candidate| *candidate >= value);
    nice.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(t: u32, p99: Option<f64>) -> TimelinePoint {
        TimelinePoint {
            t,
            p99,
            ..TimelinePoint::default()
        }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, expected) in [(1.0, 1.0), (88.0, 100.0), (101.0, 200.0), (210.0, 250.0)] {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn a_second_without_a_value_is_a_gap() {
        let points = [
            point(0, Some(1.0)),
            point(1, Some(2.0)),
            point(2, None),
            point(3, Some(1.0)),
            point(9, Some(1.0)),
        ];
        let chart = draw(&points, 1).expect("points make a chart");
        let path = &chart.strips[0].lines[0].path;
        assert_eq!(path.matches('M').count(), 3, "{path}");
        assert_eq!(path.matches('L').count(), 1, "{path}");
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        assert!(draw(&[], 1).is_none());
    }
}
