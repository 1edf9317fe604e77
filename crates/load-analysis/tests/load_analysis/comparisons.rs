//! Two groups of runs in, an answer out.

use load_analysis::comparison::{
    Comparison, Confidence, Direction, MAX_RUNS, Method, Subject, compare,
};
use load_analysis::objective::{Better, Priority};
use load_analysis::unit::Unit;
use load_analysis::verdict::Level;

use crate::made_runs::MadeRuns;

/// Runs of about 200 ms that differ by a few percent.
const STEADY: [f64; 6] = [203.0, 198.0, 207.0, 201.0, 196.0, 204.0];

fn latency(reference: &[f64], candidate: &[f64]) -> Subject {
    Subject::of_figures(
        ("p95 of summaries", Unit::Milliseconds),
        Better::Lower,
        Priority::P0,
        (reference.to_vec(), candidate.to_vec()),
    )
}

pub(crate) fn one(subject: Subject) -> Comparison {
    compare(&[subject]).remove(0)
}

fn times(factor: f64) -> Vec<f64> {
    STEADY.iter().map(|figure| figure * factor).collect()
}

#[test]
fn a_clear_regression_is_worse_and_says_by_how_much() {
    let answer = one(latency(&STEADY, &times(1.2)));
    assert_eq!(answer.direction, Direction::Worse);
    assert_eq!(answer.level, Some(Level::Critical));
    assert_eq!(answer.method, Method::WelchAndMannWhitney);
    assert_eq!(answer.confidence, Confidence::Tested);
    assert!((answer.effect - 0.2).abs() < 0.01, "{answer:?}");
    let interval = answer.interval.unwrap();
    assert!(interval.low > 0.14 && interval.high < 0.26, "{answer:?}");
    assert!(answer.p.unwrap() < 0.01 && answer.runs_needed.is_none());
    assert_eq!(
        answer.sentence,
        "p95 of summaries is slower than the reference: +40.4 ms, +20.0 % (95 % interval +16.5 \
         to +23.6, 6 v 6 runs; own noise ± 2.2 %)."
    );
}

#[test]
fn better_worse_and_same_follow_what_is_wanted() {
    let answer = one(latency(&STEADY, &times(0.8)));
    assert_eq!(
        (answer.direction, answer.level),
        (Direction::Better, Some(Level::Pass))
    );
    assert!(
        answer.sentence.contains("is faster than"),
        "{}",
        answer.sentence
    );

    let mut throughput = latency(&STEADY, &times(0.8));
    throughput.better = Some(Better::Higher);
    throughput.unit = Unit::PerSecond;
    let answer = one(throughput);
    assert_eq!(
        (answer.direction, answer.level),
        (Direction::Worse, Some(Level::Critical))
    );
    assert!(
        answer.sentence.contains("is lower than"),
        "{}",
        answer.sentence
    );

    let answer = one(latency(&STEADY, &times(1.005)));
    assert_eq!(
        (answer.direction, answer.level),
        (Direction::Same, Some(Level::Pass))
    );
    assert!(
        answer.sentence.contains("is the same as"),
        "{}",
        answer.sentence
    );
}

#[test]
fn how_bad_it_is_follows_from_the_near_end_of_the_interval() {
    let level = |factor| one(latency(&STEADY, &times(factor))).level;
    assert_eq!(level(1.05), Some(Level::Warning));
    assert_eq!(level(1.08), Some(Level::Fail));
    assert_eq!(level(1.12), Some(Level::Critical));
    let mut informing = latency(&STEADY, &times(1.12));
    informing.priority = Priority::P1;
    let answer = one(informing);
    assert_eq!((answer.direction, answer.level), (Direction::Worse, None));
    assert_eq!(answer.corrected_p, None);
}

/// A difference that is certain, and too small for anybody to act on.
#[test]
fn a_certain_trifle_is_no_change() {
    let near: Vec<f64> = STEADY
        .iter()
        .map(|figure| 200.0 + (figure - 201.5) * 0.01)
        .collect();
    let above: Vec<f64> = near.iter().map(|figure| figure * 1.01).collect();
    let answer = one(latency(&near, &above));
    assert!(answer.p.unwrap() < 0.01, "{answer:?}");
    assert_eq!(answer.direction, Direction::Same, "{answer:?}");
}

/// Not certain, but too much to call it the same.
#[test]
fn half_a_regression_is_open() {
    let reference = [196.0, 204.0, 199.0, 203.0, 198.0, 201.0];
    let candidate = [206.0, 199.0, 213.0, 197.0, 212.0, 216.0];
    let answer = one(latency(&reference, &candidate));
    assert!(
        answer.p.unwrap() > 0.05 && answer.effect > 0.03,
        "{answer:?}"
    );
    let interval = answer.interval.unwrap();
    assert!(interval.low > -0.1 && interval.high < 0.1, "{answer:?}");
    assert_eq!(answer.direction, Direction::Inconclusive, "{answer:?}");
}

/// One outlier moves a mean, but not the ranks: both tests must agree.
#[test]
fn one_wild_run_is_no_regression() {
    let mut wild = STEADY.to_vec();
    wild[3] = 900.0;
    let answer = one(latency(&STEADY, &wild));
    assert_ne!(answer.direction, Direction::Worse, "{answer:?}");
}

/// The mean of the reference is pulled below the candidate's by a quarter of its runs, while the
/// other ones lie above it: both tests are certain, of opposite things.
#[test]
fn tests_that_see_opposite_directions_agree_on_nothing() {
    let spread = |number: u32| f64::from(number) * 0.01;
    let reference: Vec<f64> = (0..30)
        .map(|number| if number < 8 { 10.0 } else { 106.0 } + spread(number))
        .collect();
    let candidate: Vec<f64> = (0..30).map(|number| 99.0 + spread(number)).collect();
    let answer = one(latency(&reference, &candidate));
    assert!(answer.effect < -0.05, "{answer:?}");
    assert_eq!(answer.p, Some(1.0), "{answer:?}");
    assert_eq!(answer.direction, Direction::Inconclusive, "{answer:?}");
}

#[test]
fn noise_that_hides_a_relevant_change_is_told_with_the_runs_that_are_needed() {
    let mut made = MadeRuns::new(3, 0.08, 0.0);
    let (reference, candidate) = (made.take(5, 200.0), made.take(5, 200.0));
    let answer = one(latency(&reference, &candidate));
    assert_eq!(answer.direction, Direction::Inconclusive, "{answer:?}");
    assert_eq!(answer.level, Some(Level::Inconclusive));
    let needed = answer.runs_needed.unwrap();
    assert!((10..=MAX_RUNS).contains(&needed), "{answer:?}");
    assert!(
        answer
            .sentence
            .contains(&format!("{needed} runs on each side could tell"))
    );

    let mut made = MadeRuns::new(3, 0.6, 0.0);
    let answer = one(latency(&made.take(5, 200.0), &made.take(5, 200.0)));
    assert_eq!(answer.runs_needed, None, "{answer:?}");
    assert!(
        answer.sentence.contains("No affordable number"),
        "{}",
        answer.sentence
    );
}

/// With 4 v 4 runs p cannot be below 0.014, which is not enough for four measures at once.
#[test]
fn a_level_out_of_reach_is_inconclusive() {
    let four = |factor: f64| times(factor)[..4].to_vec();
    let subject = latency(&four(1.0), &four(1.5));
    let at_once = |count| compare(&vec![subject.clone(); count]);
    for answer in at_once(3) {
        assert_eq!(answer.direction, Direction::Worse, "{answer:?}");
        assert!((answer.corrected_p.unwrap() - 3.0 / 70.0).abs() < 1e-12);
    }
    for answer in at_once(4) {
        assert_eq!(answer.direction, Direction::Inconclusive, "{answer:?}");
        assert_eq!(answer.runs_needed, Some(5));
    }
    let mut informing = subject.clone();
    informing.priority = Priority::P2;
    let mut subjects = vec![informing; 9];
    subjects.push(subject);
    let answers = compare(&subjects);
    assert!(
        answers
            .iter()
            .all(|answer| answer.direction == Direction::Worse)
    );
}

/// n ≥ 2·σ²·(t(0.975) + t(0.95))² / ln²1.1 · π/3 with σ = 0.0841 has its first solution at 23
/// (`scipy.stats.t.ppf` in a loop over n).
#[test]
fn the_number_of_runs_is_that_of_the_formula() {
    let reference = [180.0, 220.0, 196.0, 205.0];
    let answer = one(latency(&reference, &reference.map(|figure| figure * 1.02)));
    assert_eq!(answer.runs_needed, Some(23), "{answer:?}");
}

#[test]
fn few_runs_are_held_against_the_noise_of_the_history() {
    let history: Vec<f64> = STEADY.iter().cycle().take(20).copied().collect();
    let with = |candidate: f64| one(latency(&history, &[candidate]));
    let answer = with(280.0);
    assert_eq!(
        (answer.direction, answer.method),
        (Direction::Worse, Method::RobustZ)
    );
    assert_eq!((answer.confidence, answer.p), (Confidence::Low, None));
    assert_eq!(answer.level, Some(Level::Critical), "{answer:?}");
    assert!(
        answer.sentence.contains("20 v 1 runs"),
        "{}",
        answer.sentence
    );
    assert!(
        answer.sentence.contains("too few for a test"),
        "{}",
        answer.sentence
    );
    assert_eq!(with(140.0).direction, Direction::Better);
    assert_eq!(with(206.0).direction, Direction::Same);
    // Three runs cannot be significant, whatever they say.
    let answer = one(latency(&history, &[280.0, 281.0, 282.0]));
    assert_eq!((answer.method, answer.p), (Method::RobustZ, None));
}

#[test]
fn without_a_history_there_is_a_difference_and_nothing_more() {
    for candidate in [&[400.0][..], &[]] {
        let answer = one(latency(&STEADY[..4], candidate));
        assert_eq!(answer.direction, Direction::Inconclusive);
        assert_eq!(
            (answer.method, answer.interval),
            (Method::DifferenceOnly, None)
        );
        assert_eq!(answer.runs_needed, Some(4), "{answer:?}");
    }
    let answer = one(latency(&[], &[]));
    assert_eq!(
        (answer.direction, answer.runs_needed),
        (Direction::Inconclusive, Some(4))
    );
    assert!(
        answer.sentence.contains("nothing to compare"),
        "{}",
        answer.sentence
    );
}

/// A history that agrees to a thousandth does not make the next run an outlier.
#[test]
fn noise_has_a_floor() {
    let history = [200.0, 200.1, 200.0, 199.9, 200.0, 200.0];
    let answer = one(latency(&history, &[205.0]));
    assert_eq!(answer.direction, Direction::Same, "{answer:?}");
    let answer = one(latency(&history, &[207.0]));
    assert_eq!(answer.direction, Direction::Inconclusive, "{answer:?}");
    let equal = one(latency(&[200.0; 6], &[200.0; 6]));
    assert_eq!((equal.direction, equal.p), (Direction::Same, Some(1.0)));
}

/// A simulator answers with exact costs; then the smallest p decides.
#[test]
fn figures_without_noise_and_figures_of_zero_are_compared() {
    let answer = one(latency(&[412.0; 5], &[450.0; 5]));
    assert_eq!(answer.direction, Direction::Worse, "{answer:?}");
    let answer = one(latency(&[0.0; 5], &[3.0; 5]));
    assert_eq!(answer.method, Method::WelchAndMannWhitneyUnscaled);
    assert_eq!((answer.direction, answer.effect), (Direction::Worse, 1.0));
    let answer = one(latency(&[0.0; 5], &[0.0; 5]));
    assert_eq!((answer.direction, answer.effect), (Direction::Same, 0.0));
    let answer = one(latency(&[f64::NAN; 5], &[f64::INFINITY; 5]));
    assert_eq!(answer.direction, Direction::Inconclusive);
}

#[test]
fn an_answer_is_told_in_json() {
    let answer = one(latency(&STEADY, &times(1.2)));
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(json["method"], "welch-and-mann-whitney");
    assert_eq!(json["level"], "CRITICAL");
    assert_eq!(json["reference"]["runs"], 6);
    assert!(json.get("runsNeeded").is_none());
    assert_eq!(serde_json::from_value::<Comparison>(json).unwrap(), answer);
}
