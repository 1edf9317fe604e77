//! Configured tests: what the second family of clients executes again and again under one id.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use tenancy::TenantId;
use uuid::Uuid;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunId;
use crate::runs::timestamp;

/// Configured tests of a tenant.
pub const MAX_CONFIGURATIONS: u64 = 200;

const COLUMNS: &str = "id, test_type, environment, name, document, changed_by, changed_at_ms, run";

const ABSENT: StoreError = StoreError::Absent { what: "test" };

/// What tells a tenant's configured tests apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationName {
    /// Whose it is.
    pub tenant: TenantId,
    /// The shape of load, as clients call it.
    pub test_type: String,
    /// Where it is put on, as clients call it.
    pub environment: String,
    /// The name of the test.
    pub name: String,
}

/// A configured test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Its id, for clients.
    pub id: String,
    /// What tells it apart.
    pub name: ConfigurationName,
    /// What is asked for, JSON; the service writes and reads it.
    pub document: String,
    /// Who changed it last.
    pub changed_by: String,
    /// When that was.
    pub changed_at: Timestamp,
    /// Its latest run, which may be gone.
    pub run: Option<RunId>,
}

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConfiguration {
    /// What tells it apart.
    pub name: ConfigurationName,
    /// What is asked for, JSON.
    pub document: String,
    /// Who keeps it.
    pub changed_by: String,
}

impl RunStore {
    /// Keeps a configured test, in the place of the one of the same name; its id.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] beyond [`MAX_CONFIGURATIONS`].
    pub async fn put_configuration(&self, new: NewConfiguration) -> Result<String, StoreError> {
        self.write(Operation("insert", "configurations"), move |connection| {
            let transaction = connection.transaction()?;
            let id = put(&transaction, &new)?;
            transaction.commit()?;
            Ok(id)
        })
        .await
    }

    /// Replaces what a configured test asks for.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none with this id.
    pub async fn change_configuration(
        &self,
        tenant: &TenantId,
        id: &str,
        document: String,
        changed_by: String,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.write(Operation("update", "configurations"), move |connection| {
            change(connection, (tenant.as_str(), &id), &document, &changed_by)
        })
        .await
    }

    /// Removes a configured test; its runs stay.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none with this id.
    pub async fn remove_configuration(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<(), StoreError> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.write(Operation("delete", "configurations"), move |connection| {
            let sql = "DELETE FROM configurations WHERE tenant = ?1 AND id = ?2";
            some(connection.execute(sql, params![tenant.as_str(), id])?)
        })
        .await
    }

    /// One configured test.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none with this id.
    pub async fn configuration(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Configuration, StoreError> {
        let found = self.configurations_where(tenant, Some(id)).await?.pop();
        found.ok_or(ABSENT)
    }

    /// A tenant's configured tests, the last changed first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn configurations(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<Configuration>, StoreError> {
        self.configurations_where(tenant, None).await
    }

    async fn configurations_where(
        &self,
        tenant: &TenantId,
        id: Option<&str>,
    ) -> Result<Vec<Configuration>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.map(str::to_owned));
        self.read(Operation("find", "configurations"), move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM configurations WHERE tenant = ?1 AND id = coalesce(?2, id)
                 ORDER BY changed_at_ms DESC, id DESC"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![tenant.as_str(), id])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(&tenant, row)?);
            }
            Ok(found)
        })
        .await
    }
}

/// Keeps a configured test whose run begins in the same transaction.
pub(crate) fn put_with_run(
    transaction: &Transaction<'_>,
    new: &NewConfiguration,
    run: RunId,
) -> Result<(), StoreError> {
    let id = put(transaction, new)?;
    let sql = "UPDATE configurations SET run = ?3 WHERE tenant = ?1 AND id = ?2";
    let parameters = params![new.name.tenant.as_str(), id, run.to_string()];
    some(transaction.execute(sql, parameters)?)
}

fn put(transaction: &Transaction<'_>, new: &NewConfiguration) -> Result<String, StoreError> {
    let name = &new.name;
    let tenant = name.tenant.as_str();
    let sql = "SELECT id FROM configurations
               WHERE tenant = ?1 AND test_type = ?2 AND environment = ?3 AND name = ?4";
    let parameters = params![tenant, name.test_type, name.environment, name.name];
    let known: Option<String> = transaction
        .query_row(sql, parameters, |row| row.get(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => insert(transaction, name)?,
    };
    change(transaction, (tenant, &id), &new.document, &new.changed_by)?;
    Ok(id)
}

fn insert(connection: &Connection, name: &ConfigurationName) -> Result<String, StoreError> {
    let tenant = name.tenant.as_str();
    let sql = "SELECT count(*) FROM configurations WHERE tenant = ?1";
    let kept: u64 = connection.query_row(sql, [tenant], |row| row.get(0))?;
    if kept >= MAX_CONFIGURATIONS {
        return Err(StoreError::TooMany {
            what: "configured tests",
            limit: MAX_CONFIGURATIONS,
        });
    }
    let id = Uuid::now_v7().as_simple().to_string();
    connection.execute(
        "INSERT INTO configurations (tenant, id, test_type, environment, name, document,
                                     changed_by, changed_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, '', '', 0)",
        params![tenant, id, name.test_type, name.environment, name.name],
    )?;
    Ok(id)
}

fn change(
    connection: &Connection,
    (tenant, id): (&str, &str),
    document: &str,
    changed_by: &str,
) -> Result<(), StoreError> {
    let now = Timestamp::now().as_millisecond();
    let sql = "UPDATE configurations SET document = ?3, changed_by = ?4, changed_at_ms = ?5
               WHERE tenant = ?1 AND id = ?2";
    some(connection.execute(sql, params![tenant, id, document, changed_by, now])?)
}

const fn some(changed: usize) -> Result<(), StoreError> {
    match changed {
        0 => Err(ABSENT),
        _ => Ok(()),
    }
}

fn read(tenant: &TenantId, row: &Row<'_>) -> Result<Configuration, StoreError> {
    let run: Option<String> = row.get("run")?;
    let run = run.map(|id| id.parse()).transpose();
    Ok(Configuration {
        id: row.get("id")?,
        name: ConfigurationName {
            tenant: tenant.clone(),
            test_type: row.get("test_type")?,
            environment: row.get("environment")?,
            name: row.get("name")?,
        },
        document: row.get("document")?,
        changed_by: row.get("changed_by")?,
        changed_at: timestamp(row.get("changed_at_ms")?)?,
        run: run.map_err(|_| StoreError::Corrupt("the run of a configured test".to_owned()))?,
    })
}
