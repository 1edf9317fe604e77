//! The runs of one test over time, with what they measured.

use rusqlite::{Connection, Row, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::figures;
use crate::run::{Run, RunId};

/// The most runs that one call gives with their results: documents of some ten kilobytes each.
pub const MAX_HISTORY: u32 = 200;

/// Runs that may be compared with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestName {
    /// Whose runs.
    pub tenant: TenantId,
    /// The name that people gave the test.
    pub name: String,
    /// The target's name; any when absent.
    pub environment: Option<String>,
    /// The scenario's name; any when absent.
    pub scenario: Option<String>,
}

/// Runs that do the same: what one of them took says what another one will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    /// Whose runs.
    pub tenant: TenantId,
    /// The script, relative to the scripts directory.
    pub script: String,
    /// The target's name.
    pub environment: String,
    /// The scenario's name.
    pub scenario: String,
}

/// A run and its results document as JSON.
#[derive(Debug, Clone)]
pub struct WithResults {
    /// The run.
    pub run: Run,
    /// What it measured; absent when it put no load on its target.
    pub results: Option<String>,
}

impl RunStore {
    /// The latest completed runs of a test, oldest first, at most [`MAX_HISTORY`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn history(
        &self,
        test: &TestName,
        limit: u32,
    ) -> Result<Vec<WithResults>, StoreError> {
        let test = test.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = "SELECT id, results FROM runs
                 WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed'
                   AND environment = coalesce(?3, environment)
                   AND scenario = coalesce(?4, scenario)
                 ORDER BY number DESC LIMIT ?5";
            let mut statement = connection.prepare_cached(sql)?;
            let parameters = params![
                test.tenant.as_str(),
                test.name,
                test.environment,
                test.scenario,
                limit.min(MAX_HISTORY)
            ];
            let found = statement.query_map(parameters, id_and_results)?;
            let mut found = found.collect::<Result<Vec<_>, _>>()?;
            found.reverse();
            let load = |(id, results): (String, _)| load(connection, &test.tenant, &id, results);
            found.into_iter().map(load).collect()
        })
        .await
    }

    /// The latest completed runs of a kind whose figures count, newest first, at most
    /// [`MAX_HISTORY`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn alike(&self, alike: &Alike, limit: u32) -> Result<Vec<WithResults>, StoreError> {
        let alike = alike.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = "SELECT id, results FROM runs
                 WHERE tenant = ?1 AND script = ?2 AND environment = ?3 AND scenario = ?4
                   AND status = 'Completed' AND verdict ->> 'level' <> 'INVALID'
                 ORDER BY number DESC LIMIT ?5";
            let mut statement = connection.prepare_cached(sql)?;
            let parameters = params![
                alike.tenant.as_str(),
                alike.script,
                alike.environment,
                alike.scenario,
                limit.min(MAX_HISTORY)
            ];
            let found = statement.query_map(parameters, id_and_results)?;
            let found = found.collect::<Result<Vec<_>, _>>()?;
            let load = |(id, results): (String, _)| load(connection, &alike.tenant, &id, results);
            found.into_iter().map(load).collect()
        })
        .await
    }

    /// Some runs with their results, in the order of the ids.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant does not have one of them.
    pub async fn with_results(
        &self,
        tenant: &TenantId,
        ids: Vec<RunId>,
    ) -> Result<Vec<WithResults>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = "SELECT id, results FROM runs WHERE tenant = ?1 AND id = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            ids.iter()
                .take(MAX_HISTORY as usize)
                .map(|id| {
                    let parameters = params![tenant.as_str(), id.to_string()];
                    let found = statement.query_row(parameters, id_and_results);
                    let (id, results) = found.map_err(|error| match error {
                        rusqlite::Error::QueryReturnedNoRows => StoreError::NotFound,
                        other => other.into(),
                    })?;
                    load(connection, &tenant, &id, results)
                })
                .collect()
        })
        .await
    }
}

fn id_and_results(row: &Row<'_>) -> rusqlite::Result<(String, Option<String>)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn load(
    connection: &Connection,
    tenant: &TenantId,
    id: &str,
    results: Option<String>,
) -> Result<WithResults, StoreError> {
    let run = figures::run(connection, tenant, id)?;
    Ok(WithResults { run, results })
}
