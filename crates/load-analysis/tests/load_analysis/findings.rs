//! Findings in made series: each names what was planted, and nothing else.

use load_analysis::findings::{FindingKind, Findings, LoadPoint, Observed, find};
use load_analysis::resources::{ResourceSeries, Resources, Signal};

pub(crate) const SECONDS: u32 = 180;

pub(crate) fn series(signal: Signal, of: &str, value: impl Fn(f64) -> f64) -> ResourceSeries {
    let points = (0..SECONDS / 2).map(|step| f64::from(step * 2));
    ResourceSeries {
        signal,
        of: of.to_owned(),
        points: points.map(|t| (t, value(t))).collect(),
    }
}

/// A target in good health: ten requests in service, spread over its parts.
fn healthy() -> Vec<ResourceSeries> {
    vec![
        series(Signal::RequestsBusy, "", |_| 10.0),
        series(Signal::StoreBusy, "sqlite", |_| 2.0),
        series(Signal::StoreBusy, "redis", |_| 1.0),
        series(Signal::StoreP95, "sqlite", |_| 0.002),
        series(Signal::StoreP95, "redis", |_| 0.001),
        series(Signal::ModelBusy, "claude", |_| 3.0),
        series(Signal::ModelQueueBusy, "claude", |_| 0.1),
        series(Signal::CacheHits, "books l1", |_| 0.9),
        series(Signal::WorkersBusy, "", |_| 0.4),
        series(Signal::Cpu, "", |_| 0.8),
        series(Signal::Memory, "", |_| 1e8),
        series(Signal::Circuit, "claude", |_| 0.0),
    ]
}

fn load(of: impl Fn(f64) -> (f64, f64, f64)) -> Vec<LoadPoint> {
    let point = |t: f64| {
        let (users, rate, p95) = of(t);
        LoadPoint {
            t,
            requests_per_second: rate,
            p95: Some(p95),
            users: Some(users),
        }
    };
    (0..SECONDS).map(|t| point(f64::from(t))).collect()
}

fn found(planted: Vec<ResourceSeries>, load: &[LoadPoint]) -> Findings {
    found_with_rates_over(0, planted, load)
}

fn found_with_rates_over(
    window: u32,
    planted: Vec<ResourceSeries>,
    load: &[LoadPoint],
) -> Findings {
    let mut all = healthy();
    for one in planted {
        all.retain(|it| (it.signal, &it.of) != (one.signal, &one.of));
        all.push(one);
    }
    let resources = Resources {
        available: true,
        note: String::new(),
        step: 2,
        window,
        series: all,
    };
    find(&Observed {
        resources: &resources,
        load,
        judged: 0.0..f64::from(SECONDS),
        baseline: None,
    })
}

pub(crate) fn flat() -> Vec<LoadPoint> {
    load(|_| (10.0, 50.0, 40.0))
}

#[test]
fn nothing_is_found_in_good_health() {
    let findings = found(Vec::new(), &flat());
    assert_eq!(findings.findings, []);
    assert!(
        findings.note.contains("No part of it stands out"),
        "{findings:?}"
    );
}

/// Each planted cause is the one finding, names its part, and has its figures.
fn check(causes: &[(Vec<ResourceSeries>, FindingKind, &str, &str)]) {
    for (planted, kind, part, figures) in causes {
        let findings = found(planted.clone(), &flat()).findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        let first = &findings[0];
        assert_eq!(
            (first.kind, first.part.as_str()),
            (*kind, *part),
            "{first:?}"
        );
        assert!(first.sentence.contains(figures), "{}", first.sentence);
        assert!(first.recommendation.len() > 20, "{first:?}");
    }
}

#[test]
fn where_requests_spend_their_time_is_named() {
    check(&[
        (
            vec![
                series(Signal::StoreBusy, "redis", |_| 9.2),
                series(Signal::StoreP95, "redis", |_| 0.031),
            ],
            FindingKind::StoreTime,
            "redis",
            "92.00 % of their time in calls to redis: of 10 requests in service at a time, 9.20 \
             were there; the p95 of its calls was 31.0 ms",
        ),
        (
            vec![series(Signal::ModelBusy, "claude", |_| 9.5)],
            FindingKind::ModelTime,
            "claude",
            "95.00 % of their time at the model of claude",
        ),
        (
            vec![
                series(Signal::ModelQueueBusy, "claude", |_| 8.0),
                series(Signal::ModelBusy, "claude", |_| 1.0),
            ],
            FindingKind::ModelQueue,
            "claude",
            "80.00 % of their time waiting for a place at claude",
        ),
        (
            vec![series(Signal::PoolBusy, "sqlite", |_| 4.0)],
            FindingKind::PoolWait,
            "sqlite",
            "waiting for a connection to sqlite",
        ),
    ]);
}

#[test]
fn what_is_used_up_or_changes_is_named() {
    let cooling = |t: f64| if t < 60.0 { 0.93 } else { 0.41 };
    check(&[
        (
            vec![series(Signal::WorkersBusy, "", |_| 0.97)],
            FindingKind::Processors,
            "processors",
            "busy 97.00 % of the time, the process used 0.80 processors",
        ),
        (
            vec![series(Signal::Circuit, "claude", |t| {
                if t < 90.0 { 0.0 } else { 2.0 }
            })],
            FindingKind::CircuitOpen,
            "claude",
            "open or half open 50.00 % of the time",
        ),
        (
            vec![
                series(Signal::CacheHits, "books l1", cooling),
                series(Signal::StoreP95, "sqlite", |t| {
                    if t < 60.0 { 0.002 } else { 0.004 }
                }),
            ],
            FindingKind::CacheCooled,
            "books l1",
            "fell from 0.93 to 0.41 while the p95 of calls to sqlite went from 2.00 to 4.00 ms",
        ),
        (
            vec![series(Signal::Memory, "", |t| 1e8 + t * 1e6)],
            FindingKind::MemoryGrowth,
            "memory",
            "MiB per minute",
        ),
    ]);
}

#[test]
fn memory_that_only_fills_a_cache_is_no_finding() {
    let filling = series(Signal::Memory, "", |t| 1e8 + t.min(50.0) * 2e6);
    assert_eq!(found(vec![filling], &flat()).findings, []);
}

/// Users double, the rate stays: the waits double.
#[test]
fn a_target_that_does_no_more_is_saturated() {
    let growing = load(|t| {
        let users = 2.0 + t / 9.0;
        let rate = users.min(8.0) * 10.0;
        (users, rate, users / rate * 1_000.0)
    });
    let findings = found(Vec::new(), &growing).findings;
    assert_eq!(findings[0].kind, FindingKind::Saturation, "{findings:?}");
    assert!(
        findings[0].sentence.contains("80 requests per second"),
        "{findings:?}"
    );
    let scaling = load(|t| (2.0 + t / 9.0, (2.0 + t / 9.0) * 10.0, 40.0));
    assert_eq!(found(Vec::new(), &scaling).findings, []);
}

#[test]
fn without_resources_only_the_load_is_looked_at() {
    let resources = Resources::none("no Prometheus is set.");
    let findings = find(&Observed {
        resources: &resources,
        load: &flat(),
        judged: 0.0..180.0,
        baseline: None,
    });
    assert_eq!(findings.findings, []);
    assert_eq!(
        findings.note,
        "Only the load itself was looked at: no Prometheus is set."
    );
}

/// The first rates of the judged time tell of the ramp before it.
#[test]
fn what_was_before_is_not_judged() {
    let series = vec![
        series(Signal::RequestsBusy, "", |_| 10.0),
        series(Signal::StoreBusy, "redis", |t| {
            if t < 60.0 { 10.0 } else { 0.1 }
        }),
    ];
    let judged_with = |window| {
        let resources = Resources {
            available: true,
            step: 2,
            window,
            series: series.clone(),
            ..Resources::default()
        };
        let judged = 0.0..100.0;
        let load = &flat();
        find(&Observed {
            resources: &resources,
            load,
            judged,
            baseline: None,
        })
        .findings
        .len()
    };
    assert_eq!(judged_with(0), 1);
    assert_eq!(judged_with(40), 0);
    assert_eq!(judged_with(60), 1, "nothing would be left");
}

/// A target that nobody asks has no shares.
#[test]
fn an_idle_target_has_no_bottleneck() {
    let planted = vec![
        series(Signal::RequestsBusy, "", |_| 0.001),
        series(Signal::StoreBusy, "sqlite", |_| 0.001),
        series(Signal::StoreBusy, "redis", |_| 0.0),
        series(Signal::ModelBusy, "claude", |_| 0.0),
        series(Signal::ModelQueueBusy, "claude", |_| 0.0),
    ];
    assert_eq!(found(planted, &flat()).findings, []);
}

#[test]
fn rates_of_more_than_the_run_name_no_part() {
    let busy = || vec![series(Signal::ModelBusy, "claude", |_| 9.0)];
    let enough = found_with_rates_over(SECONDS, busy(), &flat());
    assert_eq!(enough.findings[0].kind, FindingKind::ModelTime);
    let short = found_with_rates_over(SECONDS + 1, busy(), &flat());
    assert_eq!(short.findings, []);
    assert_eq!(
        short.note,
        "Only the load itself was looked at: its 180 s are fewer than the 181 s that the target's \
         rates are made over, which tell of other load too."
    );
}
