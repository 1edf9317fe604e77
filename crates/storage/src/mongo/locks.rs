//! Locks for writes of one document, for servers whose updates are not atomic.
//!
//! A standalone server stands in for a replica set in tests and on small machines. The one that the
//! tests use looks for the version and writes the document in two steps, so two writers of the same
//! version both succeed. Within this process they wait for each other; a replica set does without.

use tokio::sync::{Mutex, MutexGuard};

/// Documents share a lock by their last byte, which counts up in an object id.
const LOCKS: usize = 64;

/// Locks for documents, or none where the server does without.
pub(super) struct DocumentLocks(Option<Box<[Mutex<()>]>>);

impl DocumentLocks {
    pub(super) fn new(needed: bool) -> Self {
        Self(needed.then(|| (0..LOCKS).map(|_| Mutex::new(())).collect()))
    }

    /// Waits until no other write of the document is under way; lasts until the result is dropped.
    pub(super) async fn lock(&self, id: [u8; 12]) -> Option<MutexGuard<'_, ()>> {
        let locks = self.0.as_ref()?;
        Some(locks[usize::from(id[11]) % LOCKS].lock().await)
    }
}
