//! Searches that take many runs: what was asked, what is known so far, and which run is under way.
//! Every change names the version that it was made from.

use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::run::RunId;
use crate::runs::timestamp;

/// Searches of a tenant that are kept; the oldest that are over make room.
const MAX_SEARCHES_KEPT: u32 = 200;

/// The most searches that one listing gives.
pub const MAX_LISTED_SEARCHES: u32 = MAX_SEARCHES_KEPT;

/// Searches of a tenant that go on at once: they take turns with each other's runs, and each gets
/// slower by it.
pub const MAX_SEARCHES_AT_ONCE: u64 = 3;

const COLUMNS: &str = "tenant, id, test_name, environment, started_by, request, status, version,
    run, document, created_at_ms, completed_at_ms";

/// Where a search is. All but the first are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStatus {
    /// It goes on.
    Searching,
    /// It came to its own end.
    Done,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl SearchStatus {
    const ALL: [Self; 4] = [Self::Searching, Self::Done, Self::Failed, Self::Cancelled];

    /// The name, as the API and the database spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Searching => "Searching",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Searching)
    }
}

/// A search that was asked for.
#[derive(Debug, Clone)]
pub struct NewSearch {
    /// Its id, of the same kind as those of runs.
    pub id: RunId,
    /// The name of the test.
    pub test_name: String,
    /// The name of the target.
    pub environment: String,
    /// The user who asked for it.
    pub started_by: String,
    /// What was asked, as JSON; the service writes and reads it.
    pub request: String,
    /// What is known, as JSON; the service writes and reads it.
    pub document: String,
}

/// A search as it is stored.
#[derive(Debug, Clone)]
pub struct SearchRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: RunId,
    /// The name of the test.
    pub test_name: String,
    /// The name of the target.
    pub environment: String,
    /// The user who asked for it.
    pub started_by: String,
    /// What was asked, as JSON.
    pub request: String,
    /// Where it is.
    pub status: SearchStatus,
    /// Grows by one with each change.
    pub version: u64,
    /// The run under way.
    pub run: Option<RunId>,
    /// What is known, as JSON.
    pub document: String,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it reached its final state.
    pub completed_at: Option<Timestamp>,
}

/// A change of a search.
#[derive(Debug, Clone)]
pub struct SearchChange {
    /// Where it is from now on.
    pub status: SearchStatus,
    /// The run under way from now on.
    pub run: Option<RunId>,
    /// What is known now.
    pub document: String,
}

impl RunStore {
    /// Accepts a search.
    ///
    /// # Errors
    /// [`StoreError::TenantQueueFull`] when as many of the tenant's go on as may.
    pub async fn add_search(
        &self,
        tenant: &TenantId,
        new: NewSearch,
    ) -> Result<SearchRecord, StoreError> {
        let (tenant, now) = (tenant.clone(), self.clock().now());
        self.write(Operation("insert", "searches"), move |connection| {
            let transaction = connection.transaction()?;
            let waiting: u64 = transaction.query_row(
                "SELECT count(*) FROM searches WHERE tenant = ?1 AND status = 'Searching'",
                [tenant.as_str()],
                |row| row.get(0),
            )?;
            if waiting >= MAX_SEARCHES_AT_ONCE {
                let limit = MAX_SEARCHES_AT_ONCE;
                return Err(StoreError::TenantQueueFull { waiting, limit });
            }
            insert(&transaction, &tenant, &new, now)?;
            transaction.execute(
                "DELETE FROM searches WHERE tenant = ?1 AND status <> 'Searching' AND row_id IN (
                     SELECT row_id FROM searches WHERE tenant = ?1
                     ORDER BY row_id DESC LIMIT -1 OFFSET ?2)",
                params![tenant.as_str(), MAX_SEARCHES_KEPT],
            )?;
            let added = one(&transaction, &tenant, new.id)?;
            transaction.commit()?;
            Ok(added)
        })
        .await
    }

    /// One search.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such search.
    pub async fn search(&self, tenant: &TenantId, id: RunId) -> Result<SearchRecord, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "searches"), move |connection| {
            one(connection, &tenant, id)
        })
        .await
    }

    /// A tenant's searches, newest first, at most [`MAX_LISTED_SEARCHES`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn searches(&self, tenant: &TenantId) -> Result<Vec<SearchRecord>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "searches"), move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM searches WHERE tenant = ?1 ORDER BY row_id DESC LIMIT ?2"
            );
            collect(
                connection,
                &sql,
                params![tenant.as_str(), MAX_LISTED_SEARCHES],
            )
        })
        .await
    }

    /// The searches of all tenants that go on, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn searching(&self) -> Result<Vec<SearchRecord>, StoreError> {
        self.read(Operation("find", "searches"), |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM searches WHERE status = 'Searching' ORDER BY row_id"
            );
            collect(connection, &sql, [])
        })
        .await
    }

    /// Changes a search that goes on and is as it was found.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when it was changed meanwhile, or is over.
    pub async fn change_search(
        &self,
        found: &SearchRecord,
        change: SearchChange,
    ) -> Result<SearchRecord, StoreError> {
        let (tenant, id, version) = (found.tenant.clone(), found.id, found.version);
        let now = self.clock().now().as_millisecond();
        self.write(Operation("update", "searches"), move |connection| {
            let transaction = connection.transaction()?;
            let changed = transaction.execute(
                "UPDATE searches SET status = ?4, run = ?5, document = ?6, completed_at_ms = ?7,
                                     version = version + 1
                 WHERE tenant = ?1 AND id = ?2 AND version = ?3 AND status = 'Searching'",
                params![
                    tenant.as_str(),
                    id.to_string(),
                    version,
                    change.status.as_str(),
                    change.run.map(|run| run.to_string()),
                    change.document,
                    change.status.is_final().then_some(now),
                ],
            )?;
            if changed == 0 {
                return Err(StoreError::Superseded);
            }
            let changed = one(&transaction, &tenant, id)?;
            transaction.commit()?;
            Ok(changed)
        })
        .await
    }
}

fn insert(
    connection: &Connection,
    tenant: &TenantId,
    new: &NewSearch,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO searches (tenant, id, test_name, environment, started_by, request, status,
                               version, document, created_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'Searching', 1, ?7, ?8)",
        params![
            tenant.as_str(),
            new.id.to_string(),
            new.test_name,
            new.environment,
            new.started_by,
            new.request,
            new.document,
            now.as_millisecond(),
        ],
    )?;
    Ok(())
}

fn one(connection: &Connection, tenant: &TenantId, id: RunId) -> Result<SearchRecord, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM searches WHERE tenant = ?1 AND id = ?2");
    let found = collect(connection, &sql, params![tenant.as_str(), id.to_string()])?.pop();
    found.ok_or(StoreError::NotFound)
}

fn collect<P: Params>(
    connection: &Connection,
    sql: &str,
    parameters: P,
) -> Result<Vec<SearchRecord>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<SearchRecord, StoreError> {
    let tenant: String = row.get("tenant")?;
    let id: String = row.get("id")?;
    let status: String = row.get("status")?;
    let run: Option<String> = row.get("run")?;
    let completed: Option<i64> = row.get("completed_at_ms")?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("search {id}: {what}"));
    let known = SearchStatus::ALL;
    Ok(SearchRecord {
        tenant: TenantId::parse(&tenant).map_err(|error| corrupt(&error.to_string()))?,
        id: id.parse().map_err(|_| corrupt("its id"))?,
        test_name: row.get("test_name")?,
        environment: row.get("environment")?,
        started_by: row.get("started_by")?,
        request: row.get("request")?,
        status: known
            .into_iter()
            .find(|known| known.as_str() == status)
            .ok_or_else(|| corrupt("its status"))?,
        version: row.get("version")?,
        run: run
            .map(|run| run.parse().map_err(|_| corrupt("its run")))
            .transpose()?,
        document: row.get("document")?,
        created_at: timestamp(row.get("created_at_ms")?)?,
        completed_at: completed.map(timestamp).transpose()?,
    })
}
