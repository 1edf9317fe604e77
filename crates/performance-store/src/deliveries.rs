//! What webhooks are to be told, and what became of it.
//!
//! A delivery is stored with the change that it tells of, in one transaction: no crash comes
//! between them. Whoever sends it says afterwards how that went, so that a crash in between sends
//! it a second time, with the same number.

mod delivery;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use tenancy::TenantId;

pub use self::delivery::{Attempt, Delivery, DeliveryState};
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::{Run, RunId};
use crate::runs::{optional_timestamp, timestamp};
use crate::webhooks::{self, Webhook, WebhookEvent};

/// Deliveries of all webhooks that may wait, of some hundred bytes each; what comes then is
/// dropped, and noted as that.
pub const MAX_WAITING_DELIVERIES: u64 = 10_000;

/// Deliveries of one webhook that may wait. One whose target is dead waits eight minutes with each,
/// and takes no room from others.
pub const MAX_WAITING_OF_WEBHOOK: u64 = 50;

/// Deliveries of a webhook that are kept when they are over.
pub const MAX_DELIVERIES: u32 = 200;

impl RunStore {
    /// Has a webhook be told something that is no change of a run; its number. While one such
    /// delivery waits there is no other.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none of this name, or it is switched off.
    pub async fn add_test_delivery(
        &self,
        tenant: &TenantId,
        webhook: &str,
    ) -> Result<u64, StoreError> {
        let (tenant, webhook) = (tenant.clone(), webhook.to_owned());
        let now = self.clock().now();
        self.write(Operation("insert", "deliveries"), move |connection| {
            let transaction = connection.transaction()?;
            if let Some(id) = waiting_test(&transaction, tenant.as_str(), &webhook)? {
                return Ok(id);
            }
            let about = (WebhookEvent::Test, None, now);
            let added = add(&transaction, tenant.as_str(), Some(&webhook), about)?;
            let id = transaction.last_insert_rowid();
            transaction.commit()?;
            match added {
                0 => Err(StoreError::Absent { what: "webhook" }),
                _ => u64::try_from(id).map_err(|_| StoreError::Corrupt("a delivery".to_owned())),
            }
        })
        .await
    }

    /// The first delivery that waits of each webhook, of all tenants: a webhook is told one thing
    /// after the other.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn first_deliveries(&self) -> Result<Vec<(Webhook, Delivery)>, StoreError> {
        self.read(Operation("find", "deliveries"), |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT webhooks.*, deliveries.* FROM deliveries
                 JOIN webhooks ON webhooks.tenant = deliveries.tenant
                              AND webhooks.name = deliveries.webhook
                 WHERE deliveries.id IN (
                     SELECT min(id) FROM deliveries WHERE state = 'waiting'
                     GROUP BY tenant, webhook)",
            )?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((webhooks::read(row)?, read(row)?));
            }
            Ok(found)
        })
        .await
    }

    /// Notes how an attempt went.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn note_attempt(&self, id: u64, attempt: Attempt) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.write(Operation("update", "deliveries"), move |connection| {
            let transaction = connection.transaction()?;
            let over = attempt.state != DeliveryState::Waiting;
            transaction.execute(
                "UPDATE deliveries SET state = ?2, attempts = attempts + 1, next_at_ms = ?3,
                                       ended_at_ms = ?4, status = ?5, error = ?6
                 WHERE id = ?1",
                params![
                    id,
                    attempt.state.as_str(),
                    attempt.next_at.as_millisecond(),
                    over.then(|| now.as_millisecond()),
                    attempt.status,
                    attempt.error,
                ],
            )?;
            if let Some(reason) = attempt.switches_off {
                switch_off(&transaction, id, &reason, now)?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// The latest delivery that is over, of each of a tenant's webhooks, by the webhook's name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn latest_deliveries(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, Delivery)>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "deliveries"), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM deliveries WHERE id IN (
                     SELECT max(id) FROM deliveries WHERE tenant = ?1 AND state != 'waiting'
                     GROUP BY webhook)
                 ORDER BY webhook",
            )?;
            let mut rows = statement.query([tenant.as_str()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((row.get("webhook")?, read(row)?));
            }
            Ok(found)
        })
        .await
    }

    /// The latest deliveries of a webhook, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn deliveries(
        &self,
        tenant: &TenantId,
        webhook: &str,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (tenant, webhook) = (tenant.clone(), webhook.to_owned());
        self.read(Operation("find", "deliveries"), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM deliveries WHERE tenant = ?1 AND webhook = ?2
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let mut rows = statement.query(params![tenant.as_str(), webhook, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
        .await
    }
}

/// Has the webhooks of a run's tenant be told of it, in the caller's transaction.
pub(crate) fn note(
    transaction: &Transaction<'_>,
    run: &Run,
    event: WebhookEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let about = (event, Some(run.id), now);
    add(transaction, run.tenant.as_str(), None, about)?;
    Ok(())
}

/// Adds a delivery for each webhook of this name, or that asks for the event; how many.
fn add(
    transaction: &Transaction<'_>,
    tenant: &str,
    webhook: Option<&str>,
    (event, run, now): (WebhookEvent, Option<RunId>, Timestamp),
) -> Result<usize, StoreError> {
    let sql = "SELECT count(*) FROM deliveries WHERE state = 'waiting'";
    let waiting: u64 = transaction.query_row(sql, [], |row| row.get(0))?;
    let of_each = if waiting < MAX_WAITING_DELIVERIES {
        MAX_WAITING_OF_WEBHOOK
    } else {
        0
    };
    let added = transaction.execute(
        "INSERT OR IGNORE INTO deliveries (tenant, webhook, event, run, state, made_at_ms,
                                           next_at_ms)
         SELECT tenant, name, ?3, ?4,
                CASE WHEN (SELECT count(*) FROM deliveries AS own
                           WHERE own.tenant = webhooks.tenant AND own.webhook = webhooks.name
                             AND own.state = 'waiting') < ?5
                     THEN 'waiting' ELSE 'dropped' END,
                ?6, ?6 FROM webhooks
         WHERE tenant = ?1 AND switched_off IS NULL
           AND CASE WHEN ?2 IS NULL THEN instr(' ' || events || ' ', ' ' || ?3 || ' ') > 0
                    ELSE name = ?2 END",
        params![
            tenant,
            webhook,
            event.as_str(),
            run.map(|run| run.to_string()),
            of_each,
            now.as_millisecond(),
        ],
    )?;
    if added > 0 {
        forget(transaction, tenant)?;
    }
    Ok(added)
}

fn waiting_test(
    transaction: &Transaction<'_>,
    tenant: &str,
    webhook: &str,
) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT id FROM deliveries
         WHERE tenant = ?1 AND webhook = ?2 AND event = ?3 AND state = 'waiting'";
    let parameters = params![tenant, webhook, WebhookEvent::Test.as_str()];
    let waiting = transaction.query_row(sql, parameters, |row| row.get(0));
    Ok(waiting.optional()?)
}

/// Forgets what is long over.
fn forget(transaction: &Transaction<'_>, tenant: &str) -> Result<(), StoreError> {
    transaction.execute(
        "DELETE FROM deliveries WHERE id IN (
             SELECT id FROM (
                 SELECT id, row_number() OVER (PARTITION BY webhook ORDER BY id DESC) AS place
                 FROM deliveries WHERE tenant = ?1 AND state != 'waiting')
             WHERE place > ?2)",
        params![tenant, MAX_DELIVERIES],
    )?;
    Ok(())
}

/// Has the webhook of a delivery be told nothing any more, what waits included.
fn switch_off(
    connection: &Connection,
    id: u64,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE webhooks SET switched_off = ?2 WHERE (tenant, name) IN (
             SELECT tenant, webhook FROM deliveries WHERE id = ?1)",
        params![id, reason],
    )?;
    connection.execute(
        "UPDATE deliveries SET state = 'failed', error = ?2, ended_at_ms = ?3
         WHERE state = 'waiting' AND (tenant, webhook) IN (
             SELECT tenant, webhook FROM deliveries WHERE id = ?1)",
        params![id, reason, now.as_millisecond()],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Delivery, StoreError> {
    let event: String = row.get("event")?;
    let state: String = row.get("state")?;
    let run: Option<String> = row.get("run")?;
    let corrupt = || StoreError::Corrupt(format!("delivery: {event:?} {state:?} {run:?}"));
    Ok(Delivery {
        id: row.get("id")?,
        event: WebhookEvent::parse(&event).ok_or_else(corrupt)?,
        run: run
            .as_deref()
            .map(|id| id.parse().map_err(|_| corrupt()))
            .transpose()?,
        state: DeliveryState::ALL
            .into_iter()
            .find(|one| one.as_str() == state)
            .ok_or_else(corrupt)?,
        attempts: row.get("attempts")?,
        created_at: timestamp(row.get("made_at_ms")?)?,
        next_at: timestamp(row.get("next_at_ms")?)?,
        ended_at: optional_timestamp(row.get("ended_at_ms")?)?,
        status: row.get("status")?,
        error: row.get("error")?,
    })
}
