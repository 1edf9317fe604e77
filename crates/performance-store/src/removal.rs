//! Removing what a run measured, some seconds in each call: all of a long run at once takes longer
//! than any call may.

use rusqlite::params;
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Position, RunAddress, RunStatus};
use crate::runs;

/// Seconds of a run that one call removes: of a run at its bound some ten megabytes, which takes a
/// small part of a call's time.
const SECONDS_AT_ONCE: u32 = 250;

/// A finished run of a tenant that belongs to no baseline in force.
const IS_REMOVABLE: &str = "SELECT 1 FROM runs WHERE tenant = ?2 AND row_id = ?1
    AND status IN ('Completed', 'Failed', 'Cancelled')
    AND id NOT IN (SELECT run FROM kept_runs WHERE tenant = ?2)";

impl RunStore {
    /// Removes a finished run with all that belongs to it; its id, or `None` when it is not there
    /// any more, or was put into a baseline meanwhile.
    ///
    /// # Errors
    /// When the store does not answer. What is left goes with the next call.
    pub(crate) async fn remove_whole(
        &self,
        tenant: &TenantId,
        row: i64,
    ) -> Result<Option<String>, StoreError> {
        loop {
            let tenant = tenant.clone();
            let slice = move |connection: &mut rusqlite::Connection| {
                let sql = format!(
                    "DELETE FROM seconds WHERE rowid IN (
                         SELECT rowid FROM seconds WHERE run = ?1 LIMIT ?3)
                     AND EXISTS ({IS_REMOVABLE})"
                );
                let parameters = params![row, tenant.as_str(), SECONDS_AT_ONCE];
                Ok(connection.prepare_cached(&sql)?.execute(parameters)?)
            };
            let removed = self.write(Operation("delete", "seconds"), slice).await?;
            if removed < SECONDS_AT_ONCE as usize {
                break;
            }
        }
        let tenant = tenant.clone();
        self.write(Operation("delete", "runs"), move |connection| {
            let sql = format!(
                "DELETE FROM runs WHERE EXISTS ({IS_REMOVABLE}) AND row_id = ?1 RETURNING id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let ids = statement.query_map(params![row, tenant.as_str()], |row| row.get(0))?;
            // To its end, where the change is made to last.
            Ok(ids.collect::<Result<Vec<String>, _>>()?.pop())
        })
        .await
    }

    /// Removes the seconds of a run that goes on under another conductor, but for the first and
    /// the newest: these tell what its watchers have seen, also when this ends half-way.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is not at `expected`, or not Running.
    pub(crate) async fn remove_inner_seconds(
        &self,
        address: &RunAddress,
        expected: Position,
    ) -> Result<(), StoreError> {
        loop {
            let address = address.clone();
            let slice = move |connection: &mut rusqlite::Connection| {
                let transaction = connection.transaction()?;
                let row = runs::check(&transaction, &address, expected)?;
                if expected.status != RunStatus::Running {
                    return Err(StoreError::Moved {
                        actual: expected.status,
                    });
                }
                let removed = transaction.execute(
                    "DELETE FROM seconds WHERE rowid IN (
                         SELECT rowid FROM seconds WHERE run = ?1
                           AND second > (SELECT min(second) FROM seconds WHERE run = ?1)
                           AND second < (SELECT max(second) FROM seconds WHERE run = ?1)
                         LIMIT ?2)",
                    params![row, SECONDS_AT_ONCE],
                )?;
                transaction.commit()?;
                Ok(removed)
            };
            let removed = self.write(Operation("delete", "seconds"), slice).await?;
            if removed < SECONDS_AT_ONCE as usize {
                return Ok(());
            }
        }
    }
}
