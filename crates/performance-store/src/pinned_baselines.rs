//! Versions of baselines whose runs are kept although another version is in force: what one may
//! want to go back to.

use load_analysis::baseline::RunFigures;
use rusqlite::{Connection, params};

use crate::baseline_runs;
use crate::baselines::{self, BaselineName, BaselineVersion};
use crate::database::{Operation, RunStore};
use crate::error::StoreError;

/// Versions that a tenant may have pinned: each keeps up to 30 runs.
pub const MAX_PINNED_BASELINES: u32 = 50;

impl RunStore {
    /// Has the runs of a version escape retention, whether it is in force or not. A version that is
    /// pinned stays so.
    ///
    /// # Errors
    /// [`StoreError::Absent`] for a version that is not kept or has no runs,
    /// [`StoreError::RunGone`] when one of its runs was removed, [`StoreError::TooMany`] beyond
    /// [`MAX_PINNED_BASELINES`].
    pub async fn pin_baseline(&self, name: &BaselineName, version: u64) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(Operation("insert", "pinned_runs"), move |connection| {
            let transaction = connection.transaction()?;
            if is_pinned(&transaction, &name, version)? {
                return Ok(());
            }
            let found = baselines::version(&transaction, &name, version)?;
            let found = found.filter(BaselineVersion::is_reference);
            let found = found.ok_or(StoreError::Absent {
                what: "version of a baseline that has runs",
            })?;
            baseline_runs::require(&transaction, &name.tenant, &found.baseline.runs)?;
            let sql = "SELECT count(*) FROM (
                 SELECT DISTINCT test_name, environment, scenario, version FROM pinned_runs
                 WHERE tenant = ?1)";
            let pinned: u32 =
                transaction.query_row(sql, [name.tenant.as_str()], |row| row.get(0))?;
            if pinned >= MAX_PINNED_BASELINES {
                return Err(StoreError::TooMany {
                    what: "pinned baselines",
                    limit: MAX_PINNED_BASELINES.into(),
                });
            }
            let [tenant, test, environment, scenario] = name.parameters();
            for RunFigures { run, .. } in &found.baseline.runs {
                transaction.execute(
                    "INSERT INTO pinned_runs
                         (tenant, test_name, environment, scenario, version, run)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![tenant, test, environment, scenario, version, run],
                )?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// Has the runs of a version be kept no longer than others; nothing where it was not pinned.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn unpin_baseline(
        &self,
        name: &BaselineName,
        version: u64,
    ) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(Operation("delete", "pinned_runs"), move |connection| {
            let [tenant, test, environment, scenario] = name.parameters();
            connection.execute(
                "DELETE FROM pinned_runs WHERE tenant = ?1 AND test_name = ?2
                   AND environment = ?3 AND scenario = ?4 AND version = ?5",
                params![tenant, test, environment, scenario, version],
            )?;
            Ok(())
        })
        .await
    }

    /// The versions of a baseline that are pinned, the newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn pinned_baselines(&self, name: &BaselineName) -> Result<Vec<u64>, StoreError> {
        let name = name.clone();
        self.read(Operation("find", "pinned_runs"), move |connection| {
            let sql = "SELECT DISTINCT version FROM pinned_runs
                 WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3 AND scenario = ?4
                 ORDER BY version DESC";
            let mut statement = connection.prepare_cached(sql)?;
            let versions = statement.query_map(name.parameters(), |row| row.get(0))?;
            Ok(versions.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn is_pinned(
    connection: &Connection,
    name: &BaselineName,
    version: u64,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pinned_runs WHERE tenant = ?1 AND test_name = ?2
           AND environment = ?3 AND scenario = ?4 AND version = ?5)";
    let [tenant, test, environment, scenario] = name.parameters();
    let parameters = params![tenant, test, environment, scenario, version];
    Ok(connection.query_row(sql, parameters, |row| row.get(0))?)
}
