//! The requests of a run as a map: time to the right as in the strips, the duration upwards on a
//! logarithmic scale, the more requests the stronger.

use std::fmt::Write as _;
use std::ops::Range;

use super::super::numbers::{axis_label, number, px, run_time, whole};
use super::time_axis::TimeAxis;
use super::{FOOT, LEFT, RIGHT, Tick, WIDTH};
use crate::picture::heatmap::{Heatmap, begin, height};
use crate::picture::{Picture, Selected};
use crate::timeline::count;

/// Room for the title.
const TOP: f64 = 26.0;

/// The height of a row, as far as the whole map is neither too low nor too high.
const ROW: f64 = 9.0;
const LOWEST_MAP: f64 = 120.0;
const HIGHEST_MAP: f64 = 300.0;

/// Rows around those with requests, so that these do not touch the frame.
const MARGIN: usize = 1;

/// How many strengths there are.
const LEVELS: usize = 5;

/// A map, ready to be written into the page.
pub(crate) struct Map {
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) top: String,
    pub(crate) bottom: String,
    /// The seconds of the run at both ends, for the script that selects.
    pub(crate) window: Range<u32>,
    /// Milliseconds at the lower and the upper end.
    pub(crate) range: [String; 2],
    /// From places in columns and rows to places in the picture.
    pub(crate) transform: String,
    pub(crate) levels: Vec<Level>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) time_ticks: Vec<Tick>,
    pub(crate) time_label_y: String,
    pub(crate) selected: Option<SelectedBox>,
    pub(crate) caption: String,
    pub(crate) rows: Vec<MapRow>,
}

/// The cells of one strength.
pub(crate) struct Level {
    pub(crate) class: String,
    /// Strokes along the rows, as wide as a row is high.
    pub(crate) path: String,
    /// How many requests such a cell has.
    pub(crate) label: String,
}

/// Where the selected box is.
pub(crate) struct SelectedBox {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) width: String,
    pub(crate) height: String,
}

/// A row of the map over the whole time, for the table.
pub(crate) struct MapRow {
    pub(crate) took: String,
    pub(crate) requests: String,
    pub(crate) first: String,
    pub(crate) last: String,
}

/// Draws the map of a window; `None` without a request.
pub(crate) fn draw(picture: &Picture) -> Option<Map> {
    let (map, window) = (&picture.heatmap, &picture.window);
    let used = map.rows()?;
    let shown = used.start.saturating_sub(MARGIN)..used.end + MARGIN;
    let axis = TimeAxis::new(map.step, window);
    let tall = (count(shown.len() as u64) * ROW).clamp(LOWEST_MAP, HIGHEST_MAP);
    let bottom = TOP + tall;
    let row_height = tall / count(shown.len() as u64);
    let second_width = (WIDTH - LEFT - RIGHT) / axis.seconds();
    let y = |milliseconds: f64| {
        let rows = height(milliseconds) - count(shown.start as u64);
        bottom - (rows * row_height).clamp(0.0, tall)
    };
    let (low, high) = (begin(shown.start), begin(shown.end));
    Some(Map {
        width: px(WIDTH),
        height: px(bottom + FOOT),
        left: px(LEFT),
        right: px(WIDTH - RIGHT),
        top: px(TOP),
        bottom: px(bottom),
        window: window.clone(),
        range: [low, high].map(|milliseconds| format!("{milliseconds:.4}")),
        // The lowest row is the last one of a picture, whose y goes down.
        transform: format!(
            "translate({LEFT} {bottom:.1}) scale({second_width:.5} -{row_height:.4})"
        ),
        levels: levels(map, &shown, window),
        ticks: ticks(low, high)
            .map(|milliseconds| Tick {
                at: px(y(milliseconds)),
                label: axis_label(milliseconds),
            })
            .collect(),
        time_ticks: axis.ticks(),
        time_label_y: px(bottom + FOOT - 6.0),
        selected: picture
            .selected
            .as_ref()
            .map(|selected| selected_box(selected, &axis, y)),
        caption: caption(map, &used),
        rows: used.rev().filter_map(|row| table_row(map, row)).collect(),
    })
}

/// How strong a cell is, of 1 to [`LEVELS`]: each strength has about the same ratio of counts.
fn strength(requests: u64, most: u64) -> usize {
    let share = count(requests).ln() / count(most.max(2)).ln();
    let level = crate::timeline::whole((share * count(LEVELS as u64)).floor());
    usize::try_from(level).unwrap_or(LEVELS).min(LEVELS - 1) + 1
}

fn levels(map: &Heatmap, shown: &Range<usize>, window: &Range<u32>) -> Vec<Level> {
    let most = map.columns.iter().flatten().copied().max().unwrap_or(0);
    let width = window.end - window.start;
    let mut paths: [String; LEVELS] = Default::default();
    let mut counts = [(u64::MAX, 0); LEVELS];
    for row in shown.clone() {
        let strengths: Vec<usize> = map
            .columns
            .iter()
            .map(|column| match column.get(row).copied().unwrap_or(0) {
                0 => 0,
                requests => {
                    let strength = strength(requests, most);
                    let (least, largest) = &mut counts[strength - 1];
                    (*least, *largest) = ((*least).min(requests), (*largest).max(requests));
                    strength
                }
            })
            .collect();
        let mut at = 0;
        for run in strengths.chunk_by(|one, other| one == other) {
            let seconds = u32::try_from(run.len()).unwrap_or(u32::MAX) * map.step;
            if let Some(path) = run[0].checked_sub(1).and_then(|level| paths.get_mut(level)) {
                // The last column may be cut by the end of the window.
                let length = seconds.min(width - at);
                let _infallible = write!(path, "M{at} {}.5h{length}", row - shown.start);
            }
            at += seconds;
        }
    }
    let levels = paths.into_iter().zip(counts).enumerate();
    levels
        .filter(|(_, (path, _))| !path.is_empty())
        .map(|(level, (path, (least, largest)))| Level {
            class: format!("heat-{}", level + 1),
            path,
            label: if least == largest {
                whole(least)
            } else {
                format!("{}–{}", whole(least), whole(largest))
            },
        })
        .collect()
}

/// Round durations between both ends: powers of ten, and what is between them where there is room.
fn ticks(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let factors: &[f64] = if high / low > 1e3 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let powers = (-2..=6).map(|power| 10_f64.powi(power));
    let all = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
    all.filter(move |tick| (low..=high).contains(tick))
}

fn selected_box(selected: &Selected, axis: &TimeAxis, y: impl Fn(f64) -> f64) -> SelectedBox {
    let selection = &selected.selection;
    let (left, right) = (
        axis.x_within(selection.seconds.start),
        axis.x_within(selection.seconds.end),
    );
    let (top, bottom) = (
        y(selection.milliseconds.end),
        y(selection.milliseconds.start),
    );
    SelectedBox {
        x: px(left),
        y: px(top),
        width: px(right - left),
        height: px(bottom - top),
    }
}

fn caption(map: &Heatmap, used: &Range<usize>) -> String {
    let cells = map.columns.iter().enumerate().flat_map(|(column, rows)| {
        let rows = rows.iter().enumerate();
        rows.map(move |(row, requests)| (*requests, column, row))
    });
    let (most, column, row) = cells.max().unwrap_or_default();
    let seconds = u32::try_from(column).unwrap_or(0) * map.step + map.from();
    let (from, to) = (begin(used.start), begin(used.end));
    format!(
        "When requests ended and how long they took, from {} to {} ms on a logarithmic scale; \
         the most in one cell of {} s, {}, took {} at t+{}.",
        number(from),
        number(to),
        map.step,
        whole(most),
        took(row),
        run_time(seconds)
    )
}

/// `10.0 to 12.6 ms`
fn took(row: usize) -> String {
    format!("{} to {} ms", number(begin(row)), number(begin(row + 1)))
}

fn table_row(map: &Heatmap, row: usize) -> Option<MapRow> {
    let of_row = map.columns.iter().map(|column| column[row]);
    let requests = of_row.clone().sum::<u64>();
    let at = |column: usize| {
        let column = u32::try_from(column).unwrap_or(0);
        run_time(map.from() + column * map.step)
    };
    let first = of_row.clone().position(|requests| requests > 0)?;
    let last = of_row.rev().position(|requests| requests > 0)?;
    Some(MapRow {
        took: took(row),
        requests: whole(requests),
        first: at(first),
        last: at(map.columns.len() - 1 - last),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_weak_and_the_most_are_strong() {
        assert_eq!(strength(1, 1_000), 1);
        assert_eq!(strength(1_000, 1_000), LEVELS);
        assert_eq!((strength(1, 1), strength(2, 2)), (1, LEVELS));
        let strengths: Vec<usize> = [3, 10, 40, 200].map(|n| strength(n, 1_000)).into();
        assert_eq!(strengths, [1, 2, 3, 4]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let near = |low, high| ticks(low, high).collect::<Vec<f64>>();
        assert_eq!(near(0.9, 30.0), [1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(near(0.5, 60_000.0).len(), 5);
    }
}
