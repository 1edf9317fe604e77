//! Runs that an earlier life of the service left behind.

use std::collections::BTreeMap;
use std::time::Duration;

use load_runner::process::{ProcessIdentity, working_in};
use performance_store::{Outcome, Run, RunStatus, StoreError, ToldSeconds};

use super::ending::invalid;
use super::execution::Begun;
use super::judgement::Criteria;
use super::run_span::RunSpan;
use super::{Conductor, Shared, blocking};

/// How long a k6 that was left behind gets to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

const REASON: &str = "interrupted: the performance service ended while the run began";

/// A run that goes on, or whose end is waiting in its files.
pub(crate) struct Adopted {
    pub(super) run: Run,
    pub(super) begun: Begun,
    /// What its watchers have seen.
    pub(super) told: Option<ToldSeconds>,
}

impl Conductor {
    /// Adopts the runs of the last life of the service whose load was on, and ends the others:
    /// their k6, then the run.
    ///
    /// # Errors
    /// When the store does not answer, or takes no change.
    pub(crate) async fn recover(&self) -> Result<Vec<Adopted>, StoreError> {
        let mut adopted = Vec::new();
        for run in self.shared.store.active().await? {
            match self.shared.adopt(&run).await {
                Some(run) => adopted.push(run),
                None => self.shared.interrupt(&run).await?,
            }
        }
        Ok(adopted)
    }

    /// Removes the containers that earlier lives of this service left behind.
    pub(crate) async fn sweep_containers(&self) {
        let Some(containers) = &self.shared.generators.containers else {
            return;
        };
        match containers.sweep(&self.shared.planner.runs_directory).await {
            Ok(0) => {}
            Ok(removed) => tracing::warn!("{removed} containers of earlier runs are removed"),
            Err(error) => tracing::error!("containers of earlier runs may be left: {error}"),
        }
    }
}

impl Shared {
    /// Takes over a run whose supervisor was recorded. It may have ended meanwhile: then its
    /// record tells how, and without a record it was killed.
    async fn adopt(&self, run: &Run) -> Option<Adopted> {
        let process = recorded(run).filter(|_| run.status == RunStatus::Running)?;
        if !process.is_running() {
            self.end_leftover(run).await;
        }
        let begun = match self.find(run, process).await {
            Ok(begun) => begun,
            Err(reason) => {
                tracing::warn!(test.id = %run.id, "the run cannot be adopted: {reason}");
                return None;
            }
        };
        let position = run.position();
        match self.store.take_over(&run.address(), position).await {
            Ok((run, told)) => {
                tracing::info!(test.id = %run.id, "run {} goes on", run.number);
                Some(Adopted { run, begun, told })
            }
            Err(error) => {
                tracing::error!(test.id = %run.id, "the run cannot be adopted: {error}");
                begun.handle.stop();
                begun.handle.ended().await;
                None
            }
        }
    }

    async fn find(&self, run: &Run, process: ProcessIdentity) -> Result<Begun, String> {
        // Without its limits a run would pass that must not.
        let planned = self.plan_of(run).await?;
        let directory = self.planner.directory(run.id);
        let handle = self.generators.runner.adopt(&directory, process).await;
        let handle = handle.map_err(|error| error.to_string())?;
        Ok(Begun {
            handle,
            billing: planned.billing(),
            stop: None,
            criteria: Criteria::of(&planned),
        })
    }

    async fn interrupt(&self, run: &Run) -> Result<(), StoreError> {
        self.end_leftover(run).await;
        tracing::warn!(test.id = %run.id, "run {} was interrupted", run.number);
        let span = RunSpan::begin(run);
        let outcome = Outcome {
            status: RunStatus::Failed,
            error: Some(REASON.to_owned()),
            verdict: Some(invalid(format!("{REASON}."))),
            results: None,
            figures: BTreeMap::new(),
            spend: self.spend_of(run).await,
        };
        self.offer_end(run, &outcome).await?;
        span.settle(&outcome, "invalid");
        Ok(())
    }

    async fn end_leftover(&self, run: &Run) {
        let directory = self.planner.directory(run.id);
        // The service may have died between the start of k6 and noting its number.
        let found = blocking(move || working_in(&directory))
            .await
            .unwrap_or_default();
        for process in recorded(run).into_iter().chain(found) {
            if process.is_running() {
                tracing::warn!(test.id = %run.id, process.pid = process.pid, "ends a k6 that was left behind");
            }
            if !process.end(GRACE).await {
                tracing::error!(test.id = %run.id, process.pid = process.pid, "a k6 that was left behind does not end");
            }
        }
    }
}

/// What watches over the k6 of a run.
fn recorded(run: &Run) -> Option<ProcessIdentity> {
    let process = run.process?;
    Some(ProcessIdentity {
        pid: process.pid,
        start_ticks: process.start_ticks,
    })
}
