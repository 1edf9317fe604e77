//! The runs of baselines: those in force keep theirs from being removed, and a version whose runs
//! are gone can be held against nothing any more.

use load_analysis::baseline::RunFigures;
use rusqlite::{Connection, params};
use tenancy::TenantId;

use crate::baselines::BaselineVersion;
use crate::error::StoreError;

/// Looks for the runs of a version, in the transaction that is to keep them.
pub(crate) fn require(
    connection: &Connection,
    tenant: &TenantId,
    runs: &[RunFigures],
) -> Result<(), StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE tenant = ?1 AND id = ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    for RunFigures { run, .. } in runs {
        let is_there: bool =
            statement.query_row(params![tenant.as_str(), run], |row| row.get(0))?;
        if !is_there {
            return Err(StoreError::RunGone { run: run.clone() });
        }
    }
    Ok(())
}

/// Keeps the runs of the version in force from being removed, and those of the one before no more.
pub(crate) fn keep(connection: &Connection, version: &BaselineVersion) -> Result<(), StoreError> {
    let name = &version.name;
    connection.execute(
        "DELETE FROM baseline_runs
         WHERE tenant = ?1 AND test_name = ?2 AND environment = ?3 AND scenario = ?4",
        name.parameters(),
    )?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO baseline_runs (tenant, test_name, environment, scenario, run)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for RunFigures { run, .. } in &version.baseline.runs {
        let [tenant, test, environment, scenario] = name.parameters();
        statement.execute([tenant, test, environment, scenario, run.as_str()])?;
    }
    Ok(())
}
