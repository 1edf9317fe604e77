//! The runs that would decide a comparison, with their time and cost.

use std::time::Duration;

use load_analysis::comparison::{Comparison, Rerun, Subject, Took, compare, rerun};
use load_analysis::dollars::Dollars;
use load_analysis::objective::{Better, Priority};
use load_analysis::spend::{Amount, Spend};
use load_analysis::unit::Unit;

fn compared(priority: Priority, reference: &[f64], candidate: &[f64]) -> Vec<Comparison> {
    let figures = (reference.to_vec(), candidate.to_vec());
    let called = ("p95 of summaries", Unit::Milliseconds);
    compare(&[Subject::of_figures(
        called,
        Better::Lower,
        priority,
        figures,
    )])
}

/// Runs of so many seconds and simulated dollars each.
fn runs(of: &[(u64, &str)]) -> Vec<Took> {
    let took = |&(seconds, dollars): &(u64, &str)| Took {
        time: Duration::from_secs(seconds),
        spend: Spend {
            simulated: Amount {
                calls: Some(10),
                cost: dollars.parse().unwrap(),
                ..Amount::default()
            },
            ..Spend::default()
        },
    };
    of.iter().map(took).collect()
}

fn asked(compared: &[Comparison], reference: &[Took], candidate: &[Took]) -> Rerun {
    rerun(compared, reference, candidate).unwrap()
}

#[test]
fn each_side_takes_as_long_and_costs_as_much_as_its_own_runs() {
    let open = compared(Priority::P0, &[200.0], &[240.0]);
    let more = asked(&open, &runs(&[(60, "1")]), &runs(&[(80, "2.5")]));
    let counts = (more.runs_needed, more.reference_runs, more.candidate_runs);
    assert_eq!(counts, (4, 3, 3));
    assert!((more.seconds - 420.0).abs() < 1e-9, "{more:?}");
    assert_eq!(more.simulated.cost, "10.5".parse::<Dollars>().unwrap());
    assert_eq!(
        (more.simulated.calls, more.real),
        (Some(60), Amount::default())
    );
    assert_eq!(
        more.sentence,
        "3 more runs of the reference and 3 more runs of the candidate could tell p95 of \
         summaries: about 7 min and sim $10.50, as the runs at hand took."
    );
    let json = serde_json::to_value(&more).unwrap();
    assert_eq!(json["candidateRuns"], 3);
    assert_eq!(json["simulated"]["cost"]["usd"], "10.5");
}

/// The mean of the runs at hand, and only of the side that lacks runs.
#[test]
fn a_side_that_has_enough_runs_is_not_repeated() {
    let wild = [150.0, 200.0, 260.0, 210.0, 180.0];
    let open = compared(Priority::P0, &wild, &[230.0]);
    let reference = runs(&[(900, "9"); 5]);
    let more = asked(&open, &reference, &runs(&[(30, "0")]));
    assert_eq!((more.reference_runs, more.candidate_runs), (0, 3));
    assert!(
        more.sentence
            .starts_with("3 more runs of the candidate could")
    );
    assert!(
        more.sentence.contains("about 1 min 30 s"),
        "{}",
        more.sentence
    );

    let open = compared(Priority::P0, &[200.0; 3], &[200.0, 220.0, 240.0]);
    let more = asked(
        &open,
        &runs(&[(10, "0"); 3]),
        &runs(&[(10, "0"), (20, "0"), (60, "0")]),
    );
    assert_eq!((more.reference_runs, more.candidate_runs), (1, 1));
    assert!((more.seconds - 40.0).abs() < 1e-9, "{more:?}");
    assert!(
        more.sentence
            .starts_with("1 more run of the reference and 1 more run of")
    );
}

#[test]
fn nothing_is_suggested_that_decides_nothing() {
    let (one, six) = (runs(&[(60, "1")]), runs(&[(60, "1"); 6]));
    let steady = [203.0, 198.0, 207.0, 201.0, 196.0, 204.0];
    let slower = steady.map(|figure| figure * 1.2);
    let decided = compared(Priority::P0, &steady, &slower);
    assert_eq!(rerun(&decided, &six, &six), None);
    let informs = compared(Priority::P1, &[200.0], &[240.0]);
    assert_eq!(rerun(&informs, &one, &one), None);
    // No affordable number of runs could tell.
    let wild = [20.0, 900.0, 60.0, 2_000.0, 100.0, 400.0];
    let wilder = [30.0, 700.0, 90.0, 3_000.0, 150.0, 500.0];
    let hopeless = compared(Priority::P0, &wild, &wilder);
    assert_eq!(
        (hopeless[0].runs_needed, rerun(&hopeless, &six, &six)),
        (None, None)
    );
}

#[test]
fn calls_without_a_price_are_told() {
    let open = compared(Priority::P0, &[200.0], &[240.0]);
    let mut took = runs(&[(60, "1")]);
    took[0].spend.real.unpriced_calls = 7;
    let more = asked(&open, &took, &runs(&[(60, "1")]));
    assert!(
        more.sentence
            .contains("unpriced and sim $6.0000, 21 calls without a price left out"),
        "{}",
        more.sentence
    );
}
