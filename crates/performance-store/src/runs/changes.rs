//! The statements behind each step of the state machine.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use crate::error::StoreError;
use crate::figures;
use crate::run::{LoadProcess, NewRun, Outcome, RunAddress, RunStatus, Step};

impl Step {
    pub(super) const fn begins_at(self) -> RunStatus {
        match self {
            Self::Take => RunStatus::Queued,
            Self::Spawned(_) | Self::Run => RunStatus::Starting,
        }
    }
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    address: &RunAddress,
    new: &NewRun,
    now: Timestamp,
) -> Result<(), StoreError> {
    let number: u64 = transaction.query_row(
        "INSERT INTO run_numbers (tenant, last) VALUES (?1, 1)
         ON CONFLICT (tenant) DO UPDATE SET last = last + 1 RETURNING last",
        [address.tenant.as_str()],
        |row| row.get(0),
    )?;
    transaction.execute(
        "INSERT INTO all_runs (tenant, id, number, test_name, scenario, script, environment,
                           started_by, triggered_by, virtual_user_seconds, request, forecast,
                           status, fence, queued_at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'Queued', 0,
                 ?13)",
        params![
            address.tenant.as_str(),
            address.id.to_string(),
            number,
            new.test_name,
            new.scenario,
            new.script,
            new.environment,
            new.started_by,
            new.triggered_by,
            new.virtual_user_seconds,
            new.request,
            new.forecast,
            now.as_millisecond(),
        ],
    )?;
    Ok(())
}

pub(super) fn apply(
    transaction: &Transaction<'_>,
    row: i64,
    step: Step,
    now: Timestamp,
) -> Result<(), StoreError> {
    let now = now.as_millisecond();
    match step {
        Step::Take => transaction.execute(
            "UPDATE all_runs SET status = 'Starting', fence = fence + 1, started_at_ms = ?2
             WHERE row_id = ?1",
            params![row, now],
        )?,
        Step::Spawned(LoadProcess { pid, start_ticks }) => transaction.execute(
            "UPDATE all_runs SET process_id = ?2, process_start = ?3 WHERE row_id = ?1",
            params![row, pid, start_ticks],
        )?,
        Step::Run => transaction.execute(
            "UPDATE all_runs SET status = 'Running' WHERE row_id = ?1",
            [row],
        )?,
    };
    Ok(())
}

/// Ends a run. It began when the clock said so, and ended as much later as it `took`; where nobody
/// measured that, now, and in no case before it began.
pub(super) fn close(
    transaction: &Transaction<'_>,
    row: i64,
    outcome: &Outcome,
    (took, now): (Option<Duration>, Timestamp),
) -> Result<(), StoreError> {
    let verdict = outcome
        .verdict
        .as_ref()
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let took = took.and_then(|took| i64::try_from(took.as_millis()).ok());
    transaction.execute(
        "UPDATE all_runs SET status = ?2, error = ?4, verdict = ?5, results = ?6,
                         completed_at_ms = max(coalesce(started_at_ms + ?7, ?3),
                                               coalesce(started_at_ms, queued_at_ms))
         WHERE row_id = ?1",
        params![
            row,
            outcome.status.as_str(),
            now.as_millisecond(),
            outcome.error,
            verdict,
            outcome.results,
            took,
        ],
    )?;
    figures::store(transaction, row, &outcome.figures)
}
