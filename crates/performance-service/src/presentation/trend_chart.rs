//! The figures of a test's runs as a picture: a dot for each, a line for each level.

use std::fmt::Write as _;

use super::chart::round_up;
use super::numbers::{axis_label, number, px};
use crate::runs::trends::TrendBody;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// More labels than this would touch each other.
const MAX_LABELS: usize = 12;

/// A picture, ready to be written into the page.
pub(crate) struct TrendChart {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    /// Where labels of the y axis are, and what they say.
    pub(crate) ticks: Vec<(String, String)>,
    /// The same of the x axis.
    pub(crate) runs: Vec<(String, String)>,
    pub(crate) label_y: String,
    pub(crate) dots: Vec<Dot>,
    /// One line for each level.
    pub(crate) levels: Vec<String>,
    pub(crate) caption: String,
}

/// One run.
pub(crate) struct Dot {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) level: &'static str,
    pub(crate) id: String,
    pub(crate) label: String,
}

/// Draws a trend that has points.
pub(crate) fn draw(trend: &TrendBody) -> TrendChart {
    let largest = trend.points.iter().map(|point| point.value);
    let limit = round_up(largest.fold(f64::MIN_POSITIVE, f64::max));
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (value / limit).clamp(0.0, 1.0));
    let places = trend.points.len();
    let x = |index: usize| LEFT + (WIDTH - LEFT - RIGHT) * (real(index) + 0.5) / real(places);
    let every = places.div_ceil(MAX_LABELS).max(1);
    let points = || trend.points.iter().enumerate();
    TrendChart {
        width: px(WIDTH),
        height: px(HEIGHT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        ticks: [0.0, limit / 2.0, limit]
            .map(|value| (px(y(value)), axis_label(value)))
            .into(),
        runs: points()
            .step_by(every)
            .map(|(index, point)| (px(x(index)), format!("#{}", point.number)))
            .collect(),
        label_y: px(HEIGHT - 8.0),
        dots: points()
            .map(|(index, point)| Dot {
                x: px(x(index)),
                y: px(y(point.value)),
                level: point.level,
                id: point.test_id.clone(),
                label: format!("#{}: {}", point.number, number(point.value)),
            })
            .collect(),
        levels: levels(trend)
            .into_iter()
            .map(|(from, to, value)| {
                let half = (WIDTH - LEFT - RIGHT) / real(places) / 2.0;
                let (left, right) = (x(from) - half, x(to) + half);
                format!("M{left:.1} {height:.1}H{right:.1}", height = y(value))
            })
            .collect(),
        caption: caption(trend),
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

fn caption(trend: &TrendBody) -> String {
    let runs = trend.points.len();
    let mut caption = format!("{} over {runs} runs", trend.measure);
    if trend.change_points.is_empty() {
        caption.push_str("; no step in it.");
    }
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
    caption
}

/// Runs are counted in hundreds.
fn real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
