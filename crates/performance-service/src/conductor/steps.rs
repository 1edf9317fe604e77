//! Reads what a run is to do, and moves it along in the store, also when the store's answer is lost on the way.

use jiff::Timestamp;
use load_analysis::forecast::Forecast;
use load_runner::runner::{Requirements, RunHandle};
use performance_store::{LogLine, NewEvent, Run, RunStatus, Step, StoreError};
use tokio_util::sync::CancellationToken;

use super::{STORE_RETRY, Shared, blocking, pause};
use crate::announcer;
use crate::planner::Planned;
use crate::runs::request::StartBody;

impl Shared {
    /// Adds a line of ours to the log of a run.
    pub(super) async fn log(&self, run: &Run, source: &str, text: &str) {
        let line = LogLine {
            at: Timestamp::now(),
            source: source.to_owned(),
            text: text.to_owned(),
        };
        let address = run.address();
        let logs = self.store.append_logs(&address, run.fence, vec![line]);
        if let Err(error) = logs.await {
            tracing::warn!(test.id = %address.id, "a log line is lost: {error}");
        }
    }

    /// The plan of a stored run. It is checked anew: scripts and targets may have changed
    /// since it was queued.
    pub(super) async fn plan_of(&self, run: &Run) -> Result<Planned, String> {
        let body: StartBody = serde_json::from_str(&run.request)
            .map_err(|error| format!("the stored request cannot be read: {error}"))?;
        let planner = self.planner.clone();
        let address = run.address();
        let planned = blocking(move || planner.plan(&address, &body))
            .await
            .and_then(std::convert::identity);
        let mut planned = planned.map_err(|problem| problem.detail().to_owned())?;
        planned.plan.bounds.virtual_user_seconds = self.load_left(run).await?;
        planned.plan.expected_rate = self.expected_rate(run).await;
        let left = self.left_today(&run.tenant).await;
        planned.budget = planned
            .budget
            .within(left.map_err(|error| error.to_string())?);
        Ok(planned)
    }

    /// The requests a second that were forecast for a run, at its peak. Without them it only writes
    /// its samples as if they were few.
    async fn expected_rate(&self, run: &Run) -> Option<f64> {
        let forecast = self.store.forecast(&run.address()).await;
        let forecast = forecast.inspect_err(|error| {
            tracing::warn!(test.id = %run.id, "the forecast of a run is not read: {error}");
        });
        let forecast: Forecast = serde_json::from_str(&forecast.ok()??).ok()?;
        forecast.peak_rate.range.map(|range| range.high)
    }

    /// What a run may take of its tenant's load of today, where only its script says how much that
    /// is; the others have taken theirs.
    pub(super) async fn load_left(&self, run: &Run) -> Result<Option<u64>, String> {
        if run.virtual_user_seconds > 0 {
            return Ok(None);
        }
        let left = self.store.load_left(&run.tenant).await;
        left.map(Some).map_err(|error| error.to_string())
    }

    /// Takes what a script turned out to put on. It was there before the start, and runs follow
    /// each other, so that it is there now.
    pub(super) async fn take_load(&self, run: &Run, requirements: &Requirements) {
        if run.virtual_user_seconds > 0 {
            return;
        }
        let load = requirements.virtual_user_seconds();
        if let Err(error) = self.store.take_load(&run.address(), load).await {
            tracing::error!(test.id = %run.id, "the tenant's load of today lacks {load} s: {error}");
        }
    }

    /// Notes in which container the k6 of a run is, if it is in one.
    pub(super) async fn note_container(&self, run: &Run, handle: &RunHandle) -> Option<String> {
        let artifacts = handle.artifacts.clone();
        let id = blocking(move || artifacts.container_id()).await.ok()??;
        let address = run.address();
        let noted = self.store.note_container(&address, run.fence, id.clone());
        if let Err(error) = noted.await {
            tracing::warn!(test.id = %run.id, "the container of a run is not noted: {error}");
        }
        Some(id)
    }

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
        let waited = self.store.clock().now().duration_since(run.queued_at);
        // A clock that was set back meanwhile makes no wait of an hour.
        self.measures.taken(waited.try_into().unwrap_or_default());
    }
}
