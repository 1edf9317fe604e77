//! A run that goes on under another conductor.

use rusqlite::{OptionalExtension, params};

use super::rows::{check, load};
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Position, Run, RunAddress, RunStatus};

/// The seconds that a run's watchers were told of: the first and the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldSeconds {
    /// The second that is t = 0 for them.
    pub first: i64,
    /// The newest.
    pub last: i64,
}

impl RunStore {
    /// Hands a run whose load is on to another conductor. The fence grows, so that the one
    /// before changes nothing any more. The new one reads the generator's files from their
    /// beginning: what was measured and logged is removed, the events stay.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is not at `expected`, or not Running.
    pub async fn take_over(
        &self,
        address: &RunAddress,
        expected: Position,
    ) -> Result<(Run, Option<ToldSeconds>), StoreError> {
        self.remove_inner_seconds(address, expected).await?;
        let address = address.clone();
        self.write(Operation("update", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            let row = check(&transaction, &address, expected)?;
            if expected.status != RunStatus::Running {
                return Err(StoreError::Moved {
                    actual: expected.status,
                });
            }
            let told = transaction
                .query_row(
                    "SELECT min(second), max(second) FROM seconds WHERE run = ?1
                     HAVING count(*) > 0",
                    [row],
                    |row| {
                        Ok(ToldSeconds {
                            first: row.get(0)?,
                            last: row.get(1)?,
                        })
                    },
                )
                .optional()?;
            for table in ["seconds", "series", "log_lines"] {
                transaction.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [row])?;
            }
            transaction.execute(
                "UPDATE all_runs SET fence = fence + 1, parts = 0, second_bytes = 0, log_lines = 0
                 WHERE row_id = ?1",
                params![row],
            )?;
            let run = load(&transaction, &address)?;
            transaction.commit()?;
            Ok((run, told))
        })
        .await
    }
}
