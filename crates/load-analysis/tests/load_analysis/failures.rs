//! Shares of failures of two groups of runs.

use load_analysis::comparison::{Comparison, Count, Direction, Method, Subject};
use load_analysis::objective::Priority;
use load_analysis::verdict::Level;

use crate::comparisons::one;

fn failures(priority: Priority, reference: u64, candidate: u64, of: u64) -> Comparison {
    let runs = |hits| vec![Count { hits, of }; 4];
    let counts = (runs(reference), runs(candidate));
    one(Subject::of_failures("failed requests", priority, counts))
}

#[test]
fn failures_are_counts() {
    let answer = failures(Priority::P0, 20, 400, 10_000);
    assert_eq!(
        (answer.direction, answer.method),
        (Direction::Worse, Method::FisherExact)
    );
    assert_eq!(answer.level, Some(Level::Critical));
    assert!((answer.effect - 0.038).abs() < 1e-9, "{answer:?}");
    assert_eq!(
        answer.sentence,
        "failed requests is higher than the reference: +3.80 points, from 0.20 % to 4.00 % (95 % \
         interval +3.6 to +4.0 points, 4 v 4 runs)."
    );
    assert_eq!(
        failures(Priority::P1, 0, 0, 10_000).direction,
        Direction::Same
    );
    assert_eq!(
        failures(Priority::P1, 400, 20, 10_000).direction,
        Direction::Better
    );
    // Certain, but below a tenth of a point.
    assert_eq!(
        failures(Priority::P1, 1, 40, 100_000).direction,
        Direction::Same
    );
    let answer = failures(Priority::P0, 0, 1, 100);
    assert_eq!(answer.direction, Direction::Inconclusive, "{answer:?}");
    assert!(
        answer.runs_needed.is_some_and(|runs| runs > 4),
        "{answer:?}"
    );
    assert_eq!(
        failures(Priority::P0, 0, 0, 0).direction,
        Direction::Inconclusive
    );
    assert_eq!(
        failures(Priority::P0, 9, 9, 3).direction,
        Direction::Inconclusive
    );
}
