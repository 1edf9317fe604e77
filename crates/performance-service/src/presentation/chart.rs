//! The picture of a run over time: strips under each other on one time axis, drawn by
//! the server, so that a page without scripts shows it.

mod bands;
mod caption;
pub(crate) mod heatmap;
mod marks;
mod silhouette;
mod strips;
mod time_axis;

use std::ops::Range;

use load_analysis::phases::AskedCourse;

use self::bands::bands;
pub(crate) use self::bands::{Band, FaultSpan};
use self::caption::caption;
pub(crate) use self::marks::{Mark, marks};
use self::silhouette::{Shown, outline};
use self::strips::{PLANS, Plan};
use self::time_axis::TimeAxis;
use super::numbers::{axis_label, number, px, run_time};
use crate::timeline::{Overview, TimelinePoint};

/// The picture's width in its own units; the page scales it.
const WIDTH: f64 = 960.0;
/// Room for the labels of the y axis.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
/// The lane of phases on top.
const LANE: f64 = 18.0;
/// Between two strips; holds the title of the lower one.
const GAP: f64 = 26.0;
/// Below the last strip; holds the labels of the time axis.
const FOOT: f64 = 22.0;
/// A phase narrower than this has no room for its name.
const LEAST_NAMED: f64 = 60.0;

/// A picture, ready to be written into the page.
pub(crate) struct Chart {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    /// The seconds of the run at both ends, and those of a step, for the script that zooms.
    pub(crate) window: Range<u32>,
    pub(crate) step: u32,
    pub(crate) phases: Vec<PhaseBar>,
    /// Where nothing was measured: begin and width.
    pub(crate) gaps: Vec<(String, String)>,
    /// Faults that somebody caused.
    pub(crate) bands: Vec<Band>,
    pub(crate) strips: Vec<Strip>,
    pub(crate) time_ticks: Vec<Tick>,
    pub(crate) time_label_y: String,
    /// What the picture shows, in a sentence made from its data.
    pub(crate) caption: String,
}

/// A part of a run.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// Its seconds.
    pub(crate) seconds: Range<u32>,
    /// Whether it is judged.
    pub(crate) is_judged: bool,
}

/// What a run is drawn with beside what it measured.
#[derive(Default)]
pub(crate) struct Frame {
    pub(crate) phases: Vec<Phase>,
    /// Bounds on the durations.
    pub(crate) marks: Vec<Mark>,
    /// What was asked for, in seconds of the run.
    pub(crate) asked: Option<AskedCourse>,
    /// What somebody broke meanwhile.
    pub(crate) faults: Vec<FaultSpan>,
}

/// The same as a bar of the lane.
pub(crate) struct PhaseBar {
    pub(crate) class: &'static str,
    pub(crate) x: String,
    pub(crate) width: String,
    /// The name, where there is room for it.
    pub(crate) name: &'static str,
    pub(crate) title: String,
}

/// One y axis with its lines.
pub(crate) struct Strip {
    pub(crate) title: &'static str,
    pub(crate) title_y: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    pub(crate) height: String,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) lines: Vec<Line>,
    /// What its lines are called, where there are several.
    pub(crate) legend: Vec<(&'static str, &'static str)>,
    pub(crate) marks: Vec<Tick>,
    /// What was asked for, as a shape behind the lines.
    pub(crate) asked: Option<String>,
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

/// Draws steps of a window; `None` when there are none.
pub(crate) fn draw(overview: &Overview, window: &Range<u32>, frame: &Frame) -> Option<Chart> {
    let points = &overview.points;
    if points.is_empty() {
        return None;
    }
    let axis = TimeAxis::new(overview.step, window);
    let mut top = LANE + GAP;
    let mut strips = Vec::with_capacity(PLANS.len());
    let asked = frame.asked.as_ref();
    for plan in PLANS.iter().filter(|plan| plan.is_drawn(points, asked)) {
        strips.push(strip(plan, top, (points, &axis), frame));
        top += plan.height + GAP;
    }
    let bottom = top - GAP;
    Some(Chart {
        width: px(WIDTH),
        height: px(bottom + FOOT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        top: px(LANE),
        bottom: px(bottom),
        window: window.clone(),
        step: overview.step,
        phases: frame
            .phases
            .iter()
            .filter_map(|phase| bar(phase, &axis))
            .collect(),
        gaps: axis.gaps(points),
        bands: bands(&frame.faults, &axis),
        strips,
        time_ticks: axis.ticks(),
        time_label_y: px(bottom + FOOT - 6.0),
        caption: caption(points, &axis, &frame.phases, &frame.faults),
    })
}

fn bar(phase: &Phase, axis: &TimeAxis) -> Option<PhaseBar> {
    let (from, to) = (
        axis.x_within(phase.seconds.start),
        axis.x_within(phase.seconds.end),
    );
    let width = to - from;
    (width > 0.0).then(|| PhaseBar {
        class: if phase.is_judged {
            "phase judged"
        } else {
            "phase"
        },
        x: px(from),
        width: px(width),
        name: if width < LEAST_NAMED { "" } else { phase.name },
        title: phase.text(),
    })
}

impl Phase {
    /// `setup 00:00 to 00:03`.
    fn text(&self) -> String {
        let (from, to) = (run_time(self.seconds.start), run_time(self.seconds.end));
        format!("{} {from} to {to}", self.name)
    }
}

fn strip(
    plan: &Plan,
    top: f64,
    (points, axis): (&[TimelinePoint], &TimeAxis),
    frame: &Frame,
) -> Strip {
    let bottom = top + plan.height;
    let marks: &[Mark] = if plan.is_of_durations {
        &frame.marks
    } else {
        &[]
    };
    let asked = frame.asked.as_ref();
    let asked = asked.zip(plan.asked.highest(asked, &axis.window()));
    let largest = points
        .iter()
        .flat_map(|point| plan.lines.iter().filter_map(|line| line.of(point, axis)))
        .fold(plan.least, f64::max);
    let on_axis = asked.filter(|_| plan.asked != Shown::Shape);
    let largest = on_axis.map_or(largest, |(_, highest)| largest.max(highest));
    let limit = round_up(largest);
    let y = |value: f64| bottom - plan.height * (value / limit).clamp(0.0, 1.0);
    let drawn = plan.lines.iter().filter(|line| line.is_drawn(points));
    let several = plan.lines.len() > 1;
    Strip {
        title: plan.title,
        title_y: px(top - 8.0),
        top: px(top),
        bottom: px(bottom),
        height: px(plan.height),
        ticks: [0.0, limit / 2.0, limit]
            .map(|value| Tick {
                at: px(y(value)),
                label: axis_label(value),
            })
            .into(),
        legend: drawn
            .clone()
            .filter(|_| several)
            .map(|line| (line.class, line.label))
            .chain(asked.map(|_| ("asked", "asked for")))
            .collect(),
        asked: asked.map(|(course, highest)| {
            let scale = if plan.asked == Shown::Shape {
                limit / highest
            } else {
                1.0
            };
            outline(course, axis, |level| y(level * scale))
        }),
        lines: drawn
            .map(|line| Line {
                class: line.class,
                label: line.label,
                path: line.path(points, axis, y),
            })
            .collect(),
        // A bound far above what was measured would flatten all of it.
        marks: marks
            .iter()
            .filter(|mark| mark.milliseconds <= limit)
            .map(|mark| Tick {
                at: px(y(mark.milliseconds)),
                label: format!("{} {} ms", mark.label, number(mark.milliseconds)),
            })
            .collect(),
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
    use crate::picture::MAX_POINTS;

    fn overview(points: Vec<TimelinePoint>) -> Overview {
        Overview { step: 1, points }
    }

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
        let points = vec![
            point(0, Some(1.0)),
            point(1, Some(2.0)),
            point(2, None),
            point(3, Some(1.0)),
            point(9, Some(1.0)),
        ];
        let chart =
            draw(&overview(points), &(0..10), &Frame::default()).expect("points make a chart");
        let path = &chart.strips[0].lines[0].path;
        assert_eq!(path.matches("h3").count(), 3, "{path}");
        assert_eq!(path.matches('l').count(), 1, "{path}");
        // Seconds 4 to 8 were not measured at all; second 2 was, without a request.
        assert_eq!(chart.gaps.len(), 1);
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        assert!(draw(&overview(Vec::new()), &(0..1), &Frame::default()).is_none());
    }

    #[test]
    fn what_no_model_measured_has_no_strip() {
        let titles = |point: TimelinePoint| -> Vec<&str> {
            let chart = draw(&overview(vec![point]), &(0..1), &Frame::default()).expect("a chart");
            chart.strips.iter().map(|strip| strip.title).collect()
        };
        assert_eq!(titles(point(0, Some(1.0))).len(), 4);
        let of_models = TimelinePoint {
            ttft_p95: Some(200.0),
            simulated_pico_usd: Some(1),
            ..point(0, Some(1.0))
        };
        let titles = titles(of_models);
        assert!(titles.contains(&"First token, ms") && titles.contains(&"Dollars per minute"));
    }

    #[test]
    fn the_lines_of_a_long_run_are_short_texts() {
        let noisy = |t: u32| TimelinePoint {
            requests_per_second: f64::from(t * 37 % 101),
            iterations_per_second: Some(f64::from(t * 41 % 101)),
            dropped_iterations: Some(u64::from(t * 43 % 101)),
            virtual_users: Some(f64::from(t * 47 % 101)),
            allocated_users: Some(f64::from(t * 53 % 101)),
            p50: Some(f64::from(t * 59 % 101)),
            p95: Some(f64::from(t * 61 % 101)),
            ttft_p50: Some(f64::from(t * 67 % 101)),
            ttft_p95: Some(f64::from(t * 71 % 101)),
            input_tokens_per_second: Some(f64::from(t * 73 % 101)),
            output_tokens_per_second: Some(f64::from(t * 79 % 101)),
            simulated_pico_usd: Some(u64::from(t * 83 % 101) * 1_000_000_000),
            ..point(t, Some(f64::from(t * 89 % 101)))
        };
        let points = (0..MAX_POINTS).map(noisy).collect();
        let chart = draw(&overview(points), &(0..MAX_POINTS), &Frame::default()).expect("a chart");
        let lines = chart.strips.iter().flat_map(|strip| &strip.lines);
        let bytes: usize = lines.map(|line| line.path.len()).sum();
        assert!((40_000..60_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn phases_outside_of_the_window_are_not_drawn() {
        let phase = |name, seconds, is_judged| Phase {
            name,
            seconds,
            is_judged,
        };
        let phases = [phase("setup", 0..3, false), phase("load", 3..20, true)];
        let points = vec![point(5, Some(1.0))];
        let frame = Frame {
            phases: phases.into(),
            ..Frame::default()
        };
        let chart = draw(&overview(points), &(5..10), &frame).expect("a chart");
        assert_eq!(chart.phases.len(), 1);
        assert_eq!(chart.phases[0].x, chart.left);
        assert_eq!(chart.phases[0].title, "load 00:03 to 00:20");
    }
}
