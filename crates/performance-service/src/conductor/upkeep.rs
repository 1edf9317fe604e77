//! What is removed when its time has come: whole runs, raw files, and what no run has any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use instrumentation::catalogue;
use jiff::Timestamp;
use load_runner::runner::RunArtifacts;
use performance_store::{RunId, StoreError};
use tenancy::TenantId;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Conductor, Shared, blocking};

/// Finished runs of a tenant whose raw files are kept, newest first. Their histograms stay as long
/// as the run itself; a sample file has 3 KB for each request.
const RUNS_WITH_SAMPLES: u32 = 10;

/// How often everything is looked through: ages are counted in days.
const LOOK: Duration = Duration::from_hours(1);

/// How old a directory without a run is before it goes: one that is new may be that of a run which
/// is being accepted.
const ORPHAN_AGE: Duration = Duration::from_hours(1);

/// What a clean-up began to remove, and what it removed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CleanedUp {
    pub(crate) runs: usize,
    pub(crate) sample_files: usize,
}

impl Conductor {
    /// Removes what is older than the retention: whole runs, and raw files.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn clean_up(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<CleanedUp, StoreError> {
        self.shared.clean_up(tenant, now).await
    }

    /// Removes what has grown old, of every tenant, each hour until the shutdown.
    pub(crate) async fn keep_tidy(self, shutdown: CancellationToken) {
        loop {
            if let Err(error) = self.shared.tidy_all(self.shared.store.clock().now()).await {
                tracing::warn!("what is old is not removed: {error}");
            }
            let stopped = timeout(LOOK, shutdown.cancelled());
            if stopped.await.is_ok() {
                return;
            }
        }
    }
}

impl Shared {
    /// The upkeep after each run.
    pub(super) async fn tidy(&self, tenant: &TenantId) {
        // To its end: the next load has the disk and the machine for itself.
        let tidied = async {
            self.clean_up(tenant, self.store.clock().now()).await?;
            self.finish_removals().await
        };
        if let Err(error) = tidied.await {
            tracing::warn!("old runs are not removed: {error}");
        }
    }

    async fn tidy_all(&self, now: Timestamp) -> Result<(), StoreError> {
        for tenant in self.store.tenants().await? {
            self.clean_up(&tenant, now).await?;
        }
        self.finish_removals().await?;
        self.remove_orphans().await?;
        let directory = self.planner.runs_directory.clone();
        let files = blocking(move || size_of(&directory)).await.unwrap_or(0);
        for (kind, bytes) in [("database", self.store.size().await?), ("files", files)] {
            // A float holds bytes exactly up to eight petabytes.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            catalogue::PERFORMANCE_STORAGE_SIZE
                .gauge(&[("kind", kind)])
                .set(bytes as f64);
        }
        Ok(())
    }

    async fn clean_up(&self, tenant: &TenantId, now: Timestamp) -> Result<CleanedUp, StoreError> {
        let runs = self.store.begin_removal_of_expired(tenant, now).await?;
        self.removals.notify_one();
        let mut cleaned = CleanedUp {
            runs,
            sample_files: 0,
        };
        let age = (now, self.planner.raw_kept_days);
        let finished = self.store.finished_beyond(tenant, RUNS_WITH_SAMPLES, age);
        for id in finished.await? {
            let directory = self.planner.directory(id);
            let removed = blocking(move || remove_raw(&directory)).await;
            cleaned.sample_files += removed.unwrap_or(0);
        }
        Ok(cleaned)
    }

    /// Removes directories whose run is gone: the service may have ended between the two.
    async fn remove_orphans(&self) -> Result<(), StoreError> {
        let directory = self.planner.runs_directory.clone();
        let old = blocking(move || old_directories(&directory)).await;
        for id in self.store.unknown_runs(old.unwrap_or_default()).await? {
            tracing::info!(test.id = %id, "the files of a run that is gone are removed");
            self.remove_files(id).await;
        }
        Ok(())
    }
}

/// Removes the samples, log and summary of every k6 of a run, which hold addresses and names as
/// the script wrote them; gives how many files of samples there were.
fn remove_raw(run: &Path) -> usize {
    let files = RunArtifacts::found_in(run).processes;
    for files in &files {
        // What they say is in the store, without what is nobody's business.
        for file in [&files.log, &files.summary] {
            drop(fs::remove_file(file));
        }
    }
    files
        .iter()
        .filter(|files| fs::remove_file(&files.samples).is_ok())
        .count()
}

fn old_directories(runs: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let old = entries.filter_map(|entry| {
        let id: RunId = entry.file_name().to_str()?.parse().ok()?;
        let changed = entry.metadata().ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(changed).ok()?;
        (age > ORPHAN_AGE).then_some(id)
    });
    old.collect()
}

/// Bytes of the files below a directory.
fn size_of(directory: &Path) -> u64 {
    let mut directories: Vec<PathBuf> = vec![directory.to_owned()];
    let mut bytes = 0;
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => directories.push(entry.path()),
                Ok(found) => bytes += found.len(),
                // It was removed in this moment.
                Err(_) => {}
            }
        }
    }
    bytes
}
