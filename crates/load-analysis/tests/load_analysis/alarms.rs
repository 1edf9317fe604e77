//! How often a comparison is wrong: alarms about unchanged code, and regressions not found.

use load_analysis::comparison::{Direction, Subject, compare};
use load_analysis::objective::{Better, Priority};
use load_analysis::unit::Unit;

use crate::made_runs::MadeRuns;

const RUNS: usize = 6;

fn direction(reference: Vec<f64>, candidate: Vec<f64>) -> Direction {
    let subject = Subject::of_figures(
        ("p95", Unit::Milliseconds),
        Better::Lower,
        Priority::P0,
        (reference, candidate),
    );
    compare(&[subject])[0].direction
}

/// The directions of so many comparisons, 6 v 6 runs of 4 % noise.
fn directions(series: u64, keeps: f64, factor: f64) -> impl Iterator<Item = Direction> {
    (0..series).map(move |seed| {
        let mut made = MadeRuns::new(seed, 0.04, keeps);
        let reference = made.take(RUNS, 200.0);
        direction(reference, made.take(RUNS, 200.0 * factor))
    })
}

fn is_alarm(direction: &Direction) -> bool {
    matches!(direction, Direction::Better | Direction::Worse)
}

#[test]
fn unchanged_code_raises_few_alarms() {
    let alarms = directions(200, 0.0, 1.0).filter(is_alarm).count();
    assert!(alarms <= 10, "{alarms} of 200");
    // Neighbours in time that resemble each other make tests too sure of themselves.
    let alarms = directions(200, 0.2, 1.0).filter(is_alarm).count();
    assert!(alarms <= 20, "{alarms} of 200");
}

/// What says nothing but "cannot tell" is no help either.
#[test]
fn most_unchanged_code_reads_as_the_same() {
    let same = |direction: &Direction| *direction == Direction::Same;
    let same = directions(200, 0.0, 1.0).filter(same).count();
    assert!(same >= 140, "{same} of 200");
}

#[test]
fn ten_percent_more_are_found() {
    let found = directions(1_000, 0.0, 1.1)
        .filter(|direction| *direction == Direction::Worse)
        .count();
    assert!(found >= 950, "{found} of 1,000");
}
