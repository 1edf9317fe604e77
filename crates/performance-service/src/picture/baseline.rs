//! How long the requests of a test's baseline took: its newest runs put together.

use std::sync::Arc;

use load_analysis::aggregate::SecondBucket;
use load_analysis::distribution::Distribution;
use load_analysis::series::SeriesValue;
use performance_store::{BaselineVersion, LongReader, RunAddress, RunStore, StoreError};

use crate::app::App;
use crate::recently_made::RecentlyMade;

const DURATION: &str = "http_req_duration";

/// Runs of a baseline that are read: their curves hardly differ, and each takes a part of a page's
/// time.
const MOST_RUNS: usize = 3;

/// Seconds of runs that are read for a page: four hours take less than a second.
const MOST_SECONDS: u64 = 4 * 3_600;

/// Runs whose durations are kept: those of some tests' baselines, of some kilobytes each.
const MOST_KEPT: usize = 32;

/// The durations of a run, by its seconds' bytes.
pub(super) type KeptDurations = RecentlyMade<(RunAddress, u64), Arc<Distribution>>;

pub(super) fn kept() -> KeptDurations {
    RecentlyMade::new(MOST_KEPT)
}

/// Durations of requests of the load, in milliseconds.
pub(crate) struct BaselineDurations {
    pub(crate) durations: Distribution,
    version: u64,
    /// Runs that were read, of how many.
    read: usize,
    of: usize,
}

/// Reads the durations of a baseline, but for one run; `None` where there is none to read.
pub(crate) async fn durations_of(
    app: &App,
    version: &BaselineVersion,
    but: &RunAddress,
) -> Result<Option<BaselineDurations>, StoreError> {
    let store = &app.store;
    let mut durations = Distribution::default();
    let (mut read, mut seconds) = (0, 0);
    let runs = &version.baseline.runs;
    for id in runs.iter().rev().filter_map(|run| run.run.parse().ok()) {
        let run = RunAddress {
            tenant: but.tenant.clone(),
            id,
        };
        if run == *but || read == MOST_RUNS {
            continue;
        }
        // A run of a baseline is not removed; one that is gone all the same says nothing.
        let length = match store.span_seconds(&run).await {
            Err(StoreError::NotFound) => continue,
            length => length?,
        };
        seconds += length;
        if seconds > MOST_SECONDS {
            break;
        }
        let key = (run.clone(), store.second_bytes(&run).await?);
        let kept = &app.pictures.durations;
        let of_one = kept.get(key, of_one(store, &run)).await?;
        durations.merge(&of_one);
        read += 1;
    }
    Ok((durations.count() > 0).then_some(BaselineDurations {
        durations,
        version: version.version,
        read,
        of: runs.len(),
    }))
}

async fn of_one(store: &RunStore, run: &RunAddress) -> Result<Arc<Distribution>, StoreError> {
    let add = |durations: &mut Distribution, bucket: SecondBucket| {
        if let Some(SeriesValue::Trend(more)) = bucket.merged_load(DURATION) {
            durations.merge(&more);
        }
    };
    let of = (run, LongReader::Shared);
    let folded = store.fold_seconds(of, &[DURATION], Distribution::default(), add);
    Ok(Arc::new(folded.await?))
}

impl BaselineDurations {
    /// `baseline 2, 3 of its 5 runs`
    pub(crate) fn words(&self) -> String {
        let Self {
            version, read, of, ..
        } = self;
        format!("baseline {version}, {read} of its {of} runs")
    }
}
