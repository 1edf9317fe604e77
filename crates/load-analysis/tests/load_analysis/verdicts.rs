//! Evidence in, verdict out.

use std::collections::BTreeMap;

use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::{Coverage, MetricResult, Results, ThresholdResult};
use load_analysis::verdict::{Evidence, GeneratorEnd, Level, Verdict, judge};

fn measured() -> Results {
    Results {
        coverage: Coverage {
            measurements: 1_234,
            ..Coverage::default()
        },
        ..Results::default()
    }
}

fn with_threshold(ok: bool, observed_value: Option<f64>) -> Results {
    let mut results = measured();
    let result = ThresholdResult {
        ok,
        observed_value,
        samples: 50,
        reported_ok: None,
    };
    results
        .thresholds
        .results
        .insert("http_req_duration: p(95)<500".to_owned(), result);
    results.thresholds.all_passed = ok;
    let trend = MetricResult {
        kind: MetricKind::Trend,
        contains: Contains::Time,
        values: BTreeMap::new(),
    };
    results
        .metrics
        .insert("http_req_duration".to_owned(), trend);
    results
}

/// The same with one more threshold that nothing was measured for.
fn and_one_without_a_sample(mut results: Results, reported_ok: Option<bool>) -> Results {
    let result = ThresholdResult {
        ok: false,
        observed_value: None,
        samples: 0,
        reported_ok,
    };
    results
        .thresholds
        .results
        .insert("ai_ttft: p(95)<2000".to_owned(), result);
    results
}

fn exited(code: i32) -> GeneratorEnd {
    GeneratorEnd::Exited {
        code,
        meaning: "as the table says".to_owned(),
    }
}

fn of(end: GeneratorEnd, results: &Results) -> Verdict {
    judge(&Evidence::new(end, results))
}

fn check(end: GeneratorEnd, results: &Results, expected: (Level, u8), reason: &str) {
    let verdict = of(end, results);
    assert_eq!((verdict.level, verdict.exit_code), expected, "{verdict:?}");
    assert!(verdict.reasons[0].contains(reason), "{verdict:?}");
}

#[test]
fn thresholds_decide_between_pass_and_fail() {
    let held = with_threshold(true, Some(9.0));
    let crossed = with_threshold(false, Some(812.4));
    let sentence = "`http_req_duration: p(95)<500` was crossed: 812 ms over 50 samples";
    check(
        exited(0),
        &measured(),
        (Level::Pass, 0),
        "No threshold was set. 1,234 measurements",
    );
    check(exited(0), &held, (Level::Pass, 0), "The one threshold held");
    check(exited(99), &crossed, (Level::Fail, 2), sentence);
    check(exited(0), &crossed, (Level::Fail, 2), sentence);
    check(exited(99), &held, (Level::Fail, 2), "exit code 99");
}

#[test]
fn a_run_that_shows_nothing_is_invalid_whatever_it_says() {
    let invalid = (Level::Invalid, 2);
    let unjudged = with_threshold(false, None);
    check(exited(0), &unjudged, invalid, "no sample to be judged by");
    check(exited(0), &Results::default(), invalid, "measured nothing");
    check(
        GeneratorEnd::Killed { signal: 9 },
        &measured(),
        invalid,
        "signal 9",
    );
    check(GeneratorEnd::Unknown, &measured(), invalid, "Nobody saw");
    let crossed = with_threshold(false, Some(812.4));
    for code in [1, 2, 103, 104, 105, 107, 108, 110, 255] {
        check(
            exited(code),
            &crossed,
            invalid,
            &format!("exit code {code}"),
        );
    }
}

#[test]
fn what_was_not_measured_does_not_hide_what_was_crossed() {
    let crossed = and_one_without_a_sample(with_threshold(false, Some(812.4)), Some(true));
    let verdict = of(exited(99), &crossed);
    assert_eq!(verdict.level, Level::Fail, "{verdict:?}");
    assert_eq!(verdict.reasons.len(), 2, "{verdict:?}");
    assert!(verdict.reasons[0].contains("p(95)<500` was crossed"));
    assert!(verdict.reasons[1].contains("`ai_ttft: p(95)<2000` had no sample"));

    let held = with_threshold(true, Some(9.0));
    for (code, reported_ok) in [(0, Some(true)), (99, Some(false))] {
        let unjudged = and_one_without_a_sample(held.clone(), reported_ok);
        let expected = (Level::Invalid, 2);
        check(
            exited(code),
            &unjudged,
            expected,
            "`ai_ttft: p(95)<2000` had no sample",
        );
    }
}

/// k6 ends with 99 for a rate that only its own division makes too low.
#[test]
fn a_run_that_only_k6_saw_fail_passes_and_says_so() {
    let mut results = with_threshold(true, Some(9.0));
    for result in results.thresholds.results.values_mut() {
        result.reported_ok = Some(false);
    }
    let verdict = of(exited(99), &results);
    assert_eq!(verdict.level, Level::Pass, "{verdict:?}");
    assert!(
        verdict.reasons[1].contains("setup and teardown"),
        "{verdict:?}"
    );
}

#[test]
fn lost_samples_make_a_run_invalid() {
    let results = with_threshold(true, Some(9.0));
    let cut = Evidence {
        unreadable_lines: 1,
        ..Evidence::new(exited(0), &results)
    };
    assert_eq!(judge(&cut).level, Level::Invalid);
    let lost = Evidence {
        unreadable_lines: 0,
        output_errors: vec!["no space left".to_owned()],
        ..cut
    };
    let verdict = judge(&lost);
    assert_eq!(verdict.level, Level::Invalid);
    assert!(verdict.reasons[0].contains("no space left"), "{verdict:?}");
}

#[test]
fn levels_are_spelled_as_in_the_contract() {
    for (level, text, code) in [
        (Level::Pass, "PASS", 0),
        (Level::Warning, "WARNING", 1),
        (Level::Inconclusive, "INCONCLUSIVE", 1),
        (Level::Fail, "FAIL", 2),
        (Level::Critical, "CRITICAL", 2),
        (Level::Invalid, "INVALID", 2),
    ] {
        assert_eq!((level.as_str(), level.exit_code()), (text, code));
        assert_eq!(serde_json::to_value(level).unwrap(), text);
    }
}

/// k6 ends with 0 in both cases.
#[test]
fn load_that_was_not_the_one_asked_for_is_invalid() {
    let mut results = with_threshold(true, Some(9.0));
    let counter = |count: f64| MetricResult {
        kind: MetricKind::Counter,
        contains: Contains::Default,
        values: [("count".to_owned(), count)].into(),
    };
    let metrics = &mut results.metrics;
    metrics.insert("iterations".to_owned(), counter(9_990.0));
    metrics.insert("dropped_iterations".to_owned(), counter(10.0));
    check(exited(0), &results, (Level::Pass, 0), "");
    results
        .metrics
        .insert("dropped_iterations".to_owned(), counter(11.0));
    check(
        exited(0),
        &results,
        (Level::Invalid, 2),
        "dropped 11 of 10,001",
    );

    results.metrics.remove("dropped_iterations");
    let threw = |exceptions| {
        let evidence = Evidence {
            exceptions,
            ..Evidence::new(exited(0), &results)
        };
        judge(&evidence).level
    };
    assert_eq!(threw(9_890), Level::Pass);
    assert_eq!(threw(9_891), Level::Invalid, "some lines may be lost");
}

#[test]
fn a_generator_without_idle_time_is_no_measure() {
    let results = with_threshold(true, Some(9.0));
    let used = |generator_cpu| {
        judge(&Evidence {
            generator_cpu,
            ..Evidence::new(exited(0), &results)
        })
    };
    assert_eq!(used(Some(0.8)).level, Level::Pass);
    let verdict = used(Some(0.91));
    assert_eq!(verdict.level, Level::Invalid);
    assert!(verdict.reasons[0].contains("91.00 %"), "{verdict:?}");
}
