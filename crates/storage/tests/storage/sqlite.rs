//! What only the store in a file has.

use storage::{Backend, StorageError};

use crate::fixtures::sqlite;

#[tokio::test]
async fn a_file_that_cannot_be_written_is_not_healthy() -> anyhow::Result<()> {
    let place = sqlite()?;
    let storage = place.open().await?;
    storage.ping_store().await?;
    let Backend::Sqlite { path } = &place.config.backend else {
        anyhow::bail!("not in a file");
    };
    let other = rusqlite::Connection::open(path)?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    assert_eq!(storage.ping_store().await, Err(StorageError::Overloaded));
    other.execute_batch("COMMIT")?;
    storage.ping_store().await?;
    Ok(())
}
