//! Removing what a run left behind.

use std::fs;
use std::io::ErrorKind;

use performance_store::{RunAddress, RunId, StoreError};
use service_defaults::problem::Problem;
use tokio_util::sync::CancellationToken;

use super::{Conductor, Shared, blocking};
use crate::audit::changes;
use crate::problems;

impl Conductor {
    /// Removes a run that is over: it is gone at once, and what belongs to it soon after, whether
    /// the caller waits or not.
    ///
    /// # Errors
    /// 404 for an unknown run, 409 for one that is not over or belongs to a baseline in force.
    pub(crate) async fn remove(&self, run: &RunAddress) -> Result<(), Problem> {
        let store = &self.shared.store;
        let before = store.get(run).await.map_err(problems::from_store)?;
        let removal = store.begin_removal(run).await;
        removal.map_err(problems::from_change)?;
        self.shared.removals.notify_one();
        changes::removed(&(&before.request, before.status.as_str(), &before.verdict));
        Ok(())
    }

    /// Removes what belongs to runs whose removal was begun, in this life of the service or in an
    /// earlier one, until the shutdown. What fails is tried again when the next one is begun, and
    /// with each look at what has grown old.
    pub(crate) async fn finish_removals(self, shutdown: CancellationToken) {
        let work = async {
            loop {
                if let Err(error) = self.shared.finish_removals().await {
                    tracing::warn!("runs are not removed to their end: {error}");
                }
                self.shared.removals.notified().await;
            }
        };
        // What is left half done goes on with the next start.
        let _stopped: Option<()> = shutdown.run_until_cancelled(work).await;
    }
}

impl Shared {
    pub(super) async fn finish_removals(&self) -> Result<(), StoreError> {
        loop {
            let ids = self.store.being_removed().await?;
            if ids.is_empty() {
                return Ok(());
            }
            let mut failed = None;
            for id in ids {
                // First, as long as the store knows that they are to go.
                self.remove_files(id).await;
                // One that cannot be removed keeps no other.
                if let Err(error) = self.store.finish_removal(id).await {
                    failed.get_or_insert(error);
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// Removes the directory of a run that is no more.
    pub(super) async fn remove_files(&self, id: RunId) {
        let directory = self.planner.directory(id);
        let removal = blocking(move || fs::remove_dir_all(directory)).await;
        if let Ok(Err(error)) = removal
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(test.id = %id, "its files are not removed: {error}");
        }
    }
}
