//! What a test's figures are when all is well, and how that changed: versions of baselines, of
//! which the newest one of a test, target and scenario is in force.

use jiff::Timestamp;
use load_analysis::baseline::{Baseline, Replacement};
use rusqlite::{Connection, Row, params};
use tenancy::TenantId;

use crate::baseline_runs;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::pinned_baselines::MAX_PINNED_BASELINES;
use crate::run::RunId;
use crate::runs::timestamp;

/// Versions of one baseline that are kept; older ones are forgotten unless they are pinned.
pub const MAX_BASELINE_VERSIONS: u32 = 50;

/// The most baselines of a tenant that are listed.
pub const MAX_BASELINES: u32 = 500;

const COLUMNS: &str = "test_name, environment, scenario, version, created_at_ms, created_by,
    replacement, document";

/// Whose and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineName {
    /// Whose.
    pub tenant: TenantId,
    /// The test.
    pub test: String,
    /// The target's name.
    pub environment: String,
    /// The scenario's name.
    pub scenario: String,
}

impl BaselineName {
    /// The four columns that tell it from others, in their order.
    pub(crate) fn parameters(&self) -> [&str; 4] {
        [
            self.tenant.as_str(),
            &self.test,
            &self.environment,
            &self.scenario,
        ]
    }
}

/// A version of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineVersion {
    /// What it is for.
    pub name: BaselineName,
    /// Counts from 1.
    pub version: u64,
    /// When it came into force.
    pub created_at: Timestamp,
    /// Who established it.
    pub created_by: String,
    /// Why it replaced the one before; absent for the first.
    pub replacement: Option<Replacement>,
    /// Runs and figures; none of a version that withdrew the one before.
    pub baseline: Baseline,
}

impl BaselineVersion {
    /// Whether runs are held against it when it is the newest version.
    #[must_use]
    pub const fn is_reference(&self) -> bool {
        !matches!(self.replacement, Some(Replacement::Withdrawn { .. }))
    }

    /// The ids of its runs, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<RunId> {
        let runs = self.baseline.runs.iter();
        runs.filter_map(|run| run.run.parse().ok()).collect()
    }
}

impl RunStore {
    /// Puts a version in force, which must be the next one. Its runs escape retention from then
    /// on, and those of the version before do no more.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when somebody else put this version in force,
    /// [`StoreError::RunGone`] when one of its runs was removed meanwhile.
    pub async fn put_baseline(&self, version: BaselineVersion) -> Result<(), StoreError> {
        self.write(Operation("insert", "baselines"), move |connection| {
            let transaction = connection.transaction()?;
            let name = &version.name;
            let current = newest(&transaction, name)?.map_or(0, |newest| newest.version);
            if version.version != current + 1 {
                return Err(StoreError::Superseded);
            }
            baseline_runs::require(&transaction, &name.tenant, &version.baseline.runs)?;
            let json = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
            let replacement = version.replacement.as_ref().map(serde_json::to_string);
            let [tenant, test, environment, scenario] = name.parameters();
            transaction.execute(
                "INSERT INTO baselines (tenant, test_name, environment, scenario, version,
                                        created_at_ms, created_by, replacement, document)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    tenant,
                    test,
                    environment,
                    scenario,
                    version.version,
                    version.created_at.as_millisecond(),
                    version.created_by,
                    replacement.transpose().map_err(json)?,
                    serde_json::to_string(&version.baseline).map_err(json)?,
                ],
            )?;
            let oldest = version.version.saturating_sub(MAX_BASELINE_VERSIONS.into());
            transaction.execute(
                "DELETE FROM baselines WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3
                   AND scenario = ?4 AND version <= ?5 AND version NOT IN (
                       SELECT version FROM pinned_runs
                       WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3
                         AND scenario = ?4)",
                params![tenant, test, environment, scenario, oldest],
            )?;
            baseline_runs::keep(&transaction, &version)?;
            transaction.commit()?;
            Ok(())
        })
        .await
    }

    /// The baseline in force; `None` where there is none, or none any more.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn baseline(
        &self,
        name: &BaselineName,
    ) -> Result<Option<BaselineVersion>, StoreError> {
        let newest = self.newest_baseline(name).await?;
        Ok(newest.filter(BaselineVersion::is_reference))
    }

    /// The newest version, also when it withdrew the one before.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn newest_baseline(
        &self,
        name: &BaselineName,
    ) -> Result<Option<BaselineVersion>, StoreError> {
        let name = name.clone();
        self.read(Operation("find", "baselines"), move |connection| {
            newest(connection, &name)
        })
        .await
    }

    /// Every version that is kept, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn baseline_versions(
        &self,
        name: &BaselineName,
    ) -> Result<Vec<BaselineVersion>, StoreError> {
        let name = name.clone();
        self.read(Operation("find", "baselines"), move |connection| {
            versions(
                connection,
                &name,
                MAX_BASELINE_VERSIONS + MAX_PINNED_BASELINES,
            )
        })
        .await
    }

    /// A tenant's baselines in force, by test.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn baselines(&self, tenant: &TenantId) -> Result<Vec<BaselineVersion>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "baselines"), move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM baselines AS one WHERE tenant = ?1 AND version = (
                     SELECT max(version) FROM baselines
                     WHERE tenant = one.tenant AND test_name = one.test_name
                       AND environment = one.environment AND scenario = one.scenario)
                   AND replacement ->> 'withdrawn' IS NULL
                 ORDER BY test_name, environment, scenario LIMIT ?2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![tenant.as_str(), MAX_BASELINES])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(&tenant, row)?);
            }
            Ok(found)
        })
        .await
    }
}

fn newest(
    connection: &Connection,
    name: &BaselineName,
) -> Result<Option<BaselineVersion>, StoreError> {
    Ok(versions(connection, name, 1)?.pop())
}

fn versions(
    connection: &Connection,
    name: &BaselineName,
    limit: u32,
) -> Result<Vec<BaselineVersion>, StoreError> {
    let newest_first = "ORDER BY version DESC LIMIT ?5";
    find(connection, name, (newest_first, limit.into()))
}

/// One version, if it is kept.
pub(crate) fn version(
    connection: &Connection,
    name: &BaselineName,
    version: u64,
) -> Result<Option<BaselineVersion>, StoreError> {
    Ok(find(connection, name, ("AND version = ?5", version))?.pop())
}

fn find(
    connection: &Connection,
    name: &BaselineName,
    (which, number): (&str, u64),
) -> Result<Vec<BaselineVersion>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM baselines
         WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3 AND scenario = ?4 {which}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let [tenant, test, environment, scenario] = name.parameters();
    let mut rows = statement.query(params![tenant, test, environment, scenario, number])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&name.tenant, row)?);
    }
    Ok(found)
}

fn read(tenant: &TenantId, row: &Row<'_>) -> Result<BaselineVersion, StoreError> {
    let corrupt = |error: serde_json::Error| StoreError::Corrupt(format!("baseline: {error}"));
    let replacement: Option<String> = row.get("replacement")?;
    let document: String = row.get("document")?;
    Ok(BaselineVersion {
        name: BaselineName {
            tenant: tenant.clone(),
            test: row.get("test_name")?,
            environment: row.get("environment")?,
            scenario: row.get("scenario")?,
        },
        version: row.get("version")?,
        created_at: timestamp(row.get("created_at_ms")?)?,
        created_by: row.get("created_by")?,
        replacement: replacement
            .map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(corrupt)?,
        baseline: serde_json::from_str(&document).map_err(corrupt)?,
    })
}
