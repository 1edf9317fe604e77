//! The runs of a comparison, and their measures side by side.

use std::collections::BTreeMap;

use load_analysis::comparison::{Comparison, Direction};

use super::is_told;
use crate::comparing;
use crate::presentation::interval_bar::{self, IntervalBar};
use crate::presentation::numbers::number;
use crate::presentation::words::Badge;
use crate::runs::compare::Groups;

/// A run of the comparison.
pub(super) struct Column {
    pub(super) letter: char,
    pub(super) is_reference: bool,
    /// Ids in the order with this one first.
    pub(super) first: Option<String>,
    /// Ids without this one.
    pub(super) without: Option<String>,
    pub(super) in_baseline: bool,
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) started: String,
    pub(super) badge: Option<Badge>,
    /// What somebody broke while it was on.
    pub(super) faults: Vec<String>,
}

/// A measure of two sides.
pub(in crate::pages) struct Row {
    pub(in crate::pages) name: String,
    pub(in crate::pages) reference: String,
    pub(in crate::pages) candidate: String,
    pub(in crate::pages) effect: String,
    pub(in crate::pages) interval: String,
    pub(in crate::pages) bar: Option<IntervalBar>,
    pub(in crate::pages) level: &'static str,
    pub(in crate::pages) reading: &'static str,
    pub(in crate::pages) sentence: String,
}

/// A measure of more than two runs.
pub(super) struct MeasureRow {
    pub(super) name: String,
    pub(super) reference: String,
    /// Of each of the others: value, effect, and how it reads.
    pub(super) others: Vec<Cell>,
}

pub(super) struct Cell {
    pub(super) value: String,
    pub(super) effect: String,
    pub(super) level: &'static str,
    pub(super) reading: &'static str,
}

pub(in crate::pages) fn row(comparison: &Comparison) -> Row {
    let interval = comparison.interval.map(|interval| {
        let percent = interval_bar::percent;
        format!("{} to {}", percent(interval.low), percent(interval.high))
    });
    let finite = comparison.effect.is_finite();
    Row {
        name: comparison.name.clone(),
        reference: number(comparison.reference.centre),
        candidate: number(comparison.candidate.centre),
        effect: effect(comparison),
        interval: interval.unwrap_or_else(|| "–".to_owned()),
        bar: finite.then(|| interval_bar::draw(comparison)),
        level: level(comparison),
        reading: reading(comparison),
        sentence: comparison.sentence.clone(),
    }
}

/// Each run held against the first one: the measures that are told, and the rest.
pub(super) fn beside(groups: &Groups) -> (Vec<MeasureRow>, Vec<MeasureRow>) {
    let compared = |one| comparing::compare_groups(&groups.reference, std::slice::from_ref(one));
    let all: Vec<Vec<Comparison>> = groups.candidate.iter().map(compared).collect();
    let by_name: Vec<BTreeMap<&str, &Comparison>> = all
        .iter()
        .map(|of| of.iter().map(|one| (one.name.as_str(), one)).collect())
        .collect();
    // What not all runs have measured is left out, as between two groups.
    let names = all
        .first()
        .into_iter()
        .flatten()
        .map(|one| one.name.as_str());
    let rows = names.filter_map(|name| {
        let of = by_name.iter().map(|of| of.get(name).copied());
        let of: Vec<&Comparison> = of.collect::<Option<_>>()?;
        Some((of.iter().any(is_told), measure_row(&of)))
    });
    let (told, rest): (Vec<_>, Vec<_>) = rows.partition(|(told, _)| *told);
    let without = |rows: Vec<(bool, MeasureRow)>| rows.into_iter().map(|(_, row)| row).collect();
    (without(told), without(rest))
}

fn measure_row(of: &[&Comparison]) -> MeasureRow {
    let cell = |one: &&Comparison| Cell {
        value: number(one.candidate.centre),
        effect: effect(one),
        level: level(one),
        reading: reading(one),
    };
    let first = of.first();
    MeasureRow {
        name: first.map_or_else(String::new, |one| one.name.clone()),
        reference: first.map_or_else(String::new, |one| number(one.reference.centre)),
        others: of.iter().map(cell).collect(),
    }
}

fn effect(comparison: &Comparison) -> String {
    if comparison.effect.is_finite() {
        interval_bar::percent(comparison.effect)
    } else {
        "–".to_owned()
    }
}

fn reading(comparison: &Comparison) -> &'static str {
    match comparison.direction {
        Direction::Better => "better",
        Direction::Worse => "worse",
        Direction::Changed if comparison.effect > 0.0 => "higher",
        Direction::Changed => "lower",
        Direction::Same => "same",
        Direction::Inconclusive => "cannot tell",
    }
}

/// Measures that only inform have the look of their direction.
fn level(comparison: &Comparison) -> &'static str {
    match (comparison.level, comparison.direction) {
        (Some(level), _) => level.as_str(),
        (None, Direction::Better | Direction::Same) => "PASS",
        (None, Direction::Worse) => "WARNING",
        (None, Direction::Changed | Direction::Inconclusive) => "INCONCLUSIVE",
    }
}
