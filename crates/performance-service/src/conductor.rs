//! The state machine of runs: queued → starting → running → judged. The conductor is the
//! only one that writes the state of a run, and it carries out one run at a time.

mod collector;
mod confirmation;
mod ending;
mod evidence;
mod execution;
mod forecasting;
mod generators;
mod interrupted;
mod judgement;
mod measures;
mod recorder;
mod removal;
mod room;
mod run_span;
mod spending;
mod steps;
mod storing;
mod submission;
#[cfg(test)]
pub(crate) mod tests;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use load_analysis::spend::Spend;
use performance_store::{Outcome, Run, RunAddress, RunStatus, RunStore, StoreError};
use service_defaults::problem::Problem;
use tenancy::TenantId;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use self::forecasting::Expected;
pub(crate) use self::generators::Generators;
pub(crate) use self::interrupted::Adopted;
use self::measures::Measures;
pub(crate) use self::submission::Asked;
use crate::announcer::{self, Announcer};
use crate::ledger::Ledger;
use crate::observation::Observation;
use crate::planner::Planner;
use crate::problems;
use crate::relay::Relay;
use crate::remote_write::RemoteWrite;
use crate::runs::request::Word;
use crate::shared_places::SharedPlaces;
use crate::tenant_limits::Triggers;

/// Forecasts at once: each has k6 read a script, which takes a processor for a moment. A tenant has
/// one of them, so that its script that hangs holds up nobody else's.
const FORECASTS: usize = 2;

/// How often a failing store is asked again for the next run.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// How often the queue is looked at without being told of a run: one whose queueing timed out
/// may have been stored in silence.
const QUEUE_LOOK: Duration = Duration::from_secs(10);

/// Looks at a run that changes its state between the look and the hand on it. Each change
/// happens once, so that the third look finds it at rest.
const MAX_LOOKS: u32 = 3;

/// The longest that a cancellation waits for the run's end. k6 has 10 s to stop, judging and
/// storing take the rest.
const CANCEL_DEADLINE: Duration = Duration::from_secs(20);

/// Takes requests and carries them out. Clones are the same conductor.
#[derive(Clone)]
pub(crate) struct Conductor {
    shared: Arc<Shared>,
}

struct Shared {
    store: RunStore,
    planner: Planner,
    generators: Generators,
    observation: Observation,
    relay: Relay,
    announcer: Announcer,
    remote_write: Option<RemoteWrite>,
    measures: Measures,
    triggers: Triggers,
    ledger: Arc<dyn Ledger>,
    /// Places for forecasts.
    forecasts: SharedPlaces<TenantId>,
    /// What is known of the money of the run under way.
    spending: Mutex<Option<(RunAddress, Spend)>>,
    /// Says that a run was queued.
    queued: Notify,
    /// Says that the removal of a run was begun.
    removals: Notify,
    /// The run under way.
    current: Mutex<Option<Current>>,
}

/// How others reach the run under way.
#[derive(Clone)]
struct Current {
    run: RunAddress,
    cancel: CancellationToken,
    /// Turns true when the run is in its final state.
    over: watch::Receiver<bool>,
}

impl Conductor {
    pub(crate) fn new(
        store: RunStore,
        planner: Planner,
        (generators, ledger): (Generators, Arc<dyn Ledger>),
        (observation, relay): (Observation, Relay),
        (announcer, remote_write): (Announcer, Option<RemoteWrite>),
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                triggers: Triggers::new(planner.tenant_limits.triggers),
                planner,
                generators,
                observation,
                relay,
                announcer,
                remote_write,
                measures: Measures::new(),
                ledger,
                forecasts: SharedPlaces::new(FORECASTS, 1),
                spending: Mutex::new(None),
                queued: Notify::new(),
                removals: Notify::new(),
                current: Mutex::new(None),
            }),
        }
    }

    /// The address of the target that a request asks for, as far as it is listed.
    pub(crate) fn target_of(&self, asked: Option<&Word>) -> Option<String> {
        let (_, target) = self.shared.planner.target(asked).ok()?;
        Some(target.base_url().to_owned())
    }

    /// What requests are checked by.
    pub(crate) fn planner(&self) -> &Planner {
        &self.shared.planner
    }

    /// Whether what carries out runs is there.
    ///
    /// # Errors
    /// What is missing, as a sentence.
    pub(crate) async fn check_usual(&self) -> Result<(), String> {
        self.shared.generators.check_usual().await
    }

    /// Stops a run, or takes it out of the queue, and waits for its end.
    ///
    /// # Errors
    /// 404 for an unknown run, 409 for one that is over.
    pub(crate) async fn cancel(&self, run: &RunAddress) -> Result<(), Problem> {
        for _ in 0..MAX_LOOKS {
            let found = self
                .shared
                .store
                .get(run)
                .await
                .map_err(problems::from_store)?;
            if found.status.is_final() {
                let detail = format!("the run is over: it is {}", found.status);
                return Err(Problem::conflict(detail));
            }
            if found.status == RunStatus::Queued {
                match self.withdraw(&found).await {
                    Ok(()) => return Ok(()),
                    // It left the queue in this moment.
                    Err(StoreError::Moved { .. }) => {}
                    Err(error) => return Err(problems::from_change(error)),
                }
            } else if let Some(current) = self.current().filter(|current| current.run == *run) {
                return stop(current).await;
            }
            // Else it ended between the look at the store and here.
        }
        let detail = "the run is just changing its state";
        Err(Problem::unavailable(detail, STORE_RETRY))
    }

    /// Follows adopted runs to their end, then carries out queued ones, oldest first, until the shutdown; a run under way is stopped
    /// then and marked as interrupted.
    pub(crate) async fn conduct(self, adopted: Vec<Adopted>, shutdown: CancellationToken) {
        for run in adopted {
            self.carry_on(run, &shutdown).await;
        }
        while !shutdown.is_cancelled() {
            self.note_queue().await;
            match self.shared.store.next_queued().await {
                Ok(Some(run)) => self.execute(run, &shutdown).await,
                Ok(None) => {
                    let queued = timeout(QUEUE_LOOK, self.shared.queued.notified());
                    if shutdown.run_until_cancelled(queued).await.is_none() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!("the queue cannot be read: {error}");
                    shutdown.run_until_cancelled(pause(STORE_RETRY)).await;
                }
            }
        }
    }

    async fn withdraw(&self, run: &Run) -> Result<(), StoreError> {
        let address = run.address();
        let outcome = Outcome {
            status: RunStatus::Cancelled,
            error: Some("cancelled while it waited".to_owned()),
            verdict: None,
            results: None,
            figures: BTreeMap::new(),
            spend: None,
        };
        let told = vec![
            announcer::status(&address, "Cancelled", "cancelled while it waited"),
            announcer::end(&address, "Cancelled"),
        ];
        let position = run.position();
        let (_, events) = self
            .shared
            .store
            .finish(&address, position, outcome, told)
            .await?;
        self.shared.announcer.announce(&address, events);
        self.note_queue().await;
        Ok(())
    }

    /// What a run under way has spent so far, as far as is known.
    pub(crate) fn spend_so_far(&self, run: &RunAddress) -> Option<Spend> {
        self.shared.known_spend(run)
    }

    fn current(&self) -> Option<Current> {
        let current = self.shared.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_current(&self, current: Option<Current>) {
        let mut place = self
            .shared
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *place = current;
    }

    async fn note_queue(&self) {
        if let Ok(depth) = self.shared.store.queue_depth().await {
            self.shared.measures.queue_depth(depth);
        }
    }
}

/// Runs work that reads files on a thread where that is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!("a blocking task failed: {error}");
        Problem::internal()
    })
}

/// Stops the run under way and waits until its end is stored.
async fn stop(mut current: Current) -> Result<(), Problem> {
    current.cancel.cancel();
    let over = current.over.wait_for(|over| *over);
    match timeout(CANCEL_DEADLINE, over).await {
        Ok(Ok(_)) => Ok(()),
        // The service shuts down; or it takes too long.
        Ok(Err(_)) | Err(_) => Err(Problem::gateway_timeout(
            "the run was told to stop and has not ended yet",
        )),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a store that failed sends no event when it works again"
)]
async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}
