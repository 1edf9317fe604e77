//! The one error of this crate, sorted by what the caller can do.

use crate::run::RunStatus;

/// Why a call to the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No run of this tenant has this id.
    #[error("there is no such run")]
    NotFound,
    /// The tenant has nothing of this kind under this name.
    #[error("there is no such {what}")]
    Absent {
        /// The kind.
        what: &'static str,
    },
    /// The name is taken. Nothing was written.
    #[error("there is a {what} of this name already")]
    Exists {
        /// The kind.
        what: &'static str,
    },
    /// The tenant has as many as it may have. Nothing was written.
    #[error("there are {limit} {what} already, no more are kept")]
    TooMany {
        /// The kind, in the plural.
        what: &'static str,
        /// The most of a tenant.
        limit: u64,
    },
    /// The run is no longer where the caller believed it to be: somebody else
    /// moved it, or it is over. Nothing was written.
    #[error("the run has moved on: it is {actual}")]
    Moved {
        /// Where the run is now.
        actual: RunStatus,
    },
    /// The run belongs to a baseline in force. Nothing was removed.
    #[error("the run belongs to a baseline in force")]
    Pinned,
    /// A run that a baseline is to keep is gone: it was removed. Nothing was written.
    #[error("its run {run} is not kept any more")]
    RunGone {
        /// The run's id.
        run: String,
    },
    /// Somebody else changed the baseline or the search meanwhile. Nothing was written.
    #[error("it was changed meanwhile")]
    Superseded,
    /// As many runs wait as may wait.
    #[error("{waiting} runs wait already, no more than {limit} may")]
    QueueFull {
        /// Runs that wait now.
        waiting: u64,
        /// The most that may wait.
        limit: u64,
    },
    /// As many runs of the tenant wait as may wait.
    #[error("{waiting} runs of the tenant wait already, no more than {limit} may")]
    TenantQueueFull {
        /// Its runs that wait now.
        waiting: u64,
        /// The most that may wait.
        limit: u64,
    },
    /// The tenant has asked for as much load today as it may.
    #[error("{used} of {allowed} seconds of virtual users are used up today")]
    DailyLoad {
        /// Virtual users times seconds so far.
        used: u64,
        /// The most of a day.
        allowed: u64,
    },
    /// A run wrote as much as one run may keep; what is stored stays readable.
    #[error("the run has used up its {limit_bytes} bytes of the store")]
    RunTooLarge {
        /// The most that one run may keep, in bytes.
        limit_bytes: u64,
    },
    /// The disk or the database file is full. Worth another try after space was made.
    #[error("the disk is full")]
    DiskFull,
    /// The call did not end before its deadline. A write may or may not have happened.
    #[error("the store did not answer in time")]
    Timeout,
    /// Another process has this state directory open.
    #[error("another performance service uses {directory}; stop it or set PERFORMANCE_STATE_DIR")]
    InUse {
        /// The directory in question.
        directory: String,
    },
    /// The database does not take these values, and will not the next time either. Nothing was
    /// written.
    #[error("the store does not take these values: {0}")]
    Refused(String),
    /// A stored row cannot be read back.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// Anything else that the database said.
    #[error("the store failed: {0}")]
    Unavailable(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::OperationInterrupted) => Self::Timeout,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
                Self::Refused(error.to_string())
            }
            _ => match error {
                rusqlite::Error::ToSqlConversionFailure(_) => Self::Refused(error.to_string()),
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..) => Self::Corrupt(error.to_string()),
                other => Self::Unavailable(other.to_string()),
            },
        }
    }
}
