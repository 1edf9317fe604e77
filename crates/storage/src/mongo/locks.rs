//! Locks for writes of one document, for servers whose updates are not atomic.
//!
//! A standalone server stands in for a replica set in tests and on small machines. The one that the
//! tests use looks for the version and writes the document in two steps, so two writers of the same
//! version both succeed. Within this process they wait for each other; a replica set does without.

use std::sync::Arc;

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, timeout_at},
};

use crate::StorageError;

/// Documents share a lock by their last byte, which counts up in an object id.
const LOCKS: usize = 64;

/// Locks for documents, or none where the server does without. Cheap to clone.
#[derive(Clone)]
pub(super) struct DocumentLocks(Option<Arc<[Arc<Mutex<()>>]>>);

impl DocumentLocks {
    pub(super) fn new(needed: bool) -> Self {
        Self(needed.then(|| (0..LOCKS).map(|_| Arc::default()).collect()))
    }

    /// Waits until no other write of the document is under way; lasts until the result is dropped.
    ///
    /// # Errors
    /// [`StorageError::Overloaded`] when that takes longer than until then.
    pub(super) async fn lock(
        &self,
        id: [u8; 12],
        until: Instant,
    ) -> Result<Option<OwnedMutexGuard<()>>, StorageError> {
        let Some(locks) = &self.0 else {
            return Ok(None);
        };
        let lock = Arc::clone(&locks[usize::from(id[11]) % LOCKS]);
        let locked = timeout_at(until, lock.lock_owned()).await;
        locked.map(Some).map_err(|_| StorageError::Overloaded)
    }
}
