//! Removing what a run left behind.

use std::fs;
use std::io::ErrorKind;

use performance_store::{RunAddress, RunId};
use service_defaults::problem::Problem;

use super::{Conductor, Shared, blocking};
use crate::audit::changes;
use crate::problems;

impl Conductor {
    /// Removes a run that is over, with its files.
    ///
    /// # Errors
    /// 404 for an unknown run, 409 for one that is not over or belongs to a baseline in force.
    pub(crate) async fn remove(&self, run: &RunAddress) -> Result<(), Problem> {
        let store = &self.shared.store;
        let before = store.get(run).await.map_err(problems::from_store)?;
        let removed = store.remove(run).await;
        removed.map_err(problems::from_change)?;
        changes::removed(&(&before.request, before.status.as_str(), &before.verdict));
        self.shared.remove_files(run.id).await;
        Ok(())
    }
}

impl Shared {
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
