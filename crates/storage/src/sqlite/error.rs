//! What `SQLite`'s errors mean to a caller.

use rusqlite::{Error, ErrorCode, ffi};

use crate::StorageError;

/// The meaning of an error of `SQLite`; a broken uniqueness is [`StorageError::Duplicate`] of
/// entry 0.
#[expect(
    clippy::needless_pass_by_value,
    reason = "used as map_err(from_sqlite)"
)]
pub(super) fn from_sqlite(error: Error) -> StorageError {
    let Error::SqliteFailure(failure, _) = &error else {
        return StorageError::Corrupt(error.to_string());
    };
    match failure.code {
        ErrorCode::ConstraintViolation if is_uniqueness(failure) => {
            StorageError::Duplicate { index: 0 }
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StorageError::Overloaded,
        ErrorCode::DiskFull => StorageError::Full,
        // Only a call whose deadline has passed is interrupted.
        ErrorCode::OperationInterrupted => StorageError::Timeout { write: false },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation => {
            StorageError::Corrupt(error.to_string())
        }
        _ => StorageError::Unavailable(error.to_string()),
    }
}

fn is_uniqueness(failure: &ffi::Error) -> bool {
    matches!(
        failure.extended_code,
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    )
}
