//! A small picture of an effect: its interval against the noise of the reference.

use load_analysis::comparison::Comparison;

use super::numbers::px;

/// The picture's width in its own units.
const WIDTH: f64 = 160.0;

/// Effects beyond this share are drawn at the edge.
const LIMIT: f64 = 0.5;

/// Positions on the bar.
pub(crate) struct IntervalBar {
    pub(crate) width: String,
    pub(crate) middle: String,
    /// Where noise begins and how wide it is.
    pub(crate) noise: Option<(String, String)>,
    /// Both ends of the interval.
    pub(crate) interval: Option<(String, String)>,
    pub(crate) effect: String,
    /// The same in words.
    pub(crate) label: String,
}

/// Draws an effect that is a share of the reference.
pub(crate) fn draw(comparison: &Comparison) -> IntervalBar {
    let noise = comparison.noise.map(|noise| {
        let (low, high) = (x(-noise), x(noise));
        (px(low), px(high - low))
    });
    let interval = comparison.interval;
    IntervalBar {
        width: px(WIDTH),
        middle: px(x(0.0)),
        noise,
        interval: interval.map(|interval| (px(x(interval.low)), px(x(interval.high)))),
        effect: px(x(comparison.effect)),
        label: percent(comparison.effect),
    }
}

/// `+18.2 %`, with a minus sign that is as wide as the plus.
pub(crate) fn percent(share: f64) -> String {
    let sign = if share < 0.0 { '\u{2212}' } else { '+' };
    format!("{sign}{:.1} %", share.abs() * 100.0)
}

fn x(share: f64) -> f64 {
    let share = if share.is_finite() { share } else { 0.0 };
    WIDTH * (share.clamp(-LIMIT, LIMIT) + LIMIT) / (2.0 * LIMIT)
}
