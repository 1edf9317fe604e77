//! The tables, and how an older file becomes a newer one.

use rusqlite::Connection;

use super::error::from_sqlite;
use crate::StorageError;

/// Each step leads from one `user_version` to the next; a step is never changed once released.
const STEPS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];

/// Brings the file to the newest schema.
///
/// # Errors
/// A file written by a newer version, or one that `SQLite` cannot work with.
pub(super) fn migrate(connection: &Connection) -> Result<(), StorageError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(from_sqlite)?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = STEPS.get(done..) else {
        return Err(StorageError::Corrupt(format!(
            "the database has schema {version}, this program knows {}",
            STEPS.len()
        )));
    };
    for (step, number) in missing.iter().zip(done + 1..) {
        let step = format!("BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;");
        connection.execute_batch(&step).map_err(from_sqlite)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_changes_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        migrate(&connection).unwrap();
        migrate(&connection).unwrap();
    }

    #[test]
    fn a_newer_file_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(
            migrate(&connection),
            Err(StorageError::Corrupt(_))
        ));
    }
}
