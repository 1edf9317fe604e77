//! The ledger's `SQLite` file.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, params};

use super::{LedgerError, LedgerRow};

/// The version of the schema below.
const SCHEMA_VERSION: i64 = 1;

/// How long a statement waits for the other connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY,
        call_id TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        test_id TEXT,
        feature TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        outcome TEXT NOT NULL,
        error_type TEXT,
        streamed INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cache_read_tokens INTEGER NOT NULL,
        cache_write_5m_tokens INTEGER NOT NULL,
        cache_write_1h_tokens INTEGER NOT NULL,
        reasoning_tokens INTEGER NOT NULL,
        usage_estimated INTEGER NOT NULL,
        price_version TEXT NOT NULL,
        cost_pico_usd INTEGER,
        simulated INTEGER NOT NULL,
        trace_id TEXT
    ) STRICT;
    CREATE INDEX attempts_by_call ON attempts (call_id);
    CREATE INDEX attempts_by_tenant ON attempts (tenant, at_ms);
    CREATE INDEX attempts_by_test ON attempts (test_id) WHERE test_id IS NOT NULL;
";

const INSERT: &str = "
    INSERT INTO attempts (
        call_id, attempt, at_ms, tenant, test_id, feature, provider, model, outcome, error_type,
        streamed, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, reasoning_tokens, usage_estimated, price_version, cost_pico_usd,
        simulated, trace_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        ?20, ?21, ?22)";

/// One connection to the file; used from blocking threads only.
#[derive(Clone)]
pub(super) struct LedgerStore(Arc<Mutex<Connection>>);

impl LedgerStore {
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // With WAL, a killed process loses nothing that was committed; a machine that loses its
        // power may lose the last transactions.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        migrate(&mut connection)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all rows or none.
    pub(super) fn insert(&self, rows: &[LedgerRow]) -> Result<(), LedgerError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for row in rows {
                let usage = &row.usage;
                insert.execute(params![
                    row.call_id.to_string(),
                    row.attempt,
                    row.at.as_millisecond(),
                    row.tenant.as_str(),
                    row.test_id,
                    row.feature,
                    row.provider.as_str(),
                    row.model,
                    row.outcome.as_str(),
                    row.error_type,
                    row.streamed,
                    integer(usage.input_tokens),
                    integer(usage.output_tokens),
                    integer(usage.cache_read_tokens),
                    integer(usage.cache_write_5m_tokens),
                    integer(usage.cache_write_1h_tokens),
                    integer(usage.reasoning_tokens),
                    usage.estimated,
                    &*row.price_version,
                    row.cost.map(money::PicoUsd::get),
                    row.simulated,
                    row.trace_id,
                ])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(LedgerError::TooNew {
            found,
            known: SCHEMA_VERSION,
        });
    }
    if found == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

fn integer(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
