//! Webhooks: who is told of runs. Where a target is, and every secret, is a setting; what is here
//! names the target and salts the secret.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::runs::timestamp;

/// Webhooks of a tenant: each run makes a delivery for each of them.
pub const MAX_WEBHOOKS: u64 = 20;

pub(crate) const COLUMNS: &str = "tenant, name, target, format, events, salt, created_by,
    created_at_ms, switched_off";

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFormat {
    /// The event as JSON of ours.
    Json,
    /// A message as Slack takes it, and what takes the same.
    Slack,
}

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookEvent {
    /// Load is on.
    RunStarted,
    /// A run is over, whatever its end.
    RunCompleted,
    /// Somebody asked whether it works.
    Test,
}

/// A webhook as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Whose it is.
    pub tenant: TenantId,
    /// What people call it; one of the tenant's has it.
    pub name: String,
    /// The name of the address in the settings.
    pub target: String,
    /// What is sent.
    pub format: WebhookFormat,
    /// What it is told of.
    pub events: Vec<WebhookEvent>,
    /// Makes its secret another one than those of the others.
    pub salt: [u8; 16],
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Why nothing is sent any more.
    pub switched_off: Option<String>,
}

impl WebhookEvent {
    const ALL: [Self; 3] = [Self::RunStarted, Self::RunCompleted, Self::Test];

    /// The word of the API and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunStarted => "run.started",
            Self::RunCompleted => "run.completed",
            Self::Test => "webhook.test",
        }
    }

    /// The event of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

impl WebhookFormat {
    const ALL: [Self; 2] = [Self::Json, Self::Slack];

    /// The word of the API and of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
        }
    }

    /// The format of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

impl RunStore {
    /// Keeps a new webhook.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken, [`StoreError::TooMany`] beyond
    /// [`MAX_WEBHOOKS`].
    pub async fn add_webhook(&self, webhook: Webhook) -> Result<(), StoreError> {
        self.write(Operation("insert", "webhooks"), move |connection| {
            let transaction = connection.transaction()?;
            if find(&transaction, &webhook.tenant, &webhook.name)?.is_some() {
                return Err(StoreError::Exists { what: "webhook" });
            }
            let sql = "SELECT count(*) FROM webhooks WHERE tenant = ?1";
            let tenant = webhook.tenant.as_str();
            let kept: u64 = transaction.query_row(sql, [tenant], |row| row.get(0))?;
            if kept >= MAX_WEBHOOKS {
                return Err(StoreError::TooMany {
                    what: "webhooks",
                    limit: MAX_WEBHOOKS,
                });
            }
            let events: Vec<&str> = webhook.events.iter().map(|one| one.as_str()).collect();
            let sql = format!(
                "INSERT INTO webhooks ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            );
            let parameters = params![
                tenant,
                webhook.name,
                webhook.target,
                webhook.format.as_str(),
                events.join(" "),
                webhook.salt,
                webhook.created_by,
                webhook.created_at.as_millisecond(),
                webhook.switched_off,
            ];
            transaction.execute(&sql, parameters)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// One webhook.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none of this name.
    pub async fn webhook(&self, tenant: &TenantId, name: &str) -> Result<Webhook, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.read(Operation("find", "webhooks"), move |connection| {
            let found = find(connection, &tenant, &name)?;
            found.ok_or(StoreError::Absent { what: "webhook" })
        })
        .await
    }

    /// A tenant's webhooks, by name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn webhooks(&self, tenant: &TenantId) -> Result<Vec<Webhook>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "webhooks"), move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE tenant = ?1 ORDER BY name");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([tenant.as_str()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// Removes a webhook with its deliveries; what waits is not sent any more.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none of this name.
    pub async fn remove_webhook(&self, tenant: &TenantId, name: &str) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.write(Operation("delete", "webhooks"), move |connection| {
            let removed = connection.execute(
                "DELETE FROM webhooks WHERE tenant = ?1 AND name = ?2",
                params![tenant.as_str(), name],
            )?;
            match removed {
                0 => Err(StoreError::Absent { what: "webhook" }),
                _ => Ok(()),
            }
        })
        .await
    }
}

fn find(
    connection: &Connection,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<Webhook>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM webhooks WHERE tenant = ?1 AND name = ?2");
    let found = connection.query_row(&sql, params![tenant.as_str(), name], |row| Ok(read(row)));
    found.optional()?.transpose()
}

pub(crate) fn read(row: &Row<'_>) -> Result<Webhook, StoreError> {
    let tenant: String = row.get("tenant")?;
    let format: String = row.get("format")?;
    let events: String = row.get("events")?;
    let corrupt = || StoreError::Corrupt(format!("webhook of {tenant:?}: {format:?} {events:?}"));
    let events = events.split(' ').map(WebhookEvent::parse);
    Ok(Webhook {
        tenant: TenantId::parse(&tenant).map_err(|_| corrupt())?,
        name: row.get("name")?,
        target: row.get("target")?,
        format: WebhookFormat::parse(&format).ok_or_else(corrupt)?,
        events: events.collect::<Option<_>>().ok_or_else(corrupt)?,
        salt: row.get("salt")?,
        created_by: row.get("created_by")?,
        created_at: timestamp(row.get("created_at_ms")?)?,
        switched_off: row.get("switched_off")?,
    })
}
