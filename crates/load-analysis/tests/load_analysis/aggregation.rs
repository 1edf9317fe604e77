//! Seconds, series, bounds, and the figures of a run.

use load_analysis::aggregate::{Aggregator, MAX_TAG_SETS, SecondBucket};
use load_analysis::metric::MetricKind;
use load_analysis::series::SeriesValue;

use crate::{CHECKS, DURATION, FAILED, REQUESTS, USERS, add};

const TAGS: [(&str, &str); 3] = [("scenario", "browse"), ("name", "list"), ("url", "/x?1")];

fn requests(bucket: &SecondBucket) -> u64 {
    bucket
        .merged("http_reqs")
        .map_or(0, |value| value.samples())
}

#[test]
fn a_second_comes_when_it_has_passed_and_late_samples_come_after() {
    let mut aggregator = Aggregator::new(Vec::new());
    add(&mut aggregator, REQUESTS, (100.2, 1.0), &TAGS);
    add(&mut aggregator, REQUESTS, (101.9, 1.0), &TAGS);
    assert!(aggregator.take_passed().is_empty());
    add(&mut aggregator, REQUESTS, (100.9, 1.0), &TAGS);
    add(&mut aggregator, REQUESTS, (102.0, 1.0), &TAGS);
    let passed = aggregator.take_passed();
    assert_eq!(
        passed
            .iter()
            .map(|b| (b.second, requests(b)))
            .collect::<Vec<_>>(),
        [(100, 2)]
    );
    add(&mut aggregator, REQUESTS, (100.1, 1.0), &TAGS);
    let late = aggregator.take_passed();
    assert_eq!((late[0].second, requests(&late[0])), (100, 1));
    let rest = aggregator.take_rest();
    assert_eq!(
        rest.iter().map(|b| b.second).collect::<Vec<_>>(),
        [101, 102]
    );
    assert!(aggregator.take_rest().is_empty());
}

#[test]
fn series_are_split_by_the_tags_that_matter_only() {
    let mut aggregator = Aggregator::new(Vec::new());
    for (name, url) in [("list", "/1"), ("list", "/2"), ("read", "/3")] {
        add(
            &mut aggregator,
            REQUESTS,
            (1.0, 1.0),
            &[("name", name), ("url", url)],
        );
    }
    let bucket = aggregator.take_rest().remove(0);
    let names: Vec<_> = bucket
        .series
        .iter()
        .map(|(key, _)| key.tags.name.as_str())
        .collect();
    assert_eq!(names, ["list", "read"]);
    assert_eq!(requests(&bucket), 3);
    let counts: Vec<_> = bucket
        .series
        .iter()
        .map(|(_, value)| value.samples())
        .collect();
    assert_eq!(counts, [2, 1]);
    assert!(bucket.merged("nothing").is_none());
}

#[test]
fn tag_sets_beyond_the_bound_are_merged_and_counted() {
    let mut aggregator = Aggregator::new(Vec::new());
    for number in 0..MAX_TAG_SETS + 50 {
        for _ in 0..2 {
            add(
                &mut aggregator,
                REQUESTS,
                (1.0, 1.0),
                &[("name", &number.to_string())],
            );
        }
    }
    add(
        &mut aggregator,
        REQUESTS,
        (1.0, 1.0),
        &[("name", &"x".repeat(501))],
    );
    let results = aggregator.results(None);
    assert_eq!(
        (results.coverage.tag_sets, results.coverage.samples_in_other),
        (200, 101)
    );
    assert!(
        (results.metrics["http_reqs"].values["count"] - 501.0).abs() < 1e-9,
        "none is lost"
    );
    let bucket = aggregator.take_rest().remove(0);
    assert_eq!(bucket.series.len(), MAX_TAG_SETS + 1);
    let other = bucket.series.iter().find(|(key, _)| key.tags.other);
    assert_eq!(other.map(|(_, value)| value.samples()), Some(101));
}

#[test]
fn metrics_and_checks_beyond_their_bounds_are_counted() {
    let mut aggregator = Aggregator::new(Vec::new());
    for number in 0..250 {
        add(
            &mut aggregator,
            CHECKS,
            (1.0, 1.0),
            &[("check", &number.to_string())],
        );
    }
    let results = aggregator.results(None);
    assert_eq!(
        (results.checks.len(), results.coverage.samples_left_out),
        (200, 50)
    );
    for number in 0..250 {
        let name = format!("metric_{number}");
        add(
            &mut aggregator,
            (&name, MetricKind::Counter),
            (1.0, 1.0),
            &[],
        );
    }
    add(
        &mut aggregator,
        ("metric_0", MetricKind::Trend),
        (1.0, 1.0),
        &[],
    );
    let results = aggregator.results(None);
    assert_eq!(
        (results.metrics.len(), results.coverage.samples_left_out),
        (200, 50 + 51 + 1)
    );
}

#[test]
fn rates_are_over_the_load_without_setup_and_teardown() {
    let mut aggregator = Aggregator::new(Vec::new());
    let in_setup = [("group", "::setup")];
    add(&mut aggregator, REQUESTS, (10.0, 1.0), &in_setup);
    add(&mut aggregator, DURATION, (10.0, 900.0), &in_setup);
    for step in 0..20 {
        let end = 20.5 + f64::from(step) * 0.5;
        add(&mut aggregator, REQUESTS, (end, 1.0), &TAGS);
        add(&mut aggregator, DURATION, (end, 500.0), &TAGS);
    }
    add(&mut aggregator, USERS, (40.0, 0.0), &[]);
    let results = aggregator.results(None);
    // The first request of the load began at 20.0 and the last one ended at 30.0.
    assert!((results.coverage.load_seconds - 10.0).abs() < 1e-9);
    let values = &results.metrics["http_reqs"].values;
    assert!((values["count"] - 21.0).abs() < 1e-9 && (values["rate"] - 2.0).abs() < 1e-9);
}

#[test]
fn all_kinds_have_the_statistics_of_k6() {
    let mut aggregator = Aggregator::new(Vec::new());
    for (second, value) in [(1.0, 3.0), (2.0, 1.0), (3.0, 2.0)] {
        add(&mut aggregator, USERS, (second, value), &[]);
        add(
            &mut aggregator,
            FAILED,
            (second, f64::from(u8::from(value > 2.0))),
            &TAGS,
        );
        add(&mut aggregator, DURATION, (second, value), &TAGS);
    }
    let results = aggregator.results(None);
    let check = |metric: &str, expected: &[(&str, f64)]| {
        let values = &results.metrics[metric].values;
        assert_eq!(values.len(), expected.len(), "{values:?}");
        for (statistic, number) in expected {
            assert!(
                (values[*statistic] - number).abs() < 1e-9,
                "{metric} {statistic}: {values:?}"
            );
        }
    };
    check("vus", &[("value", 2.0), ("min", 1.0), ("max", 3.0)]);
    check(
        "http_req_failed",
        &[("rate", 1.0 / 3.0), ("passes", 1.0), ("fails", 2.0)],
    );
    let trend = [
        ("avg", 2.0),
        ("min", 1.0),
        ("med", 2.0),
        ("max", 3.0),
        ("p(90)", 2.8),
        ("p(95)", 2.9),
        ("p(99)", 2.98),
        ("count", 3.0),
    ];
    check("http_req_duration", &trend);
}

#[test]
fn seconds_put_together_are_the_run() {
    let mut aggregator = Aggregator::new(Vec::new());
    let mut merged = SeriesValue::empty(MetricKind::Trend);
    let mut seconds = Vec::new();
    for number in 0..5_000_u32 {
        let value = f64::from(number % 977) * 1.31;
        let status = if number % 3 == 0 { "200" } else { "404" };
        add(
            &mut aggregator,
            DURATION,
            (f64::from(number) * 0.003, value),
            &[("scenario", "s"), ("status", status)],
        );
        seconds.extend(aggregator.take_passed());
    }
    seconds.extend(aggregator.take_rest());
    for second in &seconds {
        let stored = second.merged("http_req_duration").unwrap().to_bytes();
        assert!(merged.merge(&SeriesValue::from_bytes(&stored).unwrap()));
    }
    let SeriesValue::Trend(merged) = merged else {
        panic!("another kind")
    };
    let values = &aggregator.results(None).metrics["http_req_duration"].values;
    assert_eq!(merged.quantile(0.95), Some(values["p(95)"]));
    assert_eq!(merged.quantile(0.5), Some(values["med"]));
    assert_eq!(merged.count(), 5_000);
}

#[test]
fn results_have_the_shape_of_the_contract() {
    let mut aggregator = Aggregator::new(Vec::new());
    add(&mut aggregator, CHECKS, (1.0, 1.0), &[("check", "ok")]);
    add(&mut aggregator, CHECKS, (1.0, 0.0), &[("check", "ok")]);
    let json = serde_json::to_value(aggregator.results(None)).unwrap();
    assert_eq!(json["metrics"]["checks"]["type"], "rate");
    assert_eq!(json["metrics"]["checks"]["contains"], "default");
    assert_eq!(
        json["checks"],
        serde_json::json!([{"name": "ok", "passes": 1, "fails": 1, "successRate": 0.5}])
    );
    assert_eq!(
        json["thresholds"],
        serde_json::json!({"results": {}, "allPassed": true})
    );
}
