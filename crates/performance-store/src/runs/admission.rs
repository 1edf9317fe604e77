//! Letting runs into the queue.

use rusqlite::Transaction;
use tenancy::TenantId;

use super::changes;
use super::rows::load;
use crate::configurations::{self, NewConfiguration};
use crate::database::{Operation, RunStore, StoreConfig};
use crate::error::StoreError;
use crate::events::{self, Event, NewEvent};
use crate::run::{NewRun, Run, RunAddress};
use crate::tenant_load;

impl RunStore {
    /// Accepts a run: it is Queued and has its number, and its first event is stored.
    ///
    /// # Errors
    /// [`StoreError::QueueFull`] and [`StoreError::TenantQueueFull`] when as many runs wait as may
    /// wait, [`StoreError::DailyLoad`] when the tenant has no load left for today.
    pub async fn enqueue(
        &self,
        address: &RunAddress,
        new: NewRun,
        first_event: NewEvent,
    ) -> Result<(Run, Vec<Event>), StoreError> {
        self.enqueue_keeping(address, new, first_event, None).await
    }

    /// The same, and keeps the configured test that the run is of: both or neither.
    ///
    /// # Errors
    /// Those of [`Self::enqueue`] and of [`Self::put_configuration`].
    pub async fn enqueue_keeping(
        &self,
        address: &RunAddress,
        new: NewRun,
        first_event: NewEvent,
        configuration: Option<NewConfiguration>,
    ) -> Result<(Run, Vec<Event>), StoreError> {
        let address = address.clone();
        let (bounds, now) = (self.config().clone(), self.clock().now());
        self.write(Operation("insert", "runs"), move |connection| {
            let transaction = connection.transaction()?;
            admit(
                &transaction,
                &address.tenant,
                new.virtual_user_seconds,
                &bounds,
            )?;
            changes::insert(&transaction, &address, &new, now)?;
            let events = events::append(&transaction, &address, vec![first_event])?;
            let run = load(&transaction, &address)?;
            if let Some(configuration) = &configuration {
                configurations::put_with_run(&transaction, configuration, address.id)?;
            }
            transaction.commit()?;
            Ok((run, events))
        })
        .await
    }

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
fn admit(
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
