//! Runs that an earlier life of the service left behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use load_runner::process::ProcessIdentity;
use load_runner::runner::RunArtifacts;
use performance_store::{Outcome, Run, RunStatus, StoreError};
use tenancy::TenantId;

use super::ending::invalid;
use super::{Conductor, Shared, blocking};

/// How long a k6 that was left behind gets to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Finished runs whose raw samples are kept, newest first. Their histograms stay as long as
/// the run itself; a sample file has 3 KB for each request.
const RUNS_WITH_SAMPLES: u32 = 10;

const REASON: &str = "interrupted: the performance service ended during the run";

impl Conductor {
    /// Ends what the last life of the service left: its k6, then the run.
    ///
    /// # Errors
    /// When the store does not answer, or takes no change.
    pub(crate) async fn mark_interrupted(&self) -> Result<(), StoreError> {
        for run in self.shared.store.active().await? {
            self.shared.end_leftover(&run).await;
            tracing::warn!(test.id = %run.id, "run {} was interrupted", run.number);
            let outcome = Outcome {
                status: RunStatus::Failed,
                error: Some(REASON.to_owned()),
                verdict: Some(invalid(format!("{REASON}."))),
                results: None,
                figures: BTreeMap::new(),
            };
            self.shared.offer_end(&run, &outcome).await?;
        }
        Ok(())
    }

    /// Removes what is older than the retention: whole runs, and raw samples.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn clean_up(&self, tenant: &TenantId) -> Result<CleanedUp, StoreError> {
        self.shared.clean_up(tenant).await
    }
}

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CleanedUp {
    pub(crate) runs: usize,
    pub(crate) sample_files: usize,
}

impl Shared {
    async fn end_leftover(&self, run: &Run) {
        let directory = self.planner.directory(run.id);
        let found = blocking(move || working_in(&directory))
            .await
            .unwrap_or_default();
        let recorded = run.process.map(|process| ProcessIdentity {
            pid: process.pid,
            start_ticks: process.start_ticks,
        });
        for process in recorded.into_iter().chain(found) {
            if process.is_running() {
                tracing::warn!(test.id = %run.id, process.pid = process.pid, "ends a k6 that was left behind");
            }
            if !process.end(GRACE).await {
                tracing::error!(test.id = %run.id, process.pid = process.pid, "a k6 that was left behind does not end");
            }
        }
    }

    /// The upkeep after each run.
    pub(super) async fn tidy(&self, tenant: &TenantId) {
        if let Err(error) = self.clean_up(tenant).await {
            tracing::warn!("old runs are not removed: {error}");
        }
    }

    async fn clean_up(&self, tenant: &TenantId) -> Result<CleanedUp, StoreError> {
        let mut cleaned = CleanedUp::default();
        loop {
            let removed = self.store.remove_expired(tenant).await?;
            if removed.is_empty() {
                break;
            }
            for id in removed {
                cleaned.runs += 1;
                self.remove_files(id).await;
            }
        }
        let finished = self
            .store
            .finished_beyond(tenant, RUNS_WITH_SAMPLES)
            .await?;
        for id in finished {
            let samples = RunArtifacts::within(&self.planner.directory(id)).samples;
            let removal = blocking(move || fs::remove_file(samples)).await;
            cleaned.sample_files += usize::from(matches!(removal, Ok(Ok(()))));
        }
        Ok(cleaned)
    }
}

/// The processes whose working directory is this one or lies in it. The service may have died between the
/// start of k6 and noting its number.
fn working_in(directory: &Path) -> Vec<ProcessIdentity> {
    let (Ok(directory), Ok(processes)) = (directory.canonicalize(), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    processes
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let works_there = fs::read_link(entry.path().join("cwd"))
                .ok()?
                .starts_with(&directory);
            works_there.then(|| ProcessIdentity::of(pid)).flatten()
        })
        .collect()
}
