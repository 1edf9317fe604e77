//! Changing an entity that is there: read it, change it, store it unless it has changed meanwhile.

use std::time::Duration;

use tenancy::TenantId;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{Instant, timeout_at},
};

use super::Cached;
use crate::{Entity, StorageError};

/// Longest change, however often others come between: a read and a write, each as long as the store
/// may take.
const LONGEST: Duration = Duration::from_secs(2);

/// Locks that the entities of a kind share by their last bytes, which count up: more than changes
/// are under way at once, so that hardly two of different entities meet.
const LOCKS: usize = 1_024;

/// One change of an entity at a time. Other processes are not held up, they only make a change try
/// again; within one, a hundred changes at once would each try a hundred times.
pub(super) struct ChangeLocks(Box<[Mutex<()>]>);

impl ChangeLocks {
    pub(super) fn new() -> Self {
        Self((0..LOCKS).map(|_| Mutex::new(())).collect())
    }

    async fn lock(&self, id: [u8; 12]) -> MutexGuard<'_, ()> {
        let index = usize::from(u16::from_be_bytes([id[10], id[11]])) % LOCKS;
        self.0[index].lock().await
    }
}

impl<E: Entity> Cached<E> {
    /// Reads the entity, has `apply` make its next version, and stores that; all of it again when
    /// another change came between. Returns what was stored.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], what `apply` refused with, [`StorageError::Overloaded`] when
    /// others came between all the time, or a failure of the store.
    pub async fn change(
        &self,
        tenant: &TenantId,
        id: &E::Id,
        apply: impl Fn(&E) -> Result<E, StorageError>,
    ) -> Result<E, StorageError> {
        let deadline = Instant::now() + LONGEST;
        let lock = self.inner.changes.lock(E::id_bytes(id));
        let _lock = timeout_at(deadline, lock)
            .await
            .map_err(|_| StorageError::Overloaded)?;
        while Instant::now() < deadline {
            let found = timeout_at(deadline, self.read(tenant, id))
                .await
                .map_err(|_| StorageError::Timeout { write: false })??;
            let found = found.ok_or(StorageError::NotFound)?;
            let changed = apply(&found)?;
            let stored = timeout_at(deadline, self.replace(tenant, &changed, found.version()))
                .await
                .map_err(|_| StorageError::Timeout { write: true })?;
            match stored {
                Err(StorageError::VersionConflict) => {}
                stored => return stored.map(|()| changed),
            }
        }
        Err(StorageError::Overloaded)
    }
}
