//! Experiments and assessments in the file.

use rusqlite::{Connection, Params, params};

use super::super::{Assessment, LedgerError, ScoreCount, StoredExperiment, assessment::CHECKS};

pub(super) fn all(connection: &Connection) -> Result<Vec<StoredExperiment>, LedgerError> {
    let mut select =
        connection.prepare_cached("SELECT tenant, name, running_for, body FROM experiments")?;
    let rows = select.query_map([], |row| {
        Ok(StoredExperiment {
            tenant: row.get(0)?,
            name: row.get(1)?,
            running_for: row.get(2)?,
            body: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn start(
    connection: &Connection,
    experiment: &StoredExperiment,
) -> Result<bool, LedgerError> {
    let inserted = connection.execute(
        "INSERT INTO experiments (tenant, name, running_for, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        members(experiment),
    )?;
    Ok(inserted == 1)
}

pub(super) fn put(
    connection: &Connection,
    experiment: &StoredExperiment,
) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO experiments (tenant, name, running_for, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant, name) DO UPDATE SET running_for = ?3, body = ?4",
        members(experiment),
    )?;
    Ok(())
}

fn members(experiment: &StoredExperiment) -> impl Params + '_ {
    (
        &experiment.tenant,
        &experiment.name,
        &experiment.running_for,
        &experiment.body,
    )
}

pub(super) fn assess(connection: &Connection, assessment: &Assessment) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO assessments VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, call_id, assessor) DO UPDATE SET score = ?5",
        params![
            assessment.tenant.as_str(),
            assessment.call_id.to_string(),
            assessment.assessor.key(),
            assessment.variant,
            assessment.score,
        ],
    )?;
    Ok(())
}

pub(super) fn scores(
    connection: &Connection,
    tenant: &str,
    variant: &str,
) -> Result<Vec<ScoreCount>, LedgerError> {
    let mut select = connection.prepare_cached(
        "SELECT assessor = ?3, score, count(*) FROM assessments
         WHERE tenant = ?1 AND variant = ?2 GROUP BY 1, 2 ORDER BY 1, 2",
    )?;
    let rows = select.query_map([tenant, variant, CHECKS], |row| {
        Ok(ScoreCount {
            by_checks: row.get(0)?,
            score: row.get(1)?,
            count: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
