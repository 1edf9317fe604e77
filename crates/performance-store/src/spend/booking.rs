//! Keeps what a run cost.

use jiff::Timestamp;
use load_analysis::spend::{ModelSpend, Spend};
use rusqlite::{Transaction, params};

use crate::error::StoreError;
use crate::run::Run;

/// How long the cost of a run is kept: a year and a month, so that months can be compared.
const KEPT_DAYS: i64 = 400;

/// The most calls or tokens that are booked of a run and model. They are what a target says: no
/// run reads a million million tokens, and a sum of nine million of these stays within the 64 bits
/// that `SQLite` adds up in.
const MOST_COUNTED: u64 = 1_000_000_000_000;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Books what a run cost, in the caller's transaction. A run that is judged again is booked anew.
pub(crate) fn book(
    transaction: &Transaction<'_>,
    run: &Run,
    spend: &Spend,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (tenant, id) = (run.tenant.as_str(), run.id.to_string());
    forget_old(transaction, now)?;
    for table in ["spend", "spend_runs"] {
        let sql = format!("DELETE FROM {table} WHERE tenant = ?1 AND run = ?2");
        transaction.execute(&sql, params![tenant, id])?;
    }
    let stopped = spend.reached.filter(|reached| reached.stopped);
    let stopped = stopped.map(|reached| serde_json::to_string(&reached));
    let stopped = stopped
        .transpose()
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    transaction.execute(
        "INSERT INTO spend_runs (tenant, run, number, test_name, user, at_ms, stopped_for)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            tenant,
            id,
            run.number,
            run.test_name,
            run.started_by,
            run.started_at.unwrap_or(run.queued_at).as_millisecond(),
            stopped,
        ],
    )?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO spend (tenant, run, model, simulated, calls, unpriced_calls, input_tokens,
                            output_tokens, pico_usd)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (tenant, run, model, simulated) DO NOTHING",
    )?;
    for part in parts(spend) {
        let amount = part.amount;
        statement.execute(params![
            tenant,
            id,
            part.model,
            part.simulated,
            amount.calls.unwrap_or(0).min(MOST_COUNTED),
            amount.unpriced_calls.min(MOST_COUNTED),
            amount.input_tokens.min(MOST_COUNTED),
            amount.output_tokens.min(MOST_COUNTED),
            i64::try_from(amount.cost.pico()).unwrap_or(i64::MAX),
        ])?;
    }
    Ok(())
}

/// By model, or the sums where nobody knows the models.
fn parts(spend: &Spend) -> Vec<ModelSpend> {
    if !spend.models.is_empty() {
        return spend.models.clone();
    }
    let sums = [(false, spend.real), (true, spend.simulated)];
    let some = sums.into_iter().filter(|(_, amount)| !amount.is_nothing());
    some.map(|(simulated, amount)| ModelSpend {
        model: String::new(),
        simulated,
        amount,
    })
    .collect()
}

fn forget_old(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
    let oldest = now.as_millisecond() - KEPT_DAYS * DAY;
    transaction.execute(
        "DELETE FROM spend WHERE (tenant, run) IN
             (SELECT tenant, run FROM spend_runs WHERE at_ms < ?1)",
        [oldest],
    )?;
    transaction.execute("DELETE FROM spend_runs WHERE at_ms < ?1", [oldest])?;
    Ok(())
}
