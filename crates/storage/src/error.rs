//! The one error of this crate, sorted by what a caller can do about it.

/// Why a store did not do what it was asked.
///
/// The texts in it name hosts and files: they are for logs, never for a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Nothing with this id belongs to this tenant.
    #[error("not found")]
    NotFound,
    /// The stored version is not the expected one: read again, then decide.
    #[error("the stored version is another one")]
    VersionConflict,
    /// The valid ISBN (or the id) belongs to another entity of the tenant.
    #[error("entry {index} is already there")]
    Duplicate {
        /// Which of the given entities, from 0.
        index: usize,
    },
    /// The store cannot be reached or cannot work; nothing was done.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store failed during a write, which may or may not have happened.
    #[error("the store failed during a write: {0}")]
    OutcomeUnknown(String),
    /// More calls wait than the store can take; nothing was done.
    #[error("the store is overloaded")]
    Overloaded,
    /// The store has failed too often and is left alone; nothing was done.
    #[error("the store is not asked, because it does not answer")]
    CircuitOpen,
    /// There is no room left for a write; nothing was done.
    #[error("the store is full")]
    Full,
    /// The deadline has passed.
    #[error("the store did not answer in time")]
    Timeout {
        /// Whether the call was a write, whose outcome is then unknown.
        write: bool,
    },
    /// What is stored cannot be read.
    #[error("stored data is unreadable: {0}")]
    Corrupt(String),
}

impl StorageError {
    /// Whether the store failed, rather than refused: an older answer is then better than none.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::OutcomeUnknown(_)
                | Self::Overloaded
                | Self::CircuitOpen
                | Self::Timeout { .. }
        )
    }

    /// Whether the store was asked and gave no answer; a refusal is one.
    pub(crate) fn is_without_answer(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::Timeout { .. }
        )
    }

    /// Whether a write that ended so may have changed the store.
    pub(crate) fn may_have_written(&self) -> bool {
        match self {
            Self::NotFound
            | Self::VersionConflict
            | Self::Duplicate { .. }
            | Self::Unavailable(_)
            | Self::Overloaded
            | Self::CircuitOpen
            | Self::Full => false,
            Self::OutcomeUnknown(_) | Self::Timeout { .. } | Self::Corrupt(_) => true,
        }
    }

    /// The value of `error.type` in metrics and spans; empty for an answer that is no failure.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NotFound | Self::VersionConflict => "",
            Self::Duplicate { .. } => "duplicate",
            Self::Unavailable(_) | Self::OutcomeUnknown(_) => "unavailable",
            Self::Overloaded => "overloaded",
            Self::CircuitOpen => "circuit_open",
            Self::Full => "full",
            Self::Timeout { .. } => "timeout",
            Self::Corrupt(_) => "corrupt",
        }
    }
}
