//! Watches the clock and takes each start once.
//!
//! The store holds the next start of each schedule, so that a restart loses none and repeats
//! none: a start is taken in the store before its run is queued. A clock that goes back repeats
//! nothing, since the next time is counted from the last one; one that goes forward makes missed
//! what it jumped over.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use performance_store::{NextStart, RunStore, Schedule, ScheduledStart, StartOutcome, StoreError};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::body::ScheduleDocument;
use super::timetable::Timetable;
use crate::conductor::Conductor;

/// How often the clock is looked at, whatever is due when: it may be set.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How soon a store that failed is asked again.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// A start that comes later than this was missed: two looks at the clock.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// What is said of starts that were taken when the service ended.
const ABANDONED: &str = "the service ended before it was known whether the run was queued; the \
                         list of runs shows it";

/// Starts runs by the clock. Clones are the same scheduler.
#[derive(Clone)]
pub(crate) struct Scheduler {
    pub(super) store: RunStore,
    pub(super) conductor: Conductor,
    /// Says that a schedule was changed.
    changed: Arc<Notify>,
    /// When this life of the service began.
    since: Timestamp,
}

/// What was asked for, and when.
pub(super) struct Plan {
    pub(super) document: ScheduleDocument,
    timetable: Timetable,
}

impl Scheduler {
    /// A scheduler that lives since `since`.
    pub(crate) fn new(store: RunStore, conductor: Conductor, since: Timestamp) -> Self {
        Self {
            store,
            conductor,
            changed: Arc::default(),
            since,
        }
    }

    /// Says that a schedule was changed, so that it is looked at.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    /// Calls missed what the last life of the service left half done.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn recover(&self) -> Result<(), StoreError> {
        let abandoned = self.store.abandon_starts(ABANDONED).await?;
        if abandoned > 0 {
            tracing::warn!("{abandoned} scheduled starts were cut off by the end of the service");
        }
        Ok(())
    }

    /// Starts what is due, until the shutdown.
    pub(crate) async fn keep_time(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let clock = self.store.clock();
            let wait = match self.look(clock.now()).await {
                Ok(next) => wait_for(next, clock.now()),
                Err(error) => {
                    tracing::error!("the schedules cannot be read: {error}");
                    STORE_RETRY
                }
            };
            let changed = timeout(wait, self.changed.notified());
            if shutdown.run_until_cancelled(changed).await.is_none() {
                return;
            }
        }
    }

    /// Takes every start that is due at `now`; when the next one is.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(super) async fn look(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        for schedule in self.store.due_schedules(now).await? {
            if let Some(next) = schedule.next {
                self.take(&schedule, next, now).await?;
            }
        }
        self.store.next_scheduled().await
    }

    async fn take(
        &self,
        schedule: &Schedule,
        next: NextStart,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let plan = match Plan::of(schedule) {
            Ok(plan) => plan,
            Err(cause) => {
                let start = start(next.due, now, StartOutcome::Refused, cause);
                self.store.take_start(schedule, start, None).await?;
                return Ok(());
            }
        };
        if now.duration_since(next.begins) > GRACE {
            return self.take_late(schedule, &plan, next.due, now).await;
        }
        let start = start(next.due, now, StartOutcome::Taken, String::new());
        let following = plan.timetable.next_start(next.due);
        if self
            .store
            .take_start(schedule, start.clone(), following)
            .await?
        {
            self.begin(schedule, plan.document, start).await;
        }
        Ok(())
    }

    /// Notes what was missed, and makes up for it once if that is asked for.
    async fn take_late(
        &self,
        schedule: &Schedule,
        plan: &Plan,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A start with jitter may still be to come.
        let jitter = SignedDuration::from_secs(plan.document.jitter_seconds.into());
        let missed = plan.timetable.missed(due, now - jitter);
        let following = plan.timetable.next_start(missed.last);
        let is_last = following.is_none_or(|following| following.begins > now);
        let cause = if due < self.since {
            "the service did not run at the time"
        } else {
            "the clock was put forward, or the machine slept"
        };
        let catches_up = plan.document.catch_up && is_last;
        let outcome = if catches_up && missed.starts == 1 {
            StartOutcome::Taken
        } else {
            StartOutcome::Missed
        };
        let mut first = start(due, now, outcome, cause.to_owned());
        first.starts = missed.starts - u64::from(catches_up && missed.starts > 1);
        let taken = self.store.take_start(schedule, first.clone(), following);
        if !taken.await? {
            return Ok(());
        }
        tracing::warn!(schedule = %schedule.name, "{} starts were missed: {cause}", missed.starts);
        if catches_up {
            let cause = format!("caught up: {cause}");
            let late = start(missed.last, now, StartOutcome::Taken, cause);
            self.begin(schedule, plan.document.clone(), late).await;
        }
        Ok(())
    }
}

impl Plan {
    fn of(schedule: &Schedule) -> Result<Self, String> {
        let document: ScheduleDocument = serde_json::from_str(&schedule.document)
            .map_err(|error| format!("the stored schedule cannot be read: {error}"))?;
        let timetable = document.timetable(&schedule.name).map_err(|errors| {
            let errors = errors
                .iter()
                .map(|it| format!("{} {}", it.field, it.reason));
            errors.collect::<Vec<_>>().join("; ")
        })?;
        Ok(Self {
            document,
            timetable,
        })
    }
}

/// A start of one time.
pub(super) fn start(
    due: Timestamp,
    at: Timestamp,
    outcome: StartOutcome,
    cause: String,
) -> ScheduledStart {
    ScheduledStart {
        due,
        at,
        outcome,
        run: None,
        cause,
        starts: 1,
    }
}

fn wait_for(next: Option<Timestamp>, now: Timestamp) -> Duration {
    let Some(next) = next else {
        return LONGEST_WAIT;
    };
    let wait = Duration::try_from(next.duration_since(now)).unwrap_or(Duration::ZERO);
    wait.min(LONGEST_WAIT)
}
