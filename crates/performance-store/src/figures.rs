//! The figures of finished runs by measure, such as `http_req_duration p(95)`: small enough to
//! draw hundreds of runs without reading their results.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::{MAX_HISTORY, TestName};
use crate::run::{Run, RunAddress, RunId};
use crate::runs;

/// The most tests that are listed: pages show them all.
pub const MAX_LISTED_TESTS: u32 = 100;

/// Runs of a test that its summary has figures of.
const SUMMARISED: u32 = 20;

/// A test, as its runs tell.
#[derive(Debug, Clone)]
pub struct TestSummary {
    /// The name that people gave it.
    pub name: String,
    /// How many finished runs it has.
    pub runs: u64,
    /// The latest finished one.
    pub latest: Run,
    /// The figures of one measure in the latest runs that completed, oldest first, at most 20.
    pub figures: Vec<f64>,
}

impl RunStore {
    /// The latest completed runs of a test with their figures of one measure, oldest first, at
    /// most [`MAX_HISTORY`]. Runs without the measure are left out.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn series(
        &self,
        test: &TestName,
        measure: &str,
    ) -> Result<Vec<(Run, f64)>, StoreError> {
        let (test, measure) = (test.clone(), measure.to_owned());
        self.read(Operation("find", "figures"), move |connection| {
            let sql = "SELECT id, value FROM runs JOIN figures ON run = row_id
                 WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed' AND measure = ?3
                   AND environment = coalesce(?4, environment)
                   AND scenario = coalesce(?5, scenario)
                 ORDER BY number DESC LIMIT ?6";
            let mut statement = connection.prepare_cached(sql)?;
            let parameters = params![
                test.tenant.as_str(),
                test.name,
                measure,
                test.environment,
                test.scenario,
                MAX_HISTORY
            ];
            let found = statement.query_map(parameters, |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
            })?;
            let mut series = Vec::new();
            for row in found {
                let (id, value) = row?;
                series.push((run(connection, &test.tenant, &id)?, value));
            }
            series.reverse();
            Ok(series)
        })
        .await
    }

    /// The highest figure of a measure among a tenant's passed runs against a target, and the
    /// number of its run.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn highest(
        &self,
        tenant: &TenantId,
        environment: &str,
        measure: &str,
    ) -> Result<Option<(u64, f64)>, StoreError> {
        let (tenant, environment) = (tenant.clone(), environment.to_owned());
        let measure = measure.to_owned();
        self.read(Operation("find", "figures"), move |connection| {
            let sql = "SELECT number, value FROM runs JOIN figures ON run = row_id
                 WHERE tenant = ?1 AND environment = ?2 AND measure = ?3
                   AND verdict ->> 'level' = 'PASS'
                 ORDER BY value DESC LIMIT 1";
            let mut statement = connection.prepare_cached(sql)?;
            let parameters = params![tenant.as_str(), environment, measure];
            let mut found =
                statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(found.next().transpose()?)
        })
        .await
    }

    /// The measures of a run.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn measures(&self, address: &RunAddress) -> Result<Vec<String>, StoreError> {
        let address = address.clone();
        self.read(Operation("find", "figures"), move |connection| {
            let row = runs::row_of(connection, &address)?;
            let sql = "SELECT measure FROM figures WHERE run = ?1 ORDER BY measure";
            let mut statement = connection.prepare_cached(sql)?;
            let measures = statement.query_map([row], |row| row.get(0))?;
            Ok(measures.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// A tenant's tests, the one with the latest run first, with their figures of one measure.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tests(
        &self,
        tenant: &TenantId,
        measure: &str,
    ) -> Result<Vec<TestSummary>, StoreError> {
        let (tenant, measure) = (tenant.clone(), measure.to_owned());
        self.read(Operation("find", "figures"), move |connection| {
            let sql = "SELECT test_name, count(*), max(number) AS latest FROM runs
                 WHERE tenant = ?1 AND status IN ('Completed', 'Failed', 'Cancelled')
                 GROUP BY test_name ORDER BY latest DESC LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_map(params![tenant.as_str(), MAX_LISTED_TESTS], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            let mut tests = Vec::new();
            for row in found {
                let (name, runs, latest): (String, u64, u64) = row?;
                tests.push(TestSummary {
                    latest: numbered(connection, &tenant, latest)?,
                    figures: latest_figures(connection, &tenant, &name, &measure)?,
                    name,
                    runs,
                });
            }
            Ok(tests)
        })
        .await
    }
}

/// Stores the figures of a run that has ended.
pub(crate) fn store(
    transaction: &Transaction<'_>,
    run: i64,
    figures: &BTreeMap<String, f64>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO figures (run, measure, value) VALUES (?1, ?2, ?3)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (measure, value) in figures {
        statement.execute(params![run, measure, value])?;
    }
    Ok(())
}

fn latest_figures(
    connection: &Connection,
    tenant: &TenantId,
    test: &str,
    measure: &str,
) -> Result<Vec<f64>, StoreError> {
    let sql = "SELECT value FROM runs JOIN figures ON run = row_id
         WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed' AND measure = ?3
         ORDER BY number DESC LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let parameters = params![tenant.as_str(), test, measure, SUMMARISED];
    let values = statement.query_map(parameters, |row| row.get(0))?;
    let mut values = values.collect::<Result<Vec<f64>, _>>()?;
    values.reverse();
    Ok(values)
}

fn numbered(connection: &Connection, tenant: &TenantId, number: u64) -> Result<Run, StoreError> {
    let sql = "SELECT id FROM runs WHERE tenant = ?1 AND number = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let id: String = statement.query_row(params![tenant.as_str(), number], |row| row.get(0))?;
    run(connection, tenant, &id)
}

fn run(connection: &Connection, tenant: &TenantId, id: &str) -> Result<Run, StoreError> {
    let corrupt = |_| StoreError::Corrupt(format!("run id {id:?}"));
    let id: RunId = id.parse().map_err(corrupt)?;
    let tenant = tenant.clone();
    runs::load(connection, &RunAddress { tenant, id })
}
