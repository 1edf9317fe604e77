//! What was otherwise at the end of the judged time than at its begin.

use std::ops::Range;

use super::{Finding, FindingKind, LoadPoint, Observed, thirds};
use crate::notation::number;
use crate::resources::{ResourceSeries, Signal};

/// A hit ratio that fell by this is another cache.
pub(super) const LEAST_FALL: f64 = 0.15;

/// Calls that became this many times as slow.
pub(super) const LEAST_SLOWER: f64 = 1.5;

/// Memory that grew to this many times its size, in a run long enough to tell.
const LEAST_MEMORY_GROWTH: f64 = 1.3;

/// Seconds that memory must have been watched: caches fill at first.
const LEAST_MEMORY_SECONDS: f64 = 120.0;

const MEBIBYTE: f64 = 1_048_576.0;

pub(super) fn find(observed: &Observed<'_>) -> Vec<Finding> {
    let caches = observed.resources.of(Signal::CacheHits);
    let caches = caches.filter_map(|cache| cooled(observed, cache));
    caches.chain(memory(observed)).collect()
}

/// `cache hit ratio of books l1 fell from 0.93 to 0.41 while the p95 of sqlite went from …`
fn cooled(observed: &Observed<'_>, cache: &ResourceSeries) -> Option<Finding> {
    let (begin, end) = thirds(&observed.judged);
    let (before, after) = (cache.mean(&begin)?, cache.mean(&end)?);
    if before - after < LEAST_FALL {
        return None;
    }
    let slower = observed.resources.of(Signal::StoreP95).filter_map(|store| {
        let (before, after) = (store.mean(&begin)?, store.mean(&end)?);
        (after >= before * LEAST_SLOWER).then(|| {
            format!(
                "the p95 of calls to {} went from {} to {} ms",
                store.of,
                number(before * 1_000.0),
                number(after * 1_000.0)
            )
        })
    });
    let mut meanwhile: Vec<String> = slower.collect();
    meanwhile.extend(latency(observed.load, &begin, &end));
    let meanwhile = match meanwhile.join(" and ") {
        none if none.is_empty() => none,
        some => format!(" while {some}"),
    };
    Some(Finding {
        kind: FindingKind::CacheCooled,
        part: cache.of.clone(),
        sentence: format!(
            "The cache hit ratio of {} fell from {before:.2} to {after:.2}{meanwhile}.",
            cache.of
        ),
        recommendation: format!(
            "See whether {} is too small for what is asked (its evictions), whether its entries \
             expire together, or writes drop them.",
            cache.of
        ),
        weight: (before - after).min(1.0),
    })
}

/// `the p95 of requests went from 20 to 55 ms`, if it did.
fn latency(load: &[LoadPoint], begin: &Range<f64>, end: &Range<f64>) -> Option<String> {
    let mean = |within: &Range<f64>| {
        let inside = load.iter().filter(|it| within.contains(&it.t));
        let values: Vec<f64> = inside.filter_map(|it| it.p95).collect();
        let count = crate::number::from_size(values.len());
        (count > 0.0).then(|| values.iter().sum::<f64>() / count)
    };
    let (before, after) = (mean(begin)?, mean(end)?);
    (after >= before * LEAST_SLOWER).then(|| {
        format!(
            "the p95 of requests went from {} to {} ms",
            number(before),
            number(after)
        )
    })
}

fn memory(observed: &Observed<'_>) -> Option<Finding> {
    let judged = &observed.judged;
    let seconds = judged.end - judged.start;
    if seconds < LEAST_MEMORY_SECONDS {
        return None;
    }
    let (begin, end) = thirds(judged);
    let series = observed.resources.of(Signal::Memory).next()?;
    let middle = begin.end..end.start;
    let (first, second, last) = (
        series.mean(&begin)?,
        series.mean(&middle)?,
        series.mean(&end)?,
    );
    // What only fills up grows less in the end than at first.
    let goes_on = last - second >= (second - first) / 2.0;
    if last < first * LEAST_MEMORY_GROWTH || !goes_on {
        return None;
    }
    let per_minute = (last - first) / (seconds * 2.0 / 3.0) * 60.0;
    Some(Finding {
        kind: FindingKind::MemoryGrowth,
        part: "memory".to_owned(),
        sentence: format!(
            "Memory grew from {} to {} MiB and did not stop: {} MiB per minute.",
            number(first / MEBIBYTE),
            number(last / MEBIBYTE),
            number(per_minute / MEBIBYTE)
        ),
        recommendation: "Make a longer run (soak) to see whether it ends; a cache without a bound \
                         and tasks that pile up are the usual causes."
            .to_owned(),
        weight: 0.3,
    })
}
