//! Puts what was measured into the store, and holds it back while the store fails.

use std::time::Duration;

use load_analysis::aggregate::SecondBucket;
use load_analysis::spend::Spend;
use performance_store::{Event, Run, RunAddress, RunStore, SecondsPart, StoreError, ToldSeconds};

use super::collector::Batch;
use super::pause;
use crate::remote_write::{Live, RemoteWrite};
use crate::{announcer, timeline};

/// Seconds that may wait for a store that fails. A run whose measurements cannot be kept for
/// longer is stopped: it would load the target for nothing.
const MAX_WAITING_SECONDS: usize = 60;

/// How often what is left at the end is offered to a store that fails. The end itself, which
/// comes after it, is worth more.
const LAST_ATTEMPTS: u32 = 5;

/// Between two of these attempts.
const LAST_PAUSE: Duration = Duration::from_secs(1);

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
    /// What was offered and is not known to be stored. It is offered again as it was, under
    /// the same number: the store may have it.
    offered: SecondsPart,
    /// What comes after that.
    waiting: SecondsPart,
    cut: Option<String>,
    /// What the run has cost so far.
    spend: Option<Spend>,
    /// The way into Prometheus, if it is asked for.
    live: Option<Live>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(store: &'a RunStore, run: &Run) -> Self {
        Self {
            store,
            run: run.address(),
            fence: run.fence,
            origin: None,
            told: None,
            offered: SecondsPart::default(),
            waiting: SecondsPart {
                number: 1,
                ..SecondsPart::default()
            },
            cut: None,
            spend: None,
            live: None,
        }
    }

    /// Goes on with a run whose watchers were told of these seconds.
    pub(super) fn resume(store: &'a RunStore, run: &Run, told: Option<ToldSeconds>) -> Self {
        Self {
            origin: told.map(|told| told.first),
            told: told.map(|told| told.last),
            ..Self::new(store, run)
        }
    }

    /// Has the seconds written to Prometheus too, but for those that watchers were told of.
    pub(super) fn writing_to(mut self, remote_write: Option<&RemoteWrite>, run: &Run) -> Self {
        self.live = remote_write.map(|remote_write| remote_write.follow(run, self.told));
        self
    }

    pub(super) const fn run(&self) -> &RunAddress {
        &self.run
    }

    /// Tells the coming seconds with what the run has cost by then.
    pub(super) fn note_spend(&mut self, spend: Option<Spend>) {
        self.spend = spend;
    }

    /// Why the stored seconds end before the run, if they do. The results hold all samples
    /// all the same.
    pub(super) fn cut(&self) -> Option<String> {
        self.cut.clone()
    }

    /// Keeps what was read: log lines in the store, seconds for the next [`Self::record`].
    pub(super) async fn add(&mut self, batch: Batch) {
        self.record_lines(batch.lines).await;
        for bucket in batch.seconds {
            self.plan_event(&bucket);
            if let Some(live) = &mut self.live {
                live.add(&bucket);
            }
            if self.cut.is_none() {
                self.waiting.seconds.push(bucket);
            }
        }
    }

    /// Stores what was added; gives the events to announce. What a failing store does not take
    /// goes on waiting.
    ///
    /// # Errors
    /// When the run is not ours any more, or too much waits.
    pub(super) async fn record(&mut self) -> Result<Vec<Event>, RecordingError> {
        match self.store().await {
            Ok(events) => Ok(events),
            Err(error @ (StoreError::Moved { .. } | StoreError::NotFound)) => Err(error.into()),
            Err(error) if self.waiting.seconds.len() > MAX_WAITING_SECONDS => Err(error.into()),
            Err(error) => {
                tracing::warn!(test.id = %self.run.id, "measurements wait for the store: {error}");
                Ok(Vec::new())
            }
        }
    }

    /// Stores what is left when nothing more comes. What the store does not take in some
    /// attempts is missing in the picture over time, and [`Self::cut`] says why.
    pub(super) async fn finish(&mut self) -> Vec<Event> {
        self.live = None;
        let mut attempts = 0;
        loop {
            let error = match self.store().await {
                Ok(events) => return events,
                Err(error) => error,
            };
            tracing::warn!(test.id = %self.run.id, "the last measurements are not stored: {error}");
            attempts += 1;
            if attempts == LAST_ATTEMPTS {
                self.cut.get_or_insert(error.to_string());
                return Vec::new();
            }
            pause(LAST_PAUSE).await;
        }
    }

    /// Offers what was offered before, then what waits.
    async fn store(&mut self) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        loop {
            if is_empty(&self.offered) {
                let number = self.waiting.number + 1;
                let next = SecondsPart {
                    number,
                    ..SecondsPart::default()
                };
                self.offered = std::mem::replace(&mut self.waiting, next);
            }
            if is_empty(&self.offered) {
                return Ok(events);
            }
            let part = self.offered.clone();
            let stored = self.store.record_seconds(&self.run, self.fence, part).await;
            match stored {
                Ok(told) => {
                    events.extend(told);
                    self.offered = SecondsPart::default();
                }
                Err(error @ StoreError::RunTooLarge { .. }) => {
                    tracing::warn!(test.id = %self.run.id, "{error}");
                    self.cut = Some(error.to_string());
                    self.offered.seconds.clear();
                    self.waiting.seconds.clear();
                }
                Err(error) => return Err(error),
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
        self.waiting
            .told
            .push(announcer::second(&self.run, &point, self.spend.as_ref()));
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

const fn is_empty(part: &SecondsPart) -> bool {
    part.seconds.is_empty() && part.told.is_empty()
}
