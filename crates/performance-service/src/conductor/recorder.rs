//! Puts what was measured into the store, and holds it back while the store fails.

use load_analysis::aggregate::SecondBucket;
use performance_store::{Event, NewEvent, Run, RunAddress, RunStore, StoreError};

use super::collector::Batch;
use crate::{announcer, timeline};

/// Seconds that may wait for a store that fails. A run whose measurements cannot be kept for
/// longer is stopped: it would load the target for nothing.
const MAX_WAITING_SECONDS: usize = 60;

/// Why measurements are lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordingError {
    #[error("the results cannot be stored: {0}")]
    Store(#[from] StoreError),
    #[error("the samples of k6 cannot be read: {0}")]
    Unreadable(String),
}

/// The way of one run's measurements into the store.
pub(super) struct Recorder<'a> {
    store: &'a RunStore,
    run: RunAddress,
    fence: u64,
    /// The second of the first sample: t = 0.
    origin: Option<i64>,
    /// The newest second that was told to watchers.
    told: Option<i64>,
    waiting: Vec<SecondBucket>,
    events: Vec<NewEvent>,
    cut: Option<String>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(store: &'a RunStore, run: &Run) -> Self {
        Self {
            store,
            run: run.address(),
            fence: run.fence,
            origin: None,
            told: None,
            waiting: Vec::new(),
            events: Vec::new(),
            cut: None,
        }
    }

    pub(super) const fn run(&self) -> &RunAddress {
        &self.run
    }

    /// Why the stored seconds end before the run, if they do. The results hold all samples
    /// all the same.
    pub(super) fn cut(&self) -> Option<String> {
        self.cut.clone()
    }

    /// Stores a batch, and with it what waited; gives the events to announce.
    pub(super) async fn record(&mut self, batch: Batch) -> Result<Vec<Event>, RecordingError> {
        self.record_lines(batch.lines).await;
        for bucket in batch.seconds {
            self.plan_event(&bucket);
            if self.cut.is_none() {
                self.waiting.push(bucket);
            }
        }
        if self.waiting.is_empty() && self.events.is_empty() {
            return Ok(Vec::new());
        }
        let (seconds, events) = (self.waiting.clone(), self.events.clone());
        let stored = self
            .store
            .record_seconds(&self.run, self.fence, seconds, events)
            .await;
        match stored {
            Ok(events) => {
                self.waiting.clear();
                self.events.clear();
                Ok(events)
            }
            Err(error @ StoreError::RunTooLarge { .. }) => {
                tracing::warn!(test.id = %self.run.id, "{error}");
                self.cut = Some(error.to_string());
                self.waiting.clear();
                Ok(Vec::new())
            }
            Err(error @ (StoreError::Moved { .. } | StoreError::NotFound)) => Err(error.into()),
            Err(error) if self.waiting.len() > MAX_WAITING_SECONDS => Err(error.into()),
            Err(error) => {
                tracing::warn!(test.id = %self.run.id, "measurements wait for the store: {error}");
                Ok(Vec::new())
            }
        }
    }

    /// A second is told once; its late samples change what is stored only.
    fn plan_event(&mut self, bucket: &SecondBucket) {
        let origin = *self.origin.get_or_insert(bucket.second);
        if self.told.is_some_and(|told| bucket.second <= told) {
            return;
        }
        self.told = Some(bucket.second);
        let t = u32::try_from(bucket.second - origin).unwrap_or(0);
        let point = timeline::second(bucket, t);
        self.events.push(announcer::second(&self.run, &point));
    }

    async fn record_lines(&self, lines: Vec<performance_store::LogLine>) {
        if lines.is_empty() {
            return;
        }
        let count = lines.len();
        let stored = self.store.append_logs(&self.run, self.fence, lines).await;
        if let Err(error) = stored {
            tracing::warn!(test.id = %self.run.id, "{count} log lines are lost: {error}");
        }
    }
}
