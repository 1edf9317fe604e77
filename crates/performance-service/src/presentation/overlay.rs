//! Several runs over each other on one time axis, and below it how far each is from the first.

use super::chart::round_up;
use super::numbers::{axis_label, number, px, run_time};
use crate::timeline::TimelinePoint;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 56.0;
/// Room for the letters at the ends of the lines.
const RIGHT: f64 = 28.0;
const TOP: f64 = 22.0;
const HEIGHT: f64 = 200.0;
/// Between the two strips; holds the title of the lower one.
const GAP: f64 = 30.0;
const DIFFERENCE_HEIGHT: f64 = 90.0;
/// Below the lower strip; holds the labels of the time axis.
const FOOT: f64 = 22.0;
/// Letters nearer to each other than this touch.
const LETTER: f64 = 12.0;
/// Labels of the time axis.
const TICKS: u32 = 8;

/// A run to be drawn.
pub(crate) struct Overlaid {
    pub(crate) letter: char,
    /// Seconds of the run at which the axis begins.
    pub(crate) from: u32,
    /// Steps from there on, for the eye.
    pub(crate) fine: Vec<TimelinePoint>,
    /// The same in longer steps, for a table.
    pub(crate) coarse: Vec<TimelinePoint>,
}

/// A picture with its table, ready to be written into the page.
pub(crate) struct Overlay {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) strips: Vec<OverlayStrip>,
    /// Where labels of the time axis are, and what they say.
    pub(crate) ticks: Vec<(String, String)>,
    pub(crate) label_y: String,
    pub(crate) caption: String,
    /// Time, the value of each run, and the differences of the others from the first.
    pub(crate) rows: Vec<(String, Vec<String>)>,
}

/// One y axis with its lines.
pub(crate) struct OverlayStrip {
    pub(crate) title: String,
    pub(crate) title_y: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    pub(crate) ticks: Vec<(String, String)>,
    pub(crate) lines: Vec<OverlayLine>,
}

/// A line with its letter at its end.
pub(crate) struct OverlayLine {
    /// `run-a` and so on.
    pub(crate) class: String,
    pub(crate) path: String,
    pub(crate) label: String,
    pub(crate) label_x: String,
    pub(crate) label_y: String,
}

/// Places of values that belong together: seconds since the begin of the axis, and milliseconds.
type Values = Vec<(f64, f64)>;

/// Draws the 95th percentiles of two runs or more; `None` when none of them measured a duration.
pub(crate) fn draw(runs: &[Overlaid], step: u32, coarse_step: u32) -> Option<Overlay> {
    let values: Vec<Values> = runs.iter().map(|run| p95(&run.fine, run.from)).collect();
    let ends = values.iter().flatten().map(|(t, _)| *t);
    let seconds = ends.fold(f64::NEG_INFINITY, f64::max) + f64::from(step);
    if !seconds.is_finite() {
        return None;
    }
    let first = values.first()?;
    let differences: Vec<Values> = values.iter().skip(1).map(|it| less(it, first)).collect();
    let letters: Vec<char> = runs.iter().map(|run| run.letter).collect();
    let axis = Axis {
        seconds,
        step: f64::from(step),
    };
    let named = |values: Vec<Values>, skipped: usize| {
        let letters = letters.iter().skip(skipped).copied();
        letters.zip(values).collect::<Vec<_>>()
    };
    let below = TOP + HEIGHT + GAP;
    let strips = vec![
        axis.strip(
            "Request duration, p95, ms",
            (TOP, HEIGHT),
            &named(values.clone(), 0),
        ),
        axis.strip(
            &format!("Difference from {}, ms", letters.first()?),
            (below, DIFFERENCE_HEIGHT),
            &named(differences, 1),
        ),
    ];
    let bottom = below + DIFFERENCE_HEIGHT;
    Some(Overlay {
        width: px(WIDTH),
        height: px(bottom + FOOT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        strips,
        ticks: axis.ticks(),
        label_y: px(bottom + FOOT - 6.0),
        caption: caption(&letters, &values),
        rows: rows(runs, coarse_step),
    })
}

struct Axis {
    seconds: f64,
    step: f64,
}

impl Axis {
    /// The middle of a step.
    fn x(&self, t: f64) -> f64 {
        let middle = (t + self.step / 2.0).min(self.seconds);
        LEFT + (WIDTH - LEFT - RIGHT) * middle / self.seconds
    }

    fn ticks(&self) -> Vec<(String, String)> {
        let every = round_up(self.seconds / f64::from(TICKS)).ceil();
        let times = (0..=TICKS).map(|index| f64::from(index) * every);
        times
            .take_while(|t| *t <= self.seconds)
            .map(|t| {
                let x = LEFT + (WIDTH - LEFT - RIGHT) * t / self.seconds;
                (px(x), run_time(whole(t)))
            })
            .collect()
    }

    fn strip(
        &self,
        title: &str,
        (top, height): (f64, f64),
        lines: &[(char, Values)],
    ) -> OverlayStrip {
        let all = || {
            lines
                .iter()
                .flat_map(|(_, values)| values)
                .map(|(_, value)| *value)
        };
        let high = round_up(all().fold(1.0, f64::max));
        let lowest = all().fold(0.0, f64::min);
        let low = if lowest < 0.0 {
            -round_up(-lowest)
        } else {
            0.0
        };
        let y = |value: f64| top + height * (high - value) / (high - low);
        let ticks = if low < 0.0 {
            [low, 0.0, high]
        } else {
            [0.0, high / 2.0, high]
        };
        // An end just beside the 0 would be written over it.
        let legible = |value: &f64| *value == 0.0 || (y(*value) - y(0.0)).abs() >= LETTER;
        let mut drawn: Vec<OverlayLine> = Vec::with_capacity(lines.len());
        for ((letter, values), label_y) in lines.iter().zip(apart(lines, &y, top + height)) {
            drawn.push(OverlayLine {
                class: format!("run-{}", letter.to_ascii_lowercase()),
                path: self.path(values, &y),
                label: letter.to_string(),
                label_x: px(values.last().map_or(LEFT, |(t, _)| self.x(*t) + 5.0)),
                label_y: px(label_y + 4.0),
            });
        }
        OverlayStrip {
            title: title.to_owned(),
            title_y: px(top - 8.0),
            top: px(top),
            bottom: px(top + height),
            ticks: ticks
                .into_iter()
                .filter(legible)
                .map(|value| (px(y(value)), signed_label(value)))
                .collect(),
            lines: drawn,
        }
    }

    /// Joins neighbouring steps and leaves a gap where one has no value.
    fn path(&self, values: &[(f64, f64)], y: &impl Fn(f64) -> f64) -> String {
        let before = std::iter::once(None).chain(values.iter().map(|(t, _)| Some(*t)));
        let piece = |((t, value), before): (&(f64, f64), Option<f64>)| {
            let (x, y) = (self.x(*t), y(*value));
            match before {
                Some(before) if t - before <= self.step => format!("L{x:.1} {y:.1}"),
                // A short dash makes a lone point visible.
                _ => format!("M{x:.1} {y:.1}h2"),
            }
        };
        values.iter().zip(before).map(piece).collect()
    }
}

/// The places of the letters, each beside the end of its line as far as the others leave room, and
/// none below the strip.
fn apart(lines: &[(char, Values)], y: &impl Fn(f64) -> f64, bottom: f64) -> Vec<f64> {
    let end = |(_, values): &(char, Values)| values.last().map_or(0.0, |(_, value)| y(*value));
    let ends: Vec<f64> = lines.iter().map(end).collect();
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by(|a, b| ends[*a].total_cmp(&ends[*b]));
    let mut places = ends;
    let mut least = f64::NEG_INFINITY;
    for &index in &order {
        places[index] = places[index].max(least);
        least = places[index] + LETTER;
    }
    let mut most = bottom;
    for index in order.into_iter().rev() {
        places[index] = places[index].min(most);
        most = places[index] - LETTER;
    }
    places
}

fn p95(points: &[TimelinePoint], from: u32) -> Values {
    let value = |point: &TimelinePoint| Some((f64::from(point.t - from), point.p95?));
    points
        .iter()
        .filter(|it| it.t >= from)
        .filter_map(value)
        .collect()
}

/// What one run has more than another, where both have a value.
fn less(values: &[(f64, f64)], reference: &[(f64, f64)]) -> Values {
    let at = |t: f64| {
        let found = reference.binary_search_by(|(other, _)| other.total_cmp(&t));
        found.ok().map(|index| reference[index].1)
    };
    let difference = |(t, value): &(f64, f64)| Some((*t, value - at(*t)?));
    values.iter().filter_map(difference).collect()
}

fn caption(letters: &[char], values: &[Values]) -> String {
    let median = |values: &Values| {
        let mut sorted: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    };
    let of = letters
        .iter()
        .zip(values)
        .map(|(letter, values)| match median(values) {
            Some(median) => format!(
                "{letter} was {} ms in half of its steps or less",
                number(median)
            ),
            None => format!("{letter} measured no duration"),
        });
    format!("The p95 of {}.", of.collect::<Vec<_>>().join(", "))
}

fn rows(runs: &[Overlaid], step: u32) -> Vec<(String, Vec<String>)> {
    let values: Vec<Values> = runs.iter().map(|run| p95(&run.coarse, run.from)).collect();
    let last = values.iter().flatten().map(|(t, _)| whole(*t)).max();
    let at = |values: &Values, t: u32| {
        let found = values.iter().find(|(at, _)| whole(*at) == t);
        found.map(|(_, value)| *value)
    };
    let times = (0..=last.unwrap_or(0)).step_by(usize::try_from(step).unwrap_or(1));
    let row = |t: u32| {
        let of: Vec<Option<f64>> = values.iter().map(|values| at(values, t)).collect();
        let first = of.first().copied().flatten();
        let shown = of.iter().map(|it| it.map_or_else(none, number));
        let differences = of.iter().skip(1);
        let differences = differences.map(|it| {
            it.zip(first)
                .map_or_else(none, |(it, first)| signed(it - first))
        });
        (run_time(t), shown.chain(differences).collect())
    };
    times.map(row).collect()
}

fn none() -> String {
    "–".to_owned()
}

/// With its sign, the minus as wide as the plus.
pub(crate) fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '\u{2212}' } else { '+' };
    format!("{sign}{}", number(value.abs()))
}

fn signed_label(value: f64) -> String {
    if value < 0.0 {
        format!("\u{2212}{}", axis_label(-value))
    } else {
        axis_label(value)
    }
}

/// Seconds of a run are whole and not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "see above"
)]
const fn whole(seconds: f64) -> u32 {
    seconds as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(letter: char, from: u32, p95: &[(u32, f64)]) -> Overlaid {
        let point = |(t, value): &(u32, f64)| TimelinePoint {
            t: *t,
            p95: Some(*value),
            ..TimelinePoint::default()
        };
        let points = || p95.iter().map(point).collect();
        Overlaid {
            letter,
            from,
            fine: points(),
            coarse: points(),
        }
    }

    #[test]
    fn differences_are_of_the_same_time_since_the_begin() {
        let first = run('A', 3, &[(2, 99.0), (3, 10.0), (4, 10.0), (6, 10.0)]);
        let second = run('B', 0, &[(0, 12.0), (1, 8.0), (2, 7.0), (3, 20.0)]);
        let drawn = draw(&[first, second], 1, 1).expect("a picture");
        let row = |index: usize| drawn.rows[index].1.join(" ");
        assert_eq!(row(0), "10 12 +2");
        assert_eq!(row(1), "10 8 \u{2212}2");
        assert_eq!(row(2), "– 7 –", "what the first did not measure");
        assert_eq!(
            drawn.rows.len(),
            4,
            "what was before the begin is not shown"
        );
        assert_eq!(drawn.strips[1].title, "Difference from A, ms");
        assert_eq!(drawn.strips[1].lines.len(), 1);
        // A gap in the first line, and so in the difference.
        assert_eq!(drawn.strips[0].lines[0].path.matches('M').count(), 2);
        assert_eq!(drawn.strips[1].lines[0].path.matches('M').count(), 2);
    }

    #[test]
    fn letters_neither_touch_nor_leave_their_strip() {
        let runs = ['A', 'B', 'C', 'D'].map(|letter| run(letter, 0, &[(0, 5.0), (1, 5.0)]));
        let drawn = draw(&runs, 1, 1).expect("a picture");
        // The differences are none: their lines end at the bottom.
        for strip in &drawn.strips {
            let places = strip.lines.iter().map(|line| line.label_y.parse());
            let places: Vec<f64> = places.map(|place| place.expect("a number")).collect();
            let bottom: f64 = strip.bottom.parse().expect("a number");
            let apart = places.windows(2).all(|pair| pair[1] - pair[0] >= LETTER);
            assert!(apart, "{places:?}");
            assert!(places.last() < Some(&(bottom + LETTER)), "{places:?}");
        }
    }

    #[test]
    fn the_end_of_an_axis_is_not_written_over_its_zero() {
        for (slower, labels) in [
            (11.0, "\u{2212}1 0 1"),
            (110.0, "0 100"),
            (0.0, "\u{2212}10 0"),
        ] {
            let first = run('A', 0, &[(0, 10.0), (1, 10.0)]);
            let second = run('B', 0, &[(0, slower), (1, 9.0)]);
            let drawn = draw(&[first, second], 1, 1).expect("a picture");
            let ticks = drawn.strips[1].ticks.iter();
            let said: Vec<&str> = ticks.map(|(_, label)| label.as_str()).collect();
            assert_eq!(said.join(" "), labels, "{slower}");
        }
    }

    #[test]
    fn nothing_is_drawn_from_nothing() {
        assert!(draw(&[run('A', 0, &[]), run('B', 0, &[])], 1, 1).is_none());
    }
}
