//! How long runs are kept.

use jiff::Timestamp;
use rusqlite::params;
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::removal::IS_REMOVABLE;
use crate::run::RunId;

/// Milliseconds.
const DAY: i64 = 86_400_000;

impl RunStore {
    /// Begins to [remove](Self::being_removed) a tenant's oldest finished runs beyond the number that
    /// is kept and those that were over for longer than runs are kept; how many. Runs of a
    /// baseline in force stay.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin_removal_of_expired(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let tenant = tenant.clone();
        let kept = self.config().runs_kept;
        let oldest = before(now, self.config().runs_kept_days);
        self.write(Operation("update", "runs"), move |connection| {
            let sql = format!(
                "UPDATE all_runs SET being_removed = 1 WHERE row_id IN (
                     SELECT row_id FROM (
                         SELECT row_id, completed_at_ms,
                                row_number() OVER (ORDER BY number DESC) AS place
                         FROM runs WHERE tenant = ?1 AND {IS_REMOVABLE})
                     WHERE place > ?2 OR completed_at_ms < ?3)"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            Ok(statement.execute(params![tenant.as_str(), kept, oldest])?)
        })
        .await
    }

    /// The tenant's finished runs beyond its newest ones and those that were over `days` before
    /// `now`, newest first, at most [`MAX_LISTED_RUNS`](crate::MAX_LISTED_RUNS).
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn finished_beyond(
        &self,
        tenant: &TenantId,
        newest: u32,
        (now, days): (Timestamp, u32),
    ) -> Result<Vec<RunId>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id FROM (
                     SELECT id, number, completed_at_ms,
                            row_number() OVER (ORDER BY number DESC) AS place
                     FROM runs
                     WHERE tenant = ?1 AND status IN ('Completed', 'Failed', 'Cancelled'))
                 WHERE place > ?2 OR completed_at_ms <= ?3
                 ORDER BY number DESC LIMIT ?4",
            )?;
            let oldest = before(now, days);
            let parameters = params![tenant.as_str(), newest, oldest, crate::MAX_LISTED_RUNS];
            let ids = statement.query_map(parameters, |row| row.get::<_, String>(0))?;
            ids.map(|id| RunId::stored(&id?)).collect()
        })
        .await
    }

    /// Every tenant that has a run.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.read(Operation("find", "runs"), |connection| {
            // Of each tenant that ever had one: numbers are never given twice.
            let mut statement = connection.prepare_cached("SELECT tenant FROM run_numbers")?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            let corrupt = |name: &str| StoreError::Corrupt(format!("tenant {name:?}"));
            let tenants = names.map(|name| {
                let name = name?;
                TenantId::parse(&name).map_err(|_| corrupt(&name))
            });
            tenants.collect()
        })
        .await
    }

    /// Those of these ids that no run of the tenant has, or one that is being removed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn missing_runs(
        &self,
        tenant: &TenantId,
        ids: Vec<RunId>,
    ) -> Result<Vec<RunId>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE tenant = ?1 AND id = ?2)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut missing = Vec::new();
            for id in ids {
                let parameters = params![tenant.as_str(), id.to_string()];
                if !statement.query_row(parameters, |row| row.get::<_, bool>(0))? {
                    missing.push(id);
                }
            }
            Ok(missing)
        })
        .await
    }

    /// Those of these ids that no run of any tenant has, nor one that is being removed: nothing
    /// knows of their files.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn unknown_runs(&self, ids: Vec<RunId>) -> Result<Vec<RunId>, StoreError> {
        self.read(Operation("find", "runs"), move |connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM all_runs WHERE id = ?1)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut unknown = Vec::new();
            for id in ids {
                let known: bool = statement.query_row([id.to_string()], |row| row.get(0))?;
                if !known {
                    unknown.push(id);
                }
            }
            Ok(unknown)
        })
        .await
    }

    /// Bytes of the database's file that hold something.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn size(&self) -> Result<u64, StoreError> {
        self.read(Operation("count", "runs"), |connection| {
            let value =
                |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
            let (pages, free) = (value("page_count")?, value("freelist_count")?);
            Ok(pages.saturating_sub(free) * value("page_size")?)
        })
        .await
    }
}

/// Milliseconds of the time so many days before, or of the beginning of time.
fn before(now: Timestamp, days: u32) -> i64 {
    now.as_millisecond().saturating_sub(i64::from(days) * DAY)
}
