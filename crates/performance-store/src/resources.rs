//! What a target used during a run, as a document of the service's.

use rusqlite::{OptionalExtension, params};

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunAddress;
use crate::runs;

/// The largest document: 17 signals of some parts at 600 points each are a quarter of it.
pub const MAX_RESOURCE_BYTES: usize = 4 * 1024 * 1024;

impl RunStore {
    /// Keeps the document of a run that is not over, in the place of one that was kept before.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the run is over or belongs to another conductor,
    /// [`StoreError::RunTooLarge`] beyond [`MAX_RESOURCE_BYTES`].
    pub async fn keep_resources(
        &self,
        address: &RunAddress,
        fence: u64,
        document: String,
    ) -> Result<(), StoreError> {
        if document.len() > MAX_RESOURCE_BYTES {
            return Err(StoreError::RunTooLarge {
                limit_bytes: MAX_RESOURCE_BYTES as u64,
            });
        }
        let address = address.clone();
        self.write(Operation("insert", "resources"), move |connection| {
            let transaction = connection.transaction()?;
            let run = runs::fenced_row(&transaction, &address, fence)?;
            transaction.execute(
                "INSERT OR REPLACE INTO resources (run, document) VALUES (?1, ?2)",
                params![run, document],
            )?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// The document of a run; `None` when none was kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn resources(&self, address: &RunAddress) -> Result<Option<String>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "resources"), move |connection| {
            let run = runs::row_of(connection, &address)?;
            let sql = "SELECT document FROM resources WHERE run = ?1";
            Ok(connection
                .query_row(sql, [run], |row| row.get(0))
                .optional()?)
        })
        .await
    }
}
