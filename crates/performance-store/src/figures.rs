//! The figures of finished runs by measure, such as `http_req_duration p(95)`: small enough to
//! draw hundreds of runs without reading their results.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::history::{MAX_HISTORY, TestName};
use crate::run::{Run, RunAddress, RunId};
use crate::runs;

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

    /// The figures of one measure, by run, of those of these runs that have it; of at most
    /// [`MAX_HISTORY`] runs.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn figures(
        &self,
        tenant: &TenantId,
        runs: Vec<RunId>,
        measure: &str,
    ) -> Result<BTreeMap<RunId, f64>, StoreError> {
        let (tenant, measure) = (tenant.clone(), measure.to_owned());
        self.read(Operation("find", "figures"), move |connection| {
            let sql = "SELECT value FROM runs JOIN figures ON run = row_id
                 WHERE tenant = ?1 AND id = ?2 AND measure = ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let mut figures = BTreeMap::new();
            for run in runs.into_iter().take(MAX_HISTORY as usize) {
                let parameters = params![tenant.as_str(), run.to_string(), measure];
                let value = statement.query_row(parameters, |row| row.get(0));
                figures.extend(value.optional()?.map(|value: f64| (run, value)));
            }
            Ok(figures)
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

pub(crate) fn run(connection: &Connection, tenant: &TenantId, id: &str) -> Result<Run, StoreError> {
    let (tenant, id) = (tenant.clone(), RunId::stored(id)?);
    runs::load(connection, &RunAddress { tenant, id })
}
