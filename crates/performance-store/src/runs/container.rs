//! The container of a run.

use rusqlite::params;

use super::fenced_row;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunAddress;

impl RunStore {
    /// Notes in which container the load generator of a run is.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is over or belongs to another conductor.
    pub async fn note_container(
        &self,
        address: &RunAddress,
        fence: u64,
        id: String,
    ) -> Result<(), StoreError> {
        let address = address.clone();
        self.write(Operation("update", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            let run = fenced_row(&transaction, &address, fence)?;
            let sql = "UPDATE all_runs SET container_id = ?2 WHERE row_id = ?1";
            transaction.execute(sql, params![run, id])?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}
