//! Removing runs. A run is marked first, and is not among the runs from then on; what it measured
//! goes some seconds in each call, since all of a long run at once takes longer than any call may.

use rusqlite::{Connection, params};

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Position, RunAddress, RunId, RunStatus};
use crate::runs;

/// Seconds of a run that one call removes: of a run at its bound some ten megabytes, which takes a
/// small part of a call's time.
const SECONDS_AT_ONCE: u32 = 250;

/// Runs that one call gives to be removed; the next call gives the others.
const MAX_REMOVED_AT_ONCE: u32 = 10;

/// What holds for a finished run that belongs to no baseline in force.
pub(crate) const IS_REMOVABLE: &str = "status IN ('Completed', 'Failed', 'Cancelled')
    AND id NOT IN (SELECT run FROM kept_runs WHERE tenant = ?1)";

impl RunStore {
    /// Begins to remove a finished run: it is there no more, for nobody. What belongs to it is
    /// removed by who asks for [the runs that are being removed](Self::being_removed).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown run, [`StoreError::Moved`] for one that is not
    /// over, [`StoreError::Pinned`] for one of a baseline in force.
    pub async fn begin_removal(&self, address: &RunAddress) -> Result<(), StoreError> {
        let address = address.clone();
        self.write(Operation("update", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::load(&transaction, &address)?;
            if !run.status.is_final() {
                return Err(StoreError::Moved { actual: run.status });
            }
            let sql = format!(
                "UPDATE all_runs SET being_removed = 1
                 WHERE tenant = ?1 AND id = ?2 AND {IS_REMOVABLE}"
            );
            let parameters = params![address.tenant.as_str(), address.id.to_string()];
            if transaction.execute(&sql, parameters)? == 0 {
                return Err(StoreError::Pinned);
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// Runs of all tenants whose removal was begun, some at a time: what belongs to them is still
    /// to be removed, also after a restart.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn being_removed(&self) -> Result<Vec<RunId>, StoreError> {
        self.read(Operation("find", "runs"), |connection| {
            let sql = "SELECT id FROM all_runs WHERE being_removed = 1 ORDER BY row_id LIMIT ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let ids = statement.query_map([MAX_REMOVED_AT_ONCE], |row| row.get::<_, String>(0))?;
            ids.map(|id| RunId::stored(&id?)).collect()
        })
        .await
    }

    /// Removes what belongs to a run that is being removed, and then the run; nothing when it is
    /// gone, or is not being removed.
    ///
    /// # Errors
    /// When the store does not answer. What is left goes with the next call.
    pub async fn finish_removal(&self, id: RunId) -> Result<(), StoreError> {
        let id = id.to_string();
        loop {
            let id = id.clone();
            let slice = move |connection: &mut Connection| {
                let sql = "DELETE FROM seconds WHERE rowid IN (
                         SELECT seconds.rowid FROM seconds JOIN all_runs ON run = row_id
                         WHERE id = ?1 AND being_removed = 1 LIMIT ?2)";
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(params![id, SECONDS_AT_ONCE])?)
            };
            let removed = self.write(Operation("delete", "seconds"), slice).await?;
            if removed < SECONDS_AT_ONCE as usize {
                break;
            }
        }
        self.write(Operation("delete", "runs"), move |connection| {
            let sql = "DELETE FROM all_runs WHERE id = ?1 AND being_removed = 1";
            connection.prepare_cached(sql)?.execute([id])?;
            Ok(())
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
            let slice = move |connection: &mut Connection| {
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
