//! Runs in, a baseline out, and when it gives way.

use load_analysis::baseline::{Baseline, MAX_REASON_LENGTH, Refused, Replacement, RunFigures};
use load_analysis::comparison::{Comparison, MAX_RUNS, Subject, compare};
use load_analysis::objective::{Better, Priority};
use load_analysis::unit::Unit;

const P95: [f64; 6] = [203.0, 198.0, 207.0, 201.0, 196.0, 204.0];

fn run(number: usize, figures: &[(&str, f64)]) -> RunFigures {
    RunFigures {
        run: format!("run-{number}"),
        figures: figures
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
    }
}

fn runs(figures: &[f64]) -> Vec<RunFigures> {
    let numbered = figures.iter().enumerate();
    numbered
        .map(|(number, p95)| run(number, &[("p95", *p95), ("errors", 0.0)]))
        .collect()
}

fn compared(factor: f64, priority: Priority) -> Comparison {
    let baseline = Baseline::establish(runs(&P95)).unwrap();
    let candidate = P95.map(|figure| figure * factor).to_vec();
    let subject = Subject::of_figures(
        ("p95", Unit::Milliseconds),
        Better::Lower,
        priority,
        (baseline.figures("p95"), candidate),
    );
    compare(&[subject]).remove(0)
}

#[test]
fn a_baseline_knows_centre_noise_and_runs() {
    let mut runs = runs(&P95);
    runs[2].figures.insert("only here".to_owned(), 1.0);
    let baseline = Baseline::establish(runs).unwrap();
    assert_eq!(baseline.runs.len(), 6);
    assert_eq!(
        baseline.measures.keys().collect::<Vec<_>>(),
        ["errors", "p95"]
    );
    let p95 = baseline.measures["p95"];
    assert_eq!(
        (p95.median, p95.min, p95.max, p95.runs),
        (202.0, 196.0, 207.0, 6)
    );
    // The scaled median deviation of the logarithms: 1.4826 × (1.23 % and 1.75 %) / 2.
    assert!((p95.noise - 0.022).abs() < 0.001, "{p95:?}");
    let errors = baseline.measures["errors"];
    assert!((errors.noise - 0.01).abs() < 1e-12, "the floor");
    assert_eq!(baseline.figures("p95"), P95);
    assert!(baseline.figures("nothing").is_empty());
    let json = serde_json::to_string(&baseline).unwrap();
    assert_eq!(serde_json::from_str::<Baseline>(&json).unwrap(), baseline);
}

#[test]
fn runs_that_make_no_baseline_are_refused() {
    let refused = |runs| Baseline::establish(runs).unwrap_err();
    assert_eq!(refused(runs(&P95[..4])), Refused::TooFewRuns(4));
    assert_eq!(
        refused(runs(&[1.0; MAX_RUNS + 1])),
        Refused::TooManyRuns(31)
    );
    let mut twice = runs(&P95);
    twice[5].run = "run-0".to_owned();
    assert_eq!(refused(twice), Refused::TwiceTheSame("run-0".to_owned()));
    let apart = (0..5)
        .map(|number| run(number, &[(&format!("m{number}"), 1.0)]))
        .collect();
    assert_eq!(refused(apart), Refused::NothingInCommon);
    let mut broken = P95;
    broken[1] = f64::NAN;
    assert_eq!(refused(runs(&broken)), Refused::NotFinite("p95".to_owned()));
}

#[test]
fn a_baseline_gives_way_only_to_better_runs() {
    let by = |all: &[Comparison]| Replacement::if_improved(all);
    let (better, same, worse) = (
        compared(0.8, Priority::P0),
        compared(1.001, Priority::P0),
        compared(1.2, Priority::P0),
    );
    let improved = Replacement::Improved(vec!["p95".to_owned()]);
    assert_eq!(by(&[same.clone(), better.clone()]), Ok(improved.clone()));
    assert_eq!(
        by(&[better.clone(), worse.clone()]),
        Err(Refused::NotImproved(worse.sentence))
    );
    for none in [vec![same], vec![], vec![compared(0.8, Priority::P1)]] {
        let refused = by(&none).unwrap_err();
        assert!(
            refused.to_string().starts_with("No measure of priority P0"),
            "{refused}"
        );
    }
    let informing = compared(1.2, Priority::P2);
    assert_eq!(by(&[better, informing]), Ok(improved));
}

#[test]
fn a_person_decides_with_a_reason_and_sees_what_it_hides() {
    let worse = compared(1.2, Priority::P1);
    let by_hand = |reason: &str| Replacement::by_hand(reason, std::slice::from_ref(&worse));
    let Ok(Replacement::ByHand { reason, hides }) = by_hand(" a new index is built ") else {
        panic!("a reason suffices");
    };
    assert_eq!(
        (reason.as_str(), hides),
        ("a new index is built", vec![worse.sentence.clone()])
    );
    assert_eq!(by_hand("  "), Err(Refused::NoReason));
    assert_eq!(
        by_hand(&"x".repeat(MAX_REASON_LENGTH + 1)),
        Err(Refused::NoReason)
    );
}
