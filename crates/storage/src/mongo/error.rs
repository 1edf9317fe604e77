//! What the driver's errors mean to a caller.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::StorageError;

/// The server's code for a broken unique index.
const DUPLICATE_KEY: i32 = 11_000;

/// How the test stand-in spells a unique index that an update breaks: an internal error.
const STAND_IN_DUPLICATE: (i32, &str) = (1, "UNIQUE constraint failed");

/// The server's code for a call that ran longer than its `maxTimeMS`.
const MAX_TIME_EXPIRED: i32 = 50;

/// The server's code for a disk without room.
const OUT_OF_DISK_SPACE: i32 = 14_031;

/// The meaning of the driver's error.
#[expect(clippy::needless_pass_by_value, reason = "used as map_err(from_mongo)")]
pub(super) fn from_mongo(error: Error) -> StorageError {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(failure)) if failure.code == DUPLICATE_KEY => {
            StorageError::Duplicate { index: 0 }
        }
        ErrorKind::Write(WriteFailure::WriteError(failure))
            if failure.code == OUT_OF_DISK_SPACE =>
        {
            StorageError::Full
        }
        ErrorKind::Command(failure) if failure.code == OUT_OF_DISK_SPACE => StorageError::Full,
        ErrorKind::InsertMany(failure) => {
            let first = failure.write_errors.iter().flatten().next();
            match first.filter(|failure| failure.code == DUPLICATE_KEY) {
                Some(duplicate) => StorageError::Duplicate {
                    index: duplicate.index,
                },
                None => StorageError::Unavailable(error.to_string()),
            }
        }
        ErrorKind::Command(failure) if failure.code == MAX_TIME_EXPIRED => {
            StorageError::Timeout { write: false }
        }
        ErrorKind::Command(failure)
            if failure.code == STAND_IN_DUPLICATE.0
                && failure.message.contains(STAND_IN_DUPLICATE.1) =>
        {
            StorageError::Duplicate { index: 0 }
        }
        ErrorKind::Bson(_)
        | ErrorKind::BsonDeserialization(_)
        | ErrorKind::BsonSerialization(_) => StorageError::Corrupt(error.to_string()),
        _ => StorageError::Unavailable(error.to_string()),
    }
}
