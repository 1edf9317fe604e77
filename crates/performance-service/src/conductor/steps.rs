//! Moves a run along in the store, also when the store's answer is lost on the way.

use jiff::Timestamp;
use performance_store::{NewEvent, Run, RunStatus, Step, StoreError};
use tokio_util::sync::CancellationToken;

use super::{STORE_RETRY, Shared, pause};
use crate::announcer;

impl Shared {
    /// Takes a run out of the queue. `None` when somebody else has taken it out, and at the
    /// shutdown.
    pub(super) async fn take(&self, queued: &Run, shutdown: &CancellationToken) -> Option<Run> {
        let address = queued.address();
        let message = "k6 checks the script and makes its virtual users";
        let mut asked_before = false;
        loop {
            let told = vec![announcer::status(&address, "Starting", message)];
            let taken = match self.step(queued, Step::Take, told).await {
                // The store was slow to say that it is taken: nobody but us takes runs.
                Err(StoreError::Moved {
                    actual: RunStatus::Starting,
                }) if asked_before => self.store.get(&address).await,
                taken => taken,
            };
            match taken {
                Ok(run) => {
                    self.note_taken(&run);
                    return Some(run);
                }
                // It was cancelled in this moment.
                Err(StoreError::Moved { .. } | StoreError::NotFound) => return None,
                Err(error) => {
                    tracing::error!(test.id = %address.id, "the run cannot be taken: {error}");
                }
            }
            asked_before = true;
            shutdown.run_until_cancelled(pause(STORE_RETRY)).await?;
        }
    }

    /// Moves a run one step on and tells the watchers.
    pub(super) async fn step(
        &self,
        run: &Run,
        step: Step,
        told: Vec<NewEvent>,
    ) -> Result<Run, StoreError> {
        let address = run.address();
        let position = run.position();
        let (run, events) = self.store.advance(&address, position, step, told).await?;
        self.announcer.announce(&address, events);
        Ok(run)
    }

    fn note_taken(&self, run: &Run) {
        tracing::info!(test.id = %run.id, "run {} starts: {}", run.number, run.test_name);
        let waited = Timestamp::now().duration_since(run.queued_at);
        self.measures.taken(waited.unsigned_abs());
    }
}
