//! Finding and reading the rows of runs.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use tenancy::TenantId;

use crate::error::StoreError;
use crate::run::{LoadProcess, Position, Run, RunAddress, RunId, RunStatus};

pub(super) const COLUMNS: &str =
    "id, tenant, number, test_name, scenario, script, environment, started_by, triggered_by,
    virtual_user_seconds, request, status, fence, queued_at_ms, started_at_ms, completed_at_ms, process_id, process_start, container_id, error, verdict";

/// The row of a run that is at `expected`.
pub(crate) fn check(
    connection: &Connection,
    address: &RunAddress,
    expected: Position,
) -> Result<i64, StoreError> {
    let found = connection
        .query_row(
            "SELECT row_id, status, fence FROM runs WHERE tenant = ?1 AND id = ?2",
            params![address.tenant.as_str(), address.id.to_string()],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, u64>(2)?,
                ))
            },
        )
        .optional()?;
    let (row, status, fence) = found.ok_or(StoreError::NotFound)?;
    let actual = parse_status(&status)?;
    if actual != expected.status || fence != expected.fence {
        return Err(StoreError::Moved { actual });
    }
    Ok(row)
}

/// The row of a run that is not over and belongs to the conductor with this fence.
pub(crate) fn fenced_row(
    connection: &Connection,
    address: &RunAddress,
    fence: u64,
) -> Result<i64, StoreError> {
    let run = load(connection, address)?;
    if run.fence != fence || run.status.is_final() {
        return Err(StoreError::Moved { actual: run.status });
    }
    row_of(connection, address)
}

/// The row of a run in whatever state.
pub(crate) fn row_of(connection: &Connection, address: &RunAddress) -> Result<i64, StoreError> {
    connection
        .query_row(
            "SELECT row_id FROM runs WHERE tenant = ?1 AND id = ?2",
            params![address.tenant.as_str(), address.id.to_string()],
            |row| row.get(0),
        )
        .optional()?
        .ok_or(StoreError::NotFound)
}

pub(crate) fn load(connection: &Connection, address: &RunAddress) -> Result<Run, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE tenant = ?1 AND id = ?2");
    collect(
        connection,
        &sql,
        params![address.tenant.as_str(), address.id.to_string()],
    )?
    .pop()
    .ok_or(StoreError::NotFound)
}

/// The greatest id of all runs.
pub(crate) fn latest_id(connection: &Connection) -> Result<Option<RunId>, StoreError> {
    let sql = "SELECT max(id) FROM all_runs";
    let id: Option<String> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(id.and_then(|id| id.parse().ok()))
}

pub(super) fn collect<P: Params>(
    connection: &Connection,
    sql: &str,
    parameters: P,
) -> Result<Vec<Run>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(read(row)?);
    }
    Ok(runs)
}

fn read(row: &Row<'_>) -> Result<Run, StoreError> {
    let id: String = row.get("id")?;
    let tenant: String = row.get("tenant")?;
    let status: String = row.get("status")?;
    let verdict: Option<String> = row.get("verdict")?;
    let pid: Option<u32> = row.get("process_id")?;
    let start_ticks: Option<u64> = row.get("process_start")?;
    let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(format!("run {id}: {error}"));
    Ok(Run {
        id: id.parse().map_err(|error| corrupt(&error))?,
        tenant: TenantId::parse(&tenant).map_err(|error| corrupt(&error))?,
        number: row.get("number")?,
        test_name: row.get("test_name")?,
        scenario: row.get("scenario")?,
        script: row.get("script")?,
        environment: row.get("environment")?,
        started_by: row.get("started_by")?,
        triggered_by: row.get("triggered_by")?,
        virtual_user_seconds: row.get("virtual_user_seconds")?,
        request: row.get("request")?,
        status: parse_status(&status)?,
        fence: row.get("fence")?,
        queued_at: timestamp(row.get("queued_at_ms")?)?,
        started_at: optional_timestamp(row.get("started_at_ms")?)?,
        completed_at: optional_timestamp(row.get("completed_at_ms")?)?,
        process: pid
            .zip(start_ticks)
            .map(|(pid, start_ticks)| LoadProcess { pid, start_ticks }),
        container_id: row.get("container_id")?,
        error: row.get("error")?,
        verdict: verdict
            .map(|json| serde_json::from_str(&json).map_err(|error| corrupt(&error)))
            .transpose()?,
    })
}

fn parse_status(text: &str) -> Result<RunStatus, StoreError> {
    RunStatus::parse(text).ok_or_else(|| StoreError::Corrupt(format!("status {text:?}")))
}

/// Reads a stored time, milliseconds since 1970.
pub(crate) fn timestamp(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

pub(crate) fn optional_timestamp(
    milliseconds: Option<i64>,
) -> Result<Option<Timestamp>, StoreError> {
    milliseconds.map(timestamp).transpose()
}
