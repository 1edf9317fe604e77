//! What is in a box of the map of requests, and what is more frequent there than around it.

use super::numbers::{number, run_time, share, whole};
use crate::picture::{Picture, Selected};
use crate::timeline::count;

/// Rows of the table: the largest differences.
const MAX_ROWS: usize = 10;

/// A smaller difference of shares is nothing to look at.
const LEAST_DIFFERENCE: f64 = 0.01;

/// A box in words and figures.
pub(crate) struct SelectedPanel {
    pub(crate) sentence: String,
    /// What is more or less frequent inside; empty where nothing is.
    pub(crate) rows: Vec<DifferenceRow>,
    /// A search for its traces.
    pub(crate) traces: Option<String>,
}

/// One value of what requests are told apart by.
pub(crate) struct DifferenceRow {
    pub(crate) attribute: &'static str,
    pub(crate) value: String,
    pub(crate) inside: String,
    pub(crate) outside: String,
    /// In percentage points, with its sign.
    pub(crate) difference: String,
}

/// The fields of the form that selects.
pub(crate) struct SelectionFields {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) above: String,
    pub(crate) below: String,
}

/// What the fields begin with: the selection, or a map's ends.
pub(crate) fn fields(picture: &Picture, range: &[String; 2]) -> SelectionFields {
    match &picture.selected {
        Some(Selected { selection, .. }) => SelectionFields {
            from: selection.seconds.start,
            to: selection.seconds.end,
            above: selection.milliseconds.start.to_string(),
            below: selection.milliseconds.end.to_string(),
        },
        None => SelectionFields {
            from: picture.window.start,
            to: picture.window.end,
            above: range[0].clone(),
            below: range[1].clone(),
        },
    }
}

/// A box in words; `traces` is where its traces are looked for.
pub(crate) fn panel(selected: &Selected, traces: Option<String>) -> SelectedPanel {
    let selection = &selected.selection;
    let (inside, outside) = (selected.inside, selected.outside);
    let of = |part: u64, all: u64| count(part) / count(all.max(1));
    let mut differences: Vec<(f64, DifferenceRow)> = selected
        .values
        .iter()
        .map(|((attribute, value), (within, beyond))| {
            let (here, there) = (of(*within, inside), of(*beyond, outside));
            let row = DifferenceRow {
                attribute,
                value: value.clone(),
                inside: format!("{} ({})", share(here), whole(*within)),
                outside: format!("{} ({})", share(there), whole(*beyond)),
                difference: points(here - there),
            };
            (here - there, row)
        })
        .filter(|(difference, _)| difference.abs() >= LEAST_DIFFERENCE)
        .collect();
    if inside == 0 || outside == 0 {
        differences.clear();
    }
    differences.sort_by(|(one, _), (other, _)| other.abs().total_cmp(&one.abs()));
    differences.truncate(MAX_ROWS);
    SelectedPanel {
        sentence: format!(
            "{} of {} requests ended between t+{} and t+{} and took {} to {} ms.",
            whole(inside),
            whole(inside + outside),
            run_time(selection.seconds.start),
            run_time(selection.seconds.end),
            number(selection.milliseconds.start),
            number(selection.milliseconds.end)
        ),
        rows: differences.into_iter().map(|(_, row)| row).collect(),
        traces,
    }
}

fn points(difference: f64) -> String {
    let sign = if difference < 0.0 { "−" } else { "+" };
    format!("{sign}{:.1} points", 100.0 * difference.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Selection;

    #[test]
    fn what_differs_comes_first_and_what_is_alike_not_at_all() {
        let value = |attribute, value: &str, inside, outside| {
            ((attribute, value.to_owned()), (inside, outside))
        };
        let selected = Selected {
            selection: Selection {
                seconds: 60..90,
                milliseconds: 200.0..1_000.0,
            },
            inside: 10,
            outside: 90,
            values: [
                value("scenario", "load", 10, 90),
                value("status", "503", 6, 9),
                value("endpoint", "summary", 9, 9),
                value("endpoint", "book", 1, 81),
            ]
            .into(),
        };
        let panel = panel(&selected, None);
        let rows: Vec<(&str, &str)> = panel
            .rows
            .iter()
            .map(|row| (row.value.as_str(), row.difference.as_str()))
            .collect();
        let expected = [
            ("book", "−80.0 points"),
            ("summary", "+80.0 points"),
            ("503", "+50.0 points"),
        ];
        assert_eq!(rows, expected);
        assert_eq!(
            panel.sentence,
            "10 of 100 requests ended between t+01:00 and t+01:30 and took 200 to 1,000 ms."
        );
    }
}
