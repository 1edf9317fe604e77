//! How much load each tenant has asked for today: virtual users times seconds. It is taken when a
//! run is queued, or when it starts if only its script says how much it is, and given back when a
//! run ends before its load began.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Run, RunAddress};
use crate::runs;

/// Milliseconds of a day, from midnight UTC.
const DAY: i64 = 86_400_000;

impl RunStore {
    /// What is left of a tenant's load of today.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn load_left(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        let (allowed, today) = (self.config().tenant_daily_load, day_of(self.clock().now()));
        self.write(Operation("find", "tenant_load"), move |connection| {
            let transaction = connection.transaction()?;
            let used = used(&transaction, &tenant, today)?;
            Ok(allowed.saturating_sub(used))
        })
        .await
    }

    /// Takes the load of a run whose request did not say how much it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such run.
    pub async fn take_load(&self, run: &RunAddress, load: u64) -> Result<(), StoreError> {
        let (address, today) = (run.clone(), day_of(self.clock().now()));
        self.write(Operation("update", "tenant_load"), move |connection| {
            let transaction = connection.transaction()?;
            let row = runs::row_of(&transaction, &address)?;
            transaction.execute(
                "UPDATE all_runs SET virtual_user_seconds = ?2 WHERE row_id = ?1",
                params![row, load],
            )?;
            add(&transaction, &address.tenant, today, load)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}

/// Takes load of today, in the caller's transaction.
pub(crate) fn take(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    load: u64,
    (allowed, now): (u64, Timestamp),
) -> Result<(), StoreError> {
    let today = day_of(now);
    let used = used(transaction, tenant, today)?;
    // Where the script says how much it is, there must be something left at least.
    if used >= allowed || load > allowed - used {
        return Err(StoreError::DailyLoad { used, allowed });
    }
    add(transaction, tenant, today, load)
}

/// Gives back what a run took that put on no load.
pub(crate) fn give_back(transaction: &Transaction<'_>, run: &Run) -> Result<(), StoreError> {
    transaction.execute(
        "UPDATE tenant_load SET virtual_user_seconds = max(0, virtual_user_seconds - ?3)
         WHERE tenant = ?1 AND day = ?2",
        params![
            run.tenant.as_str(),
            day_of(run.queued_at),
            run.virtual_user_seconds
        ],
    )?;
    Ok(())
}

fn used(transaction: &Transaction<'_>, tenant: &TenantId, day: i64) -> Result<u64, StoreError> {
    let sql = "SELECT virtual_user_seconds FROM tenant_load WHERE tenant = ?1 AND day = ?2";
    let found = transaction.query_row(sql, params![tenant.as_str(), day], |row| row.get(0));
    Ok(found.optional()?.unwrap_or(0))
}

fn add(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    day: i64,
    load: u64,
) -> Result<(), StoreError> {
    // Days that are over are counted no more.
    transaction.execute("DELETE FROM tenant_load WHERE day < ?1", [day - 1])?;
    transaction.execute(
        "INSERT INTO tenant_load (tenant, day, virtual_user_seconds) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant, day)
         DO UPDATE SET virtual_user_seconds = virtual_user_seconds + ?3",
        params![tenant.as_str(), day, load],
    )?;
    Ok(())
}

fn day_of(time: Timestamp) -> i64 {
    time.as_millisecond().div_euclid(DAY)
}
