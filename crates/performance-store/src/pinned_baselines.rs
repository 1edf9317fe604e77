//! Versions of baselines whose runs are kept although another version is in force: what one may
//! want to go back to.

use rusqlite::{OptionalExtension, params};

use crate::baselines::BaselineName;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::removal;

/// Versions that a tenant may have pinned: each keeps up to 30 runs.
pub const MAX_PINNED_BASELINES: u32 = 50;

impl RunStore {
    /// Has the runs of a version escape retention, whether it is in force or not.
    ///
    /// # Errors
    /// [`StoreError::Absent`] for a version that is not kept, [`StoreError::TooMany`] beyond
    /// [`MAX_PINNED_BASELINES`], [`StoreError::BeingRemoved`] when one of its runs is being removed.
    pub async fn pin_baseline(&self, name: &BaselineName, version: u64) -> Result<(), StoreError> {
        let name = name.clone();
        self.write(Operation("insert", "pinned_runs"), move |connection| {
            let transaction = connection.transaction()?;
            let tenant = name.tenant.as_str();
            let sql = "SELECT count(*) FROM (
                 SELECT DISTINCT test_name, environment, scenario, version FROM pinned_runs
                 WHERE tenant = ?1)";
            let pinned: u32 = transaction.query_row(sql, [tenant], |row| row.get(0))?;
            if pinned >= MAX_PINNED_BASELINES {
                return Err(StoreError::TooMany {
                    what: "pinned baselines",
                    limit: MAX_PINNED_BASELINES.into(),
                });
            }
            let sql = "SELECT document FROM baselines
                 WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3 AND scenario = ?4
                   AND version = ?5";
            let parameters = params![tenant, name.test, name.environment, name.scenario, version];
            let document = transaction.query_row(sql, parameters, |row| row.get::<_, String>(0));
            let document = document.optional()?.ok_or(StoreError::Absent {
                what: "version of a baseline",
            })?;
            removal::refuse_removed(&transaction, &name.tenant, &document)?;
            transaction.execute(
                "INSERT OR IGNORE INTO pinned_runs
                     (tenant, test_name, environment, scenario, version, run)
                 SELECT ?1, ?2, ?3, ?4, ?5, value ->> 'run' FROM json_each(?6, '$.runs')",
                params![
                    tenant,
                    name.test,
                    name.environment,
                    name.scenario,
                    version,
                    document
                ],
            )?;
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
            connection.execute(
                "DELETE FROM pinned_runs WHERE tenant = ?1 AND test_name = ?2
                   AND environment = ?3 AND scenario = ?4 AND version = ?5",
                params![
                    name.tenant.as_str(),
                    name.test,
                    name.environment,
                    name.scenario,
                    version
                ],
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
            let parameters = params![
                name.tenant.as_str(),
                name.test,
                name.environment,
                name.scenario
            ];
            let versions = statement.query_map(parameters, |row| row.get(0))?;
            Ok(versions.collect::<Result<_, _>>()?)
        })
        .await
    }
}
