//! Schedules: what is to be started by the clock, and when the next start is due.
//!
//! The store keeps instants; what an expression means in a time zone is the service's to know.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, params};
use tenancy::{Role, TenantId};

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::runs::{optional_timestamp, timestamp};

/// Schedules of a tenant: they are shown on one page.
pub const MAX_SCHEDULES: u64 = 100;

/// Schedules that one look at the clock finds; the next look finds the rest.
const MAX_DUE: u32 = 100;

const COLUMNS: &str = "tenant, name, document, owner, role, changed_at_ms, paused, due_at_ms,
    begins_at_ms";

/// A schedule as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Whose it is.
    pub tenant: TenantId,
    /// What people call it; one of the tenant's has it.
    pub name: String,
    /// What is started and when, JSON; the service writes and reads it.
    pub document: String,
    /// The user who made or changed it last: its runs are started on this user's behalf.
    pub owner: String,
    /// What the owner might do then.
    pub role: Role,
    /// When it was made or changed last.
    pub changed_at: Timestamp,
    /// Whether nothing is started until somebody says so.
    pub paused: bool,
    /// The next start; none while it is paused, and when no time fits any more.
    pub next: Option<NextStart>,
}

/// A start to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextStart {
    /// The time that the expression names.
    pub due: Timestamp,
    /// The same with its jitter.
    pub begins: Timestamp,
}

impl RunStore {
    /// Keeps a new schedule.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken, [`StoreError::TooMany`] beyond
    /// [`MAX_SCHEDULES`].
    pub async fn add_schedule(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.write(Operation("insert", "schedules"), move |connection| {
            let transaction = connection.transaction()?;
            if find(&transaction, &schedule.tenant, &schedule.name)?.is_some() {
                return Err(StoreError::Exists { what: "schedule" });
            }
            let sql = "SELECT count(*) FROM schedules WHERE tenant = ?1";
            let tenant = schedule.tenant.as_str();
            let kept: u64 = transaction.query_row(sql, [tenant], |row| row.get(0))?;
            if kept >= MAX_SCHEDULES {
                return Err(StoreError::TooMany {
                    what: "schedules",
                    limit: MAX_SCHEDULES,
                });
            }
            let sql = format!(
                "INSERT INTO schedules ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
            );
            write(&transaction, &sql, &schedule)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// Puts a schedule in the place of the one of the same name.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when there is none.
    pub async fn change_schedule(&self, schedule: Schedule) -> Result<(), StoreError> {
        self.write(Operation("update", "schedules"), move |connection| {
            let transaction = connection.transaction()?;
            let sql = "UPDATE schedules SET document = ?3, owner = ?4, role = ?5,
                              changed_at_ms = ?6, paused = ?7, due_at_ms = ?8, begins_at_ms = ?9
                       WHERE tenant = ?1 AND name = ?2";
            if write(&transaction, sql, &schedule)? == 0 {
                return Err(StoreError::Absent { what: "schedule" });
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// One schedule.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none of this name.
    pub async fn schedule(&self, tenant: &TenantId, name: &str) -> Result<Schedule, StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.read(Operation("find", "schedules"), move |connection| {
            let found = find(connection, &tenant, &name)?;
            found.ok_or(StoreError::Absent { what: "schedule" })
        })
        .await
    }

    /// A tenant's schedules, by name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn schedules(&self, tenant: &TenantId) -> Result<Vec<Schedule>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "schedules"), move |connection| {
            collect(
                connection,
                "WHERE tenant = ?1 ORDER BY name",
                [tenant.as_str()],
            )
        })
        .await
    }

    /// The schedules of all tenants that begin a run at `now` or should have before, the longest
    /// due first, at most 100.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn due_schedules(&self, now: Timestamp) -> Result<Vec<Schedule>, StoreError> {
        self.read(Operation("find", "schedules"), move |connection| {
            collect(
                connection,
                "WHERE begins_at_ms <= ?1 ORDER BY begins_at_ms LIMIT ?2",
                params![now.as_millisecond(), MAX_DUE],
            )
        })
        .await
    }

    /// When the next run of any tenant begins by the clock; `None` when none does.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next_scheduled(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(Operation("find", "schedules"), |connection| {
            let sql = "SELECT min(begins_at_ms) FROM schedules";
            optional_timestamp(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
    }

    /// Removes a schedule and what is known of its starts; the runs stay.
    ///
    /// # Errors
    /// [`StoreError::Absent`] when the tenant has none of this name.
    pub async fn remove_schedule(&self, tenant: &TenantId, name: &str) -> Result<(), StoreError> {
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.write(Operation("delete", "schedules"), move |connection| {
            let removed = connection.execute(
                "DELETE FROM schedules WHERE tenant = ?1 AND name = ?2",
                params![tenant.as_str(), name],
            )?;
            match removed {
                0 => Err(StoreError::Absent { what: "schedule" }),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// Moves a schedule on from the start `due` to the `next` one, in the caller's transaction; false
/// when it is elsewhere already.
pub(crate) fn move_on(
    transaction: &Transaction<'_>,
    schedule: &Schedule,
    due: Timestamp,
    next: Option<NextStart>,
) -> Result<bool, StoreError> {
    let moved = transaction.execute(
        "UPDATE schedules SET due_at_ms = ?4, begins_at_ms = ?5
         WHERE tenant = ?1 AND name = ?2 AND due_at_ms = ?3",
        params![
            schedule.tenant.as_str(),
            schedule.name,
            due.as_millisecond(),
            next.map(|next| next.due.as_millisecond()),
            next.map(|next| next.begins.as_millisecond()),
        ],
    )?;
    Ok(moved > 0)
}

fn write(transaction: &Transaction<'_>, sql: &str, one: &Schedule) -> Result<usize, StoreError> {
    Ok(transaction.execute(
        sql,
        params![
            one.tenant.as_str(),
            one.name,
            one.document,
            one.owner,
            one.role.as_str(),
            one.changed_at.as_millisecond(),
            one.paused,
            one.next.map(|next| next.due.as_millisecond()),
            one.next.map(|next| next.begins.as_millisecond()),
        ],
    )?)
}

fn find(
    connection: &Connection,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<Schedule>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM schedules WHERE tenant = ?1 AND name = ?2");
    let found = connection.query_row(&sql, params![tenant.as_str(), name], |row| Ok(read(row)));
    found.optional()?.transpose()
}

fn collect(
    connection: &Connection,
    rest: &str,
    parameters: impl Params,
) -> Result<Vec<Schedule>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM schedules {rest}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<Schedule, StoreError> {
    let tenant: String = row.get("tenant")?;
    let role: String = row.get("role")?;
    let corrupt = || StoreError::Corrupt(format!("schedule of {tenant:?} with role {role:?}"));
    let due = optional_timestamp(row.get("due_at_ms")?)?;
    let begins = optional_timestamp(row.get("begins_at_ms")?)?;
    Ok(Schedule {
        tenant: TenantId::parse(&tenant).map_err(|_| corrupt())?,
        name: row.get("name")?,
        document: row.get("document")?,
        owner: row.get("owner")?,
        role: Role::parse(&role).ok_or_else(corrupt)?,
        changed_at: timestamp(row.get("changed_at_ms")?)?,
        paused: row.get("paused")?,
        next: due
            .zip(begins)
            .map(|(due, begins)| NextStart { due, begins }),
    })
}
