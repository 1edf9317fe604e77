//! What the target used during a run: a strip for each signal, as wide as the picture of the load
//! above them, and the same as a table.

use load_analysis::resources::{ResourceSeries, Resources, Signal};

use super::numbers::{axis_label, number, px};
use super::path::Path;
use super::words;

/// As in the picture of the load, so that the same second stands under itself.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;

/// One strip, and the title above it.
const HEIGHT: f64 = 44.0;
const GAP: f64 = 24.0;

/// What lines of a strip look like, one after the other.
const CLASSES: [&str; 4] = ["p95", "p50", "p99", "rate"];

/// The strips and what stands behind them.
pub(crate) struct ResourceStrips {
    /// Where they come from, or why there are none.
    pub(crate) note: String,
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) strips: Vec<SignalStrip>,
    /// Signals in which nothing happened, in words.
    pub(crate) still: String,
    pub(crate) rows: Vec<SignalRow>,
}

/// One signal.
pub(crate) struct SignalStrip {
    pub(crate) title: String,
    pub(crate) title_y: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    /// The upper end of its axis.
    pub(crate) most: String,
    pub(crate) lines: Vec<SignalLine>,
}

/// One part of a signal.
pub(crate) struct SignalLine {
    pub(crate) class: &'static str,
    pub(crate) part: String,
    pub(crate) path: String,
}

/// A part of a signal in numbers.
pub(crate) struct SignalRow {
    pub(crate) signal: &'static str,
    pub(crate) part: String,
    pub(crate) mean: String,
    pub(crate) least: String,
    pub(crate) most: String,
}

/// Draws the resources of a run of so many seconds.
pub(crate) fn draw(resources: &Resources, seconds: u32) -> ResourceStrips {
    let axis = (f64::from(seconds.max(1)), f64::from(resources.step));
    let mut signals: Vec<Signal> = resources.series.iter().map(|it| it.signal).collect();
    signals.sort_unstable();
    signals.dedup();
    let moves = |signal: &Signal| resources.of(*signal).any(|it| most(it) > 0.0);
    let (moving, still): (Vec<Signal>, Vec<Signal>) = signals.into_iter().partition(moves);
    let mut top = GAP;
    let mut strips = Vec::new();
    for signal in moving {
        let series: Vec<&ResourceSeries> = resources.of(signal).collect();
        strips.push(strip(signal, &series, top, axis));
        top += HEIGHT + GAP;
    }
    let title = |signal: Signal| signal.title().to_lowercase();
    let still: Vec<String> = still.into_iter().map(title).collect();
    ResourceStrips {
        note: words::sentence(&resources.note),
        width: px(WIDTH),
        height: px(top),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        strips,
        still: still.join("; "),
        rows: resources.series.iter().filter_map(row).collect(),
    }
}

fn strip(
    signal: Signal,
    series: &[&ResourceSeries],
    top: f64,
    (length, step): (f64, f64),
) -> SignalStrip {
    let highest = series
        .iter()
        .map(|it| most(it))
        .fold(f64::MIN_POSITIVE, f64::max);
    let bottom = top + HEIGHT;
    let x = |t: f64| LEFT + (WIDTH - LEFT - RIGHT) * (t / length).clamp(0.0, 1.0);
    let y = |value: f64| bottom - HEIGHT * (value / highest).clamp(0.0, 1.0);
    let line = |(index, it): (usize, &&ResourceSeries)| SignalLine {
        class: CLASSES.get(index).copied().unwrap_or("rate"),
        part: it.of.clone(),
        path: path(&it.points, step, x, y),
    };
    let parts: Vec<&str> = series.iter().map(|it| it.of.as_str()).collect();
    let parts = parts.join(", ");
    SignalStrip {
        title: if parts.is_empty() {
            signal.title().to_owned()
        } else {
            format!("{}: {parts}", signal.title())
        },
        title_y: px(top - 6.0),
        top: px(top),
        bottom: px(bottom),
        most: axis_label(highest / scale(signal)),
        lines: series.iter().enumerate().map(line).collect(),
    }
}

/// Joins points that follow each other, and leaves a gap where one is missing.
fn path(
    points: &[(f64, f64)],
    step: f64,
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> String {
    let mut path = Path::default();
    let mut previous = f64::NEG_INFINITY;
    for (t, value) in points {
        if t - previous <= step * 1.5 {
            path.line_to(x(*t), y(*value));
        } else {
            path.dot(x(*t), y(*value));
        }
        previous = *t;
    }
    path.text()
}

fn row(series: &ResourceSeries) -> Option<SignalRow> {
    let scale = scale(series.signal);
    let mean = series.mean(&(f64::NEG_INFINITY..f64::INFINITY))?;
    let values = series.points.iter().map(|point| point.1);
    Some(SignalRow {
        signal: series.signal.title(),
        part: series.of.clone(),
        mean: number(mean / scale),
        least: number(values.fold(f64::INFINITY, f64::min) / scale),
        most: number(most(series) / scale),
    })
}

/// The largest value of a series, none of which is below 0.
fn most(series: &ResourceSeries) -> f64 {
    let values = series.points.iter().map(|point| point.1);
    values.fold(0.0, f64::max)
}

/// Memory is shown in MiB, everything else as it is.
const fn scale(signal: Signal) -> f64 {
    match signal {
        Signal::Memory => 1_048_576.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_a_strip_and_missing_points_are_gaps() {
        let series = |of: &str, points: &[(f64, f64)]| ResourceSeries {
            signal: Signal::StoreBusy,
            of: of.to_owned(),
            points: points.to_vec(),
        };
        let resources = Resources {
            available: true,
            note: String::new(),
            step: 1,
            window: 4,
            series: vec![
                series("redis", &[(0.0, 1.0), (1.0, 2.0), (5.0, 4.0)]),
                series("sqlite", &[(0.0, 1.0)]),
            ],
        };
        let drawn = draw(&resources, 10);
        assert_eq!(drawn.strips.len(), 1);
        assert_eq!(drawn.strips[0].title, "Calls in a store: redis, sqlite");
        assert_eq!(drawn.strips[0].lines[0].path.matches("h3").count(), 2);
        assert_eq!((drawn.rows.len(), drawn.rows[0].most.as_str()), (2, "4"));
        assert_eq!(drawn.still, "");
        let idle = Resources {
            series: vec![series("redis", &[(0.0, 0.0)])],
            ..resources
        };
        let drawn = draw(&idle, 10);
        let still = drawn.still.as_str();
        assert_eq!((drawn.strips.len(), still), (0, "calls in a store"));
        assert!(draw(&Resources::none("none"), 10).strips.is_empty());
    }
}
