//! The figures of a test's runs as a picture: a dot for each, a line for each level, the bounds of
//! the test, and where its baseline lies.

mod axis;
mod caption;

pub(crate) use self::axis::Along;
use self::axis::RunPositions;
use super::chart::round_up;
use super::interval_bar::percent;
use super::numbers::{axis_label, number, px};
use crate::runs::trends::{BoundBody, PointBody, TrendBody};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 28.0;

/// A bound further away than so many times the largest figure is told and not drawn: the figures
/// would all lie on the ground.
const FURTHEST_BOUND: f64 = 3.0;

/// A picture, ready to be written into the page.
pub(crate) struct TrendChart {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    /// Between left and right.
    pub(crate) inside: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    /// Where labels of the y axis are, and what they say.
    pub(crate) ticks: Vec<(String, String)>,
    /// The same of the x axis.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) label_y: String,
    pub(crate) dots: Vec<Dot>,
    /// One line for each level.
    pub(crate) levels: Vec<String>,
    /// Where a level begins, and how large the step is.
    pub(crate) steps: Vec<(String, String)>,
    /// The bounds of the test that are near enough.
    pub(crate) bounds: Vec<(String, String)>,
    /// Top and height of the baseline's range.
    pub(crate) band: Option<(String, String)>,
    pub(crate) caption: String,
}

/// One run.
pub(crate) struct Dot {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) level: &'static str,
    /// Whether it counts; else it is hollow.
    pub(crate) counts: bool,
    pub(crate) id: String,
    pub(crate) label: String,
}

/// Draws a trend along runs or dates; `None` without a run.
pub(crate) fn draw(trend: &TrendBody, along: Along) -> Option<TrendChart> {
    let places = RunPositions::of(trend, along)?;
    let scale = Scale::of(trend);
    let y = |value: f64| px(scale.y(value));
    let dot = |(point, x): (&PointBody, f64)| {
        let counts = trend.counts(point);
        Dot {
            x: px(x),
            y: y(point.value),
            level: point.level,
            counts,
            id: point.test_id.clone(),
            label: label(point, counts),
        }
    };
    let half = places.half_width();
    let level = |(from, to, value): (usize, usize, f64)| {
        let place = |index: usize| places.x_of(trend.points.get(index)?);
        let (left, right) = (place(from)? - half, place(to)? + half);
        Some(format!("M{left:.1} {}H{right:.1}", y(value)))
    };
    let steps = trend.change_points.iter().filter_map(|step| {
        let first = trend.points.iter().find(|it| it.test_id == step.test_id)?;
        Some((px(places.x_of(first)? - half), percent(step.effect)))
    });
    let near = trend.bounds.iter().filter(|bound| scale.holds(bound));
    Some(TrendChart {
        width: px(WIDTH),
        height: px(HEIGHT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        inside: px(WIDTH - LEFT - RIGHT),
        top: px(TOP),
        bottom: px(HEIGHT - BOTTOM),
        ticks: [0.0, scale.most / 2.0, scale.most]
            .map(|value| (y(value), axis_label(value)))
            .into(),
        labels: places.labels(),
        label_y: px(HEIGHT - 8.0),
        dots: places.all().map(dot).collect(),
        levels: levels(trend).into_iter().filter_map(level).collect(),
        steps: steps.collect(),
        bounds: near
            .map(|bound| (y(bound.value), bound_label(bound)))
            .collect(),
        band: trend.baseline.map(|band| {
            let (top, bottom) = (scale.y(band.high), scale.y(band.low));
            // A baseline whose runs agree is still seen.
            (px(top - 1.0), px(bottom - top + 2.0))
        }),
        caption: caption::of(trend, |bound| scale.holds(bound)),
    })
}

fn label(point: &PointBody, counts: bool) -> String {
    let not_counted = if counts { "" } else { ", INVALID, not counted" };
    format!("#{}: {}{not_counted}", point.number, number(point.value))
}

fn bound_label(bound: &BoundBody) -> String {
    format!("{} {}", bound.kind, number(bound.value))
}

/// From 0 to a round number above all that is drawn.
struct Scale {
    most: f64,
}

impl Scale {
    fn of(trend: &TrendBody) -> Self {
        let counted = trend.points.iter().map(|point| point.value);
        let band = trend.baseline.iter().map(|band| band.high);
        let measured = counted.chain(band).fold(f64::MIN_POSITIVE, f64::max);
        // Without a run that counts there is nothing else to draw by.
        let others = trend.not_counted.iter().map(|point| point.value);
        let measured = if trend.points.is_empty() {
            others.fold(measured, f64::max)
        } else {
            measured
        };
        let near = trend.bounds.iter().map(|bound| bound.value);
        let near = near.filter(|value| *value <= measured * FURTHEST_BOUND);
        Self {
            most: round_up(near.fold(measured, f64::max)),
        }
    }

    fn holds(&self, bound: &BoundBody) -> bool {
        bound.value <= self.most
    }

    /// Runs that do not count may be far above; they stand at the edge.
    fn y(&self, value: f64) -> f64 {
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (value / self.most).clamp(0.0, 1.0))
    }
}

/// First and last run of each level, and where it lies.
fn levels(trend: &TrendBody) -> Vec<(usize, usize, f64)> {
    let mut levels = Vec::new();
    let mut from = 0;
    for step in &trend.change_points {
        let first = trend
            .points
            .iter()
            .position(|point| point.test_id == step.test_id);
        let Some(first) = first.filter(|first| *first > from) else {
            continue;
        };
        levels.push((from, first - 1, step.before));
        from = first;
    }
    if let Some(last) = trend.change_points.last() {
        levels.push((from, trend.points.len().saturating_sub(1), last.after));
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::trends::{BandBody, ChangePointBody};

    fn point(number: u64, level: &'static str, value: f64) -> PointBody {
        PointBody {
            test_id: format!("{number:032x}"),
            number,
            at: format!("2026-11-{:02}T02:00:00Z", number * 2),
            level,
            revision: None,
            value,
            note: None,
        }
    }

    fn trend() -> TrendBody {
        TrendBody {
            test: "steady".to_owned(),
            measure: "http_req_duration p(95)".to_owned(),
            measures: Vec::new(),
            shapes: Vec::new(),
            points: vec![
                point(1, "PASS", 200.0),
                point(2, "PASS", 200.0),
                point(9, "PASS", 100.0),
            ],
            not_counted: vec![point(4, "INVALID", 5_000.0)],
            change_points: vec![ChangePointBody {
                test_id: format!("{:032x}", 9),
                number: 9,
                revision: None,
                revision_before: None,
                before: 200.0,
                after: 100.0,
                effect: -0.5,
                low: -0.6,
                high: -0.4,
                p: 0.01,
                note: None,
            }],
            bounds: vec![
                BoundBody {
                    kind: "limit",
                    value: 250.0,
                },
                BoundBody {
                    kind: "threshold",
                    value: 9_000.0,
                },
            ],
            baseline: Some(BandBody {
                version: 3,
                median: 200.0,
                low: 190.0,
                high: 210.0,
            }),
        }
    }

    #[test]
    fn bounds_band_and_runs_that_do_not_count_are_drawn() {
        let chart = draw(&trend(), Along::Runs).unwrap();
        let hollow: Vec<_> = chart.dots.iter().map(|dot| !dot.counts).collect();
        assert_eq!(hollow, [false, false, true, false]);
        // It stands at the edge: the scale is that of the runs that count, 0 to 250.
        assert_eq!(chart.dots[2].y, chart.top);
        assert_eq!(chart.bounds, [(chart.top.clone(), "limit 250".to_owned())]);
        let (top, height) = chart.band.unwrap();
        assert_eq!((top.as_str(), height.as_str()), ("49.6", "19.3"));
        assert_eq!(chart.steps.len(), 1);
        assert_eq!(chart.steps[0].1, "\u{2212}50.0 %");
        for expected in [
            "over 3 runs",
            "Baseline, version 3: 200 [190, 210].",
            "The threshold of 9,000 lies above the picture.",
            "One INVALID run, drawn hollow, is not counted.",
        ] {
            assert!(chart.caption.contains(expected), "{}", chart.caption);
        }
    }

    #[test]
    fn along_dates_runs_stand_where_they_began() {
        let x = |along| -> Vec<f64> {
            let chart = draw(&trend(), along).unwrap();
            let places = chart.dots.iter().map(|dot| dot.x.parse().unwrap());
            places.collect()
        };
        let runs = x(Along::Runs);
        assert!((runs[1] - runs[0] - (runs[3] - runs[2])).abs() < 0.2);
        // Two days, four days, ten days.
        let dates = x(Along::Dates);
        let day = (dates[1] - dates[0]) / 2.0;
        assert!((dates[2] - dates[1] - 4.0 * day).abs() < 0.5, "{dates:?}");
        assert!((dates[3] - dates[2] - 10.0 * day).abs() < 0.5, "{dates:?}");
    }

    #[test]
    fn without_a_run_there_is_no_picture() {
        let trend = TrendBody {
            points: Vec::new(),
            not_counted: Vec::new(),
            ..trend()
        };
        assert!(draw(&trend, Along::Runs).is_none());
    }
}
