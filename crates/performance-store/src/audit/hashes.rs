//! Hashes of records, and of what they are about.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 of a record and of the hash before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditHash(pub(super) [u8; 32]);

impl AuditHash {
    /// That of an object as it is written.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// What a change made of an object, as hashes: what it was and what it is can be held against them,
/// and the log has nobody's data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectHashes {
    /// Of the object before; absent when there was none, or nothing was changed.
    pub before: Option<AuditHash>,
    /// Of the object after; absent when it is gone, or nothing was changed.
    pub after: Option<AuditHash>,
}

impl fmt::Display for AuditHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
