//! Whether a run is let into the queue.

use rusqlite::Transaction;
use tenancy::TenantId;

use crate::database::{Operation, RunStore, StoreConfig};
use crate::error::StoreError;
use crate::tenant_load;

impl RunStore {
    /// Whether a run with so much load would be accepted now. Nothing is taken.
    ///
    /// # Errors
    /// Those of [`Self::enqueue`].
    pub async fn admits(&self, tenant: &TenantId, load: u64) -> Result<(), StoreError> {
        let (tenant, bounds) = (tenant.clone(), self.config().clone());
        self.write(Operation("find", "runs"), move |connection| {
            // It ends without a commit.
            admit(&connection.transaction()?, &tenant, load, &bounds)
        })
        .await
    }
}

/// Takes the load of a run that is asked for, if there is room for it.
pub(super) fn admit(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    load: u64,
    bounds: &StoreConfig,
) -> Result<(), StoreError> {
    let limit = bounds.queue_limit;
    let waiting: u64 = transaction.query_row(
        "SELECT count(*) FROM runs WHERE status = 'Queued'",
        [],
        |row| row.get(0),
    )?;
    if waiting >= limit {
        return Err(StoreError::QueueFull { waiting, limit });
    }
    let theirs: u64 = transaction.query_row(
        "SELECT count(*) FROM runs WHERE status = 'Queued' AND tenant = ?1",
        [tenant.as_str()],
        |row| row.get(0),
    )?;
    if theirs >= bounds.tenant_queue_limit {
        return Err(StoreError::TenantQueueFull {
            waiting: theirs,
            limit: bounds.tenant_queue_limit,
        });
    }
    let allowed = (bounds.tenant_daily_load, bounds.clock.now());
    tenant_load::take(transaction, tenant, load, allowed)
}
