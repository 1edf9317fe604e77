//! Each test in a few lines: its latest run, its latest figures, and when it last passed.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use tenancy::TenantId;

use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::figures;
use crate::history::TestName;
use crate::run::{Run, RunId};
use crate::runs::timestamp;

/// The most tests that are listed: pages show them all.
pub const MAX_LISTED_TESTS: u32 = 100;

/// Runs of a test that its summary has figures of.
const SUMMARISED: u32 = 20;

/// The most shapes of a test that are told.
const MAX_SHAPES: u32 = 100;

/// A test, as its runs tell.
#[derive(Debug, Clone)]
pub struct TestSummary {
    /// The name that people gave it.
    pub name: String,
    /// How many finished runs it has.
    pub runs: u64,
    /// The latest finished one.
    pub latest: Run,
    /// The latest finished one that nobody cancelled; one that its money stopped counts.
    pub decisive: Option<Run>,
    /// The figures of one measure in the latest runs that completed, oldest first, at most 20.
    pub figures: Vec<f64>,
    /// The latest run that passed, among those that are kept.
    pub passed: Option<Passed>,
    /// Finished runs after that one; all of them when none passed.
    pub runs_since: u64,
}

/// A run that passed, with a warning or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Its id.
    pub run: RunId,
    /// Its number.
    pub number: u64,
    /// When it was accepted.
    pub at: Timestamp,
}

/// What runs of a test ran against and as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The target's name.
    pub environment: String,
    /// The scenario's name.
    pub scenario: String,
}

impl RunStore {
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
                let passed = last_pass(connection, &tenant, &name)?;
                let since = passed.map_or(0, |passed| passed.number);
                tests.push(TestSummary {
                    latest: numbered(connection, &tenant, latest)?,
                    decisive: decisive(connection, &tenant, &name)?,
                    figures: latest_figures(connection, &tenant, &name, &measure)?,
                    runs_since: finished_after(connection, &tenant, (&name, since))?,
                    passed,
                    name,
                    runs,
                });
            }
            Ok(tests)
        })
        .await
    }

    /// What a test's completed runs ran against and as, that of the latest run first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn shapes(&self, test: &TestName) -> Result<Vec<Shape>, StoreError> {
        let test = test.clone();
        self.read(Operation("find", "runs"), move |connection| {
            let sql = "SELECT environment, scenario, max(number) AS latest FROM runs
                 WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed'
                 GROUP BY environment, scenario ORDER BY latest DESC LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let parameters = params![test.tenant.as_str(), test.name, MAX_SHAPES];
            let shapes = statement.query_map(parameters, |row| {
                Ok(Shape {
                    environment: row.get(0)?,
                    scenario: row.get(1)?,
                })
            })?;
            Ok(shapes.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn last_pass(
    connection: &Connection,
    tenant: &TenantId,
    test: &str,
) -> Result<Option<Passed>, StoreError> {
    let sql = "SELECT id, number, queued_at_ms FROM runs
         WHERE tenant = ?1 AND test_name = ?2 AND status = 'Completed'
           AND verdict ->> 'level' IN ('PASS', 'WARNING')
         ORDER BY number DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![tenant.as_str(), test], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    let Some((id, number, at)): Option<(String, u64, i64)> = found.optional()? else {
        return Ok(None);
    };
    Ok(Some(Passed {
        run: RunId::stored(&id)?,
        number,
        at: timestamp(at)?,
    }))
}

fn decisive(
    connection: &Connection,
    tenant: &TenantId,
    test: &str,
) -> Result<Option<Run>, StoreError> {
    let sql = "SELECT id FROM runs
         WHERE tenant = ?1 AND test_name = ?2
           AND (status IN ('Completed', 'Failed') OR (status = 'Cancelled' AND id IN (
               SELECT run FROM spend_runs WHERE tenant = ?1 AND stopped_for IS NOT NULL)))
         ORDER BY number DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![tenant.as_str(), test], |row| row.get(0));
    let id: Option<String> = found.optional()?;
    id.map(|id| figures::run(connection, tenant, &id))
        .transpose()
}

fn finished_after(
    connection: &Connection,
    tenant: &TenantId,
    (test, number): (&str, u64),
) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM runs
         WHERE tenant = ?1 AND test_name = ?2 AND number > ?3
           AND status IN ('Completed', 'Failed', 'Cancelled')";
    let mut statement = connection.prepare_cached(sql)?;
    let parameters = params![tenant.as_str(), test, number];
    Ok(statement.query_row(parameters, |row| row.get(0))?)
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
    figures::run(connection, tenant, &id)
}
