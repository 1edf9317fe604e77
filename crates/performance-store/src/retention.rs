//! How long runs are kept.

use rusqlite::params;
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunId;

/// The most runs that one call removes, so that it ends well before its deadline;
/// the next call goes on.
const MAX_REMOVED_AT_ONCE: u32 = 10;

impl RunStore {
    /// Removes a tenant's oldest finished runs beyond the number that is kept, with all
    /// that belongs to them, and gives their ids: their directories are the caller's to
    /// remove. Runs of a baseline in force stay.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remove_expired(&self, tenant: &TenantId) -> Result<Vec<RunId>, StoreError> {
        let tenant = tenant.clone();
        let kept = self.config().runs_kept;
        self.write(Operation("delete", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            let removed = {
                let mut statement = transaction.prepare_cached(
                    "DELETE FROM runs WHERE row_id IN (
                         SELECT row_id FROM runs
                         WHERE tenant = ?1 AND status IN ('Completed', 'Failed', 'Cancelled')
                           AND id NOT IN (SELECT run FROM baseline_runs WHERE tenant = ?1)
                         ORDER BY number DESC LIMIT ?3 OFFSET ?2)
                     RETURNING id",
                )?;
                let ids = statement
                    .query_map(params![tenant.as_str(), kept, MAX_REMOVED_AT_ONCE], |row| {
                        row.get::<_, String>(0)
                    })?;
                ids.collect::<Result<Vec<_>, _>>()?
            };
            transaction.commit()?;
            removed.iter().map(|id| parse(id)).collect()
        })
        .await
    }

    /// The tenant's finished runs beyond its newest ones, newest first, at most
    /// [`MAX_LISTED_RUNS`](crate::MAX_LISTED_RUNS).
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn finished_beyond(
        &self,
        tenant: &TenantId,
        newest: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id FROM runs
                 WHERE tenant = ?1 AND status IN ('Completed', 'Failed', 'Cancelled')
                 ORDER BY number DESC LIMIT ?3 OFFSET ?2",
            )?;
            let parameters = params![tenant.as_str(), newest, crate::MAX_LISTED_RUNS];
            let ids = statement.query_map(parameters, |row| row.get::<_, String>(0))?;
            ids.map(|id| parse(&id?)).collect()
        })
        .await
    }
}

fn parse(id: &str) -> Result<RunId, StoreError> {
    id.parse()
        .map_err(|_| StoreError::Corrupt(format!("run id {id:?}")))
}
