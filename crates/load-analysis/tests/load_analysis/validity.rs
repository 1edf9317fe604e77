//! Each condition of a run that counts.

use load_analysis::results::{Coverage, Results};
use load_analysis::validity::{CheckState, Validity};
use load_analysis::verdict::{
    AskedLoad, Counted, Evidence, GeneratorEnd, Level, Seen, TargetStart, judge,
};

fn measured() -> Results {
    Results {
        coverage: Coverage {
            measurements: 500,
            ..Coverage::default()
        },
        ..Results::default()
    }
}

fn evidence(results: &Results) -> Evidence<'_> {
    let end = GeneratorEnd::Exited {
        code: 0,
        meaning: String::new(),
    };
    Evidence {
        generator_cpu: Some(0.3),
        counted: counted(500.0, 500.0),
        asked: rate(1_000.0, 1_000.0),
        target_start: start(-60.0),
        ..Evidence::new(end, results)
    }
}

fn counted(reported: f64, folded: f64) -> Seen<Vec<Counted>> {
    let metric = "http_reqs".to_owned();
    Seen::Value(vec![Counted {
        metric,
        reported,
        folded,
    }])
}

fn rate(asked: f64, achieved: f64) -> Seen<AskedLoad> {
    Seen::Value(AskedLoad {
        asked,
        achieved,
        slack: 1.0,
    })
}

fn start(after_load_began: f64) -> Seen<TargetStart> {
    Seen::Value(TargetStart { after_load_began })
}

/// The level and the reason of a run with this evidence, and its condition of that name.
fn told(evidence: &Evidence<'_>, name: &str) -> (Level, String, CheckState) {
    let verdict = judge(evidence);
    let validity = Validity::of(evidence);
    let check = validity
        .checks
        .iter()
        .find(|check| check.name == name)
        .unwrap();
    (verdict.level, verdict.reasons[0].clone(), check.state)
}

#[test]
fn a_run_that_meets_all_conditions_says_how_many() {
    let results = measured();
    let validity = Validity::of(&evidence(&results));
    assert_eq!(validity.summary, "VALID, 10 of 10");
    assert!(validity.doubts().is_empty());
    let with_value = |check: &load_analysis::validity::ValidityCheck| {
        !check.value.is_empty() && !check.limit.is_empty()
    };
    assert!(validity.checks.iter().all(with_value), "{validity:?}");
    let failed = validity.and_failed("judgement", "It was stopped.");
    assert_eq!(failed.summary, "INVALID, 10 of 11");
}

#[test]
fn a_load_below_its_plan_does_not_count() {
    let results = measured();
    let with = |asked| Evidence {
        asked,
        ..evidence(&results)
    };
    let (level, _, state) = told(&with(rate(1_000.0, 989.0)), "askedRate");
    assert_eq!(
        (level, state),
        (Level::Pass, CheckState::Held),
        "an iteration at the end"
    );
    let (level, reason, state) = told(&with(rate(1_000.0, 988.0)), "askedRate");
    assert_eq!((level, state), (Level::Invalid, CheckState::Failed));
    assert!(
        reason.starts_with("988 of the 1,000 iterations that were asked for"),
        "{reason}"
    );
    let none = Seen::NotApplicable("users, who ask for no rate".to_owned());
    assert_eq!(told(&with(none), "askedRate").2, CheckState::Held);
}

#[test]
fn samples_that_were_lost_or_doubled_do_not_count() {
    let results = measured();
    for folded in [499.0, 501.0] {
        let lost = Evidence {
            counted: counted(500.0, folded),
            ..evidence(&results)
        };
        let (level, reason, state) = told(&lost, "completeSamples");
        assert_eq!((level, state), (Level::Invalid, CheckState::Failed));
        let expected = format!("The samples have {folded} of 500 http_reqs");
        assert!(reason.starts_with(&expected), "{reason}");
    }
}

#[test]
fn a_target_that_was_restarted_is_no_measure() {
    let results = measured();
    let with = |target_start| Evidence {
        target_start,
        ..evidence(&results)
    };
    let (level, reason, _) = told(&with(start(12.2)), "targetRestart");
    assert_eq!(level, Level::Invalid);
    assert!(
        reason.contains("started anew 12 s after the load began"),
        "{reason}"
    );
    let unknown = with(Seen::Unknown("It has no /metrics.".to_owned()));
    let (level, _, state) = told(&unknown, "targetRestart");
    assert_eq!((level, state), (Level::Pass, CheckState::Unknown));
    assert_eq!(Validity::of(&unknown).summary, "VALID, 9 of 10, 1 unknown");
}
