//! What a target used during a run, asked of Prometheus.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use load_analysis::resources::{ResourceSeries, Resources, Signal};
use tokio::time::timeout;
use url::Url;

use super::prometheus::{Prometheus, Range, TimeSpan};
use super::signals::Selector;

/// The longest that all queries together may take: the end of a run waits for them.
const DEADLINE: Duration = Duration::from_secs(5);

/// Queries at a time.
const AT_ONCE: usize = 4;

/// Points of a series: a longer run has longer steps.
const MAX_POINTS: i64 = 600;

/// Series of one signal: providers, stores, caches with their levels.
const MAX_SERIES: usize = 12;

/// Scrapes are no further apart than this, or rates over some of them tell nothing of a run.
const LONGEST_SCRAPE: u32 = 60;

/// The seconds of a run, since the Unix epoch, both included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunTime {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Reads all signals of a target.
pub(super) async fn read(prometheus: &Prometheus, base_url: &str, time: RunTime) -> Resources {
    let Some(instance) = instance(base_url) else {
        return Resources::none("the target's address has no host and port.");
    };
    match timeout(DEADLINE, all(prometheus, &instance, time)).await {
        Ok(Ok(resources)) => resources,
        Ok(Err(why)) => Resources::none(format!("Prometheus cannot be asked: {why}.")),
        Err(_) => Resources::none("Prometheus did not answer in time."),
    }
}

async fn all(prometheus: &Prometheus, instance: &str, time: RunTime) -> Result<Resources, String> {
    let scrapes = Selector::scrapes(instance);
    let scrapes = prometheus.sample_times(&scrapes, time.last).await?;
    let Some(scrape) = seconds_between(&scrapes) else {
        let note = format!("Prometheus does not scrape {instance} at least once a minute.");
        return Ok(Resources::none(note));
    };
    let length = (time.last - time.first).max(1);
    let step = u32::try_from((length + MAX_POINTS - 1) / MAX_POINTS).unwrap_or(u32::MAX);
    let span = TimeSpan {
        start: time.first,
        end: time.last,
        step: step.max(1),
    };
    let selector = Selector::new(instance, scrape);
    let asked = selector
        .expressions()
        .into_iter()
        .map(|(signal, query)| async move {
            let found = prometheus.range(&query, span).await?;
            Ok::<_, String>((signal, found))
        });
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    let mut series = Vec::new();
    while let Some(answer) = answers.next().await {
        let (signal, found) = answer?;
        let found = found.into_iter().take(MAX_SERIES);
        series.extend(found.filter_map(|range| of_run(signal, range, time.first)));
    }
    Ok(Resources {
        available: !series.is_empty(),
        note: format!("{instance} as Prometheus saw it, every {scrape} s."),
        step: span.step,
        window: selector.window(),
        series,
    })
}

/// The pause between scrapes at these times, in whole seconds; `None` where there are too few.
fn seconds_between(scrapes: &[f64]) -> Option<u32> {
    let pauses = u32::try_from(scrapes.len()).ok()?.checked_sub(1)?;
    let mean = (scrapes.last()? - scrapes.first()?) / f64::from(pauses.max(1));
    // A scrape that is some milliseconds late makes no longer pause.
    let fits = |seconds: &u32| pauses > 0 && f64::from(*seconds) >= mean - 0.5;
    (1..=LONGEST_SCRAPE).find(fits)
}

/// A series on the time axis of its run; its part is what its labels say.
fn of_run(signal: Signal, range: Range, first: i64) -> Option<ResourceSeries> {
    let of: Vec<String> = range.labels.into_values().collect();
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are far below 2^53"
    )]
    let origin = first as f64;
    let points: Vec<(f64, f64)> = range
        .points
        .into_iter()
        .map(|(at, value)| (at - origin, value))
        .collect();
    (!points.is_empty()).then(|| ResourceSeries {
        signal,
        of: of.join(" "),
        points,
    })
}

/// Host and port, which Prometheus calls a target by.
fn instance(base_url: &str) -> Option<String> {
    let url: Url = base_url.parse().ok()?;
    let port = url.port_or_known_default()?;
    Some(format!("{}:{port}", url.host_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapes_tell_their_pause() {
        assert_eq!(seconds_between(&[10.0, 11.01, 12.0]), Some(1));
        assert_eq!(seconds_between(&[10.0, 25.0, 40.02]), Some(15));
        assert_eq!(seconds_between(&[10.0]), None, "one scrape has no pause");
        assert_eq!(seconds_between(&[]), None);
        assert_eq!(seconds_between(&[0.0, 90.0]), None, "too far apart");
    }

    #[test]
    fn an_instance_is_host_and_port() {
        assert_eq!(instance("http://api:7002").as_deref(), Some("api:7002"));
        assert_eq!(instance("https://api/x").as_deref(), Some("api:443"));
    }
}
