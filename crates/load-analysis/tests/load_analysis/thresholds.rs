//! Thresholds judged from samples, beside k6's own opinion.

use load_analysis::aggregate::Aggregator;
use load_analysis::results::{ReportedThresholds, ThresholdResult};
use load_analysis::threshold::Threshold;

use crate::{DURATION, FAILED, REQUESTS, USERS, add};

/// Judges one threshold over a hundred requests of 1 to 100 ms, those above 50 ms by writers.
fn judge(metric: &str, expression: &str, reported: Option<bool>) -> ThresholdResult {
    let threshold = Threshold::parse(metric, expression).unwrap();
    let name = threshold.name();
    let mut aggregator = Aggregator::new(vec![threshold]);
    for number in 1..=100_u32 {
        let at = |value| (f64::from(number) * 0.1, value);
        let journey = if number > 50 { "writer" } else { "reader" };
        let tags = [
            ("scenario", "s"),
            ("journey", journey),
            ("own tag", journey),
        ];
        add(&mut aggregator, REQUESTS, at(1.0), &tags);
        add(&mut aggregator, DURATION, at(f64::from(number)), &tags);
        add(
            &mut aggregator,
            FAILED,
            at(f64::from(u8::from(number > 90))),
            &tags,
        );
        add(&mut aggregator, USERS, at(f64::from(number % 7)), &[]);
    }
    let reported = reported.map(|ok| {
        ReportedThresholds::from([(metric.to_owned(), [(expression.to_owned(), ok)].into())])
    });
    let results = aggregator.results(reported.as_ref()).thresholds;
    assert_eq!(results.all_passed, results.results[&name].ok);
    results.results[&name].clone()
}

#[test]
fn each_statistic_is_held_against_its_bound() {
    let check = |metric: &str, expression: &str, ok: bool, observed: f64| {
        let result = judge(metric, expression, None);
        assert_eq!(result.ok, ok, "{metric}: {expression}: {result:?}");
        let value = result.observed_value.unwrap();
        assert!(
            (value - observed).abs() <= observed * 0.001,
            "{metric}: {expression}: {value}"
        );
    };
    check("http_reqs", "count>99", true, 100.0);
    check("http_reqs", "count===100", true, 100.0);
    check("http_reqs", "count!=100", false, 100.0);
    check("http_req_duration", "avg<=50.5", true, 50.5);
    check("http_req_duration", "max<100", false, 100.0);
    check("http_req_duration", "min>=1", true, 1.0);
    check("http_req_duration", "p(95)<90", false, 95.05);
    check("http_req_duration", "med<60", true, 50.5);
    check("http_req_duration{journey:writer}", "p(50)>70", true, 75.5);
    check("http_req_duration{journey:reader}", "max<51", true, 50.0);
    check("http_req_duration{own tag:reader}", "max<51", true, 50.0);
    check("http_req_failed", "rate<0.1", false, 0.1);
    check("vus", "value<3", true, 2.0);
}

#[test]
fn nothing_to_judge_is_not_a_pass() {
    for (metric, expression) in [
        ("http_req_duration{journey:nobody}", "p(95)<1"),
        ("http_req_duration{journey:nobody}", "p(50)>5"),
        ("checks", "rate>=0.9"),
        ("checks", "rate<0.1"),
    ] {
        let result = judge(metric, expression, Some(true));
        assert_eq!(
            (result.ok, result.observed_value, result.samples),
            (false, None, 0),
            "{metric}"
        );
    }
    let dropped = judge("dropped_iterations", "count<10", None);
    assert_eq!(
        (dropped.ok, dropped.observed_value),
        (true, Some(0.0)),
        "a count is honestly 0"
    );
}

#[test]
fn k6_decides_only_where_the_histogram_cannot() {
    // Every value is 50.5 at the median; within the error both answers are possible.
    assert!(judge("http_req_duration", "med<50.5", Some(true)).ok);
    assert!(!judge("http_req_duration", "med<=50.5", Some(false)).ok);
    // Far from the bound both must agree that it held.
    assert!(!judge("http_req_duration", "med<40", Some(true)).ok);
    assert!(!judge("http_req_duration", "med<60", Some(false)).ok);
    assert!(judge("http_req_duration", "med<60", Some(true)).ok);
}

/// Fifty requests in ten seconds of load, after fifty in as long a setup.
#[test]
fn a_counter_s_rate_is_judged_by_the_load_alone() {
    let check = |expression: &str, reported: bool, ok: bool| {
        let threshold = Threshold::parse("http_reqs", expression).unwrap();
        let name = threshold.name();
        let mut aggregator = Aggregator::new(vec![threshold]);
        for number in 0..100_u32 {
            let tags = if number < 50 {
                ("group", "::setup")
            } else {
                ("scenario", "s")
            };
            let end = f64::from(number + 1) * 0.2;
            add(&mut aggregator, REQUESTS, (end, 1.0), &[tags]);
            add(&mut aggregator, DURATION, (end, 200.0), &[tags]);
        }
        let said = [(expression.to_owned(), reported)].into();
        let reported = ReportedThresholds::from([("http_reqs".to_owned(), said)]);
        let result = &aggregator.results(Some(&reported)).thresholds.results[&name];
        assert_eq!(result.ok, ok, "{expression}: {result:?}");
        assert!((result.observed_value.unwrap() - 5.0).abs() < 1e-9);
    };
    check("rate>4.9", false, true);
    check("rate<4.9", true, false);
}
