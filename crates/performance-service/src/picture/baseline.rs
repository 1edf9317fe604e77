//! How long the requests of a test's baseline took: its newest runs put together.

use load_analysis::distribution::Distribution;
use load_analysis::series::SeriesValue;
use performance_store::{BaselineVersion, RunAddress, RunStore, StoreError};

const DURATION: &str = "http_req_duration";

/// Runs of a baseline that are read: their curves hardly differ, and each takes a part of a page's
/// time.
const MOST_RUNS: usize = 3;

/// Seconds of runs that are read for a page: four hours take less than a second.
const MOST_SECONDS: u64 = 4 * 3_600;

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
    store: &RunStore,
    version: &BaselineVersion,
    but: &RunAddress,
) -> Result<Option<BaselineDurations>, StoreError> {
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
        let folded = store.fold_seconds(
            &run,
            &[DURATION],
            durations,
            |durations: &mut Distribution, bucket| {
                if let Some(SeriesValue::Trend(more)) = bucket.merged_load(DURATION) {
                    durations.merge(&more);
                }
            },
        );
        durations = folded.await?;
        read += 1;
    }
    Ok((durations.count() > 0).then_some(BaselineDurations {
        durations,
        version: version.version,
        read,
        of: runs.len(),
    }))
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
