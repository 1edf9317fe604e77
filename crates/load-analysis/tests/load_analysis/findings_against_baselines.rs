//! Findings that hold a run against those of the baseline.

use load_analysis::findings::{FindingKind, Findings, Observed, TargetBaseline, find};
use load_analysis::resources::{ResourceSeries, Resources, Signal};

use crate::findings::{SECONDS, flat, series};

fn resources(series: Vec<ResourceSeries>) -> Resources {
    Resources {
        available: true,
        step: 2,
        series,
        ..Resources::default()
    }
}

/// What is found in constant signals after runs whose signals were constant, and a bit noisy.
fn found_after(before: &[(Signal, &str, f64)], now: &[(Signal, &str, f64)]) -> Findings {
    let judged = 0.0..f64::from(SECONDS);
    let constant = |signals: &[(Signal, &str, f64)], factor: f64| {
        let series = |&(signal, of, value): &(Signal, &str, f64)| {
            series(signal, of, move |_| value * factor)
        };
        resources(signals.iter().map(series).collect())
    };
    let mut baseline = TargetBaseline::default();
    for factor in [0.97, 0.99, 1.0, 1.01, 1.03] {
        baseline.add(&constant(before, factor), &judged);
    }
    find(&Observed {
        resources: &constant(now, 1.0),
        load: &flat(),
        judged,
        baseline: Some(&baseline),
    })
}

#[test]
fn what_is_not_as_in_the_baseline_is_named() {
    let usual = [
        (Signal::CacheHits, "books l2", 0.93),
        (Signal::StoreP95, "sqlite", 0.002),
        (Signal::ModelFirstChunkP95, "ollama", 0.2),
    ];
    let colder = [
        (Signal::CacheHits, "books l2", 0.41),
        (Signal::StoreP95, "sqlite", 0.004),
        (Signal::ModelFirstChunkP95, "ollama", 0.2),
    ];
    let found = found_after(&usual, &colder);
    assert_eq!(found.findings.len(), 1, "{found:?}");
    let first = &found.findings[0];
    assert_eq!(first.kind, FindingKind::ColderThanBaseline);
    assert_eq!(
        first.sentence,
        "The cache hit ratio of books l2 fell from 0.93 (median of 5 runs of the baseline) to 0.41 \
         while the p95 of calls to sqlite went from 2.00 to 4.00 ms."
    );
    assert!(found.note.contains("beside those of 5 runs"), "{found:?}");

    let slower = [
        (Signal::CacheHits, "books l2", 0.90),
        (Signal::StoreP95, "sqlite", 0.002),
        (Signal::ModelFirstChunkP95, "ollama", 0.5),
    ];
    let found = found_after(&usual, &slower).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].kind, found[0].part.as_str()),
        (FindingKind::SlowerThanBaseline, "ollama")
    );
    assert_eq!(
        found[0].sentence,
        "The p95 to the first chunk of ollama went from 200 to 500 ms, from the median of 5 runs of \
         the baseline."
    );
    assert_eq!(
        found_after(&usual, &usual).findings,
        [],
        "the same is no finding"
    );
    // What the baseline never saw has nothing to be held against.
    assert_eq!(found_after(&usual[1..2], &usual).findings, []);
}

/// A baseline whose own runs differ so much knows no better.
#[test]
fn what_the_baseline_itself_has_seen_is_no_finding() {
    let judged = 0.0..f64::from(SECONDS);
    let mut baseline = TargetBaseline::default();
    for ratio in [0.3, 0.9, 0.92, 0.93, 0.94] {
        let cache = series(Signal::CacheHits, "books l2", move |_| ratio);
        baseline.add(&resources(vec![cache]), &judged);
    }
    let now = resources(vec![series(Signal::CacheHits, "books l2", |_| 0.41)]);
    let found = find(&Observed {
        resources: &now,
        load: &flat(),
        judged,
        baseline: Some(&baseline),
    });
    assert_eq!(found.findings, []);
}
