//! Comparisons and series of real runs of unchanged code: all of what they find is an alarm.

use load_analysis::change_points::change_points;
use load_analysis::comparison::{Direction, Subject, compare};
use load_analysis::objective::{Better, Priority};
use load_analysis::unit::Unit;

/// Runs of both sides of a test.
const GROUPS: (usize, usize) = (6, 6);
/// A history and one new run.
const ONE_RUN: (usize, usize) = (20, 1);
const SERIES: u64 = 200;

/// Suite, metric, column: 3 is p50, 4 is p95, 5 is p99. The runs of summaries differ by 3.4 % at
/// p95, those of the catalogue by 55 %.
const FIGURES: [(&str, &str, usize); 4] = [
    ("ai-summary", "http_req_duration", 4),
    ("ai-summary", "ai_ttft", 4),
    ("load", "http_req_duration", 3),
    ("load", "http_req_duration", 4),
];

fn figures((suite, metric, column): (&str, &str, usize)) -> Vec<f64> {
    let lines = include_str!("unchanged-runs.csv").lines();
    let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let of = cells.filter(|cells| cells[0] == suite && cells[1] == metric);
    of.map(|cells| cells[column].parse().unwrap()).collect()
}

/// Two groups of different runs, and what becomes of the second when it is so many times slower.
fn direction(
    figures: &[f64],
    seed: u64,
    (reference, candidate): (usize, usize),
    factor: f64,
) -> Direction {
    let mut drawn = figures.to_vec();
    fastrand::Rng::with_seed(seed).shuffle(&mut drawn);
    let slower = drawn[reference..reference + candidate]
        .iter()
        .map(|figure| figure * factor);
    let subject = Subject::of_figures(
        ("p95", Unit::Milliseconds),
        Better::Lower,
        Priority::P0,
        (drawn[..reference].to_vec(), slower.collect()),
    );
    compare(&[subject])[0].direction
}

fn count(figures: &[f64], runs: (usize, usize), factor: f64, of: &[Direction]) -> usize {
    let directions = (0..SERIES).map(|seed| direction(figures, seed, runs, factor));
    directions.filter(|it| of.contains(it)).count()
}

#[test]
fn runs_of_unchanged_code_raise_few_alarms() {
    for of in FIGURES {
        let figures = figures(of);
        assert!(figures.len() >= 20, "{} runs", figures.len());
        let alarms = count(
            &figures,
            GROUPS,
            1.0,
            &[Direction::Better, Direction::Worse],
        );
        assert!(alarms <= 10, "{of:?}: {alarms} of {SERIES}");
    }
}

/// Not a test, and the better for it: what is not far out of the noise is not told.
#[test]
fn one_run_against_its_history_raises_few_alarms_and_finds_a_fifth() {
    for of in FIGURES {
        let changed = [Direction::Better, Direction::Worse];
        let alarms = count(&figures(of), ONE_RUN, 1.0, &changed);
        assert!(alarms <= 10, "{of:?}: {alarms} of {SERIES}");
    }
    let worse = count(&figures(FIGURES[0]), ONE_RUN, 1.2, &[Direction::Worse]);
    assert!(worse >= 190, "{worse} of {SERIES}");
}

#[test]
fn ten_percent_on_top_of_real_runs_are_found() {
    let worse = count(&figures(FIGURES[0]), GROUPS, 1.1, &[Direction::Worse]);
    assert!(worse >= 190, "{worse} of {SERIES}");
    // What cannot be told is not told: neither a regression nor that there is none.
    let same = count(&figures(FIGURES[3]), GROUPS, 1.1, &[Direction::Same]);
    assert!(same == 0, "{same} of {SERIES}");
}

#[test]
fn series_of_unchanged_code_have_few_steps() {
    for of in FIGURES {
        let figures = figures(of);
        let steps = (0..SERIES).filter(|seed| {
            let mut random = fastrand::Rng::with_seed(*seed);
            let series: Vec<f64> = (0..40)
                .map(|_| figures[random.usize(0..figures.len())])
                .collect();
            !change_points(&series, *seed).is_empty()
        });
        let steps = steps.count();
        assert!(steps <= 10, "{of:?}: {steps} of {SERIES}");
    }
}
