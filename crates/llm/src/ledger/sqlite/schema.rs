//! The versions of the file, each made from the one before it.

use rusqlite::{Connection, TransactionBehavior};

use crate::LedgerError;

/// What makes each version; the file's `user_version` says how many were run.
const STEPS: [&str; 5] = [
    "CREATE TABLE attempts (
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
    CREATE INDEX attempts_by_test ON attempts (test_id) WHERE test_id IS NOT NULL;",
    "ALTER TABLE attempts ADD COLUMN row_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE attempts ADD COLUMN variant TEXT;
    ALTER TABLE attempts ADD COLUMN prompt_version TEXT;
    ALTER TABLE attempts ADD COLUMN region_class TEXT NOT NULL DEFAULT '';
    ALTER TABLE attempts ADD COLUMN service_tier TEXT NOT NULL DEFAULT 'standard';
    ALTER TABLE attempts ADD COLUMN cost_input INTEGER;
    ALTER TABLE attempts ADD COLUMN cost_cache_read INTEGER;
    ALTER TABLE attempts ADD COLUMN cost_cache_write INTEGER;
    ALTER TABLE attempts ADD COLUMN cost_output INTEGER;
    ALTER TABLE attempts ADD COLUMN queue_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN connect_us INTEGER;
    ALTER TABLE attempts ADD COLUMN first_token_us INTEGER;
    ALTER TABLE attempts ADD COLUMN decode_us INTEGER;
    ALTER TABLE attempts ADD COLUMN total_us INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX attempts_by_time ON attempts (at_ms);",
    "CREATE TABLE budgets (tenant TEXT PRIMARY KEY, limits TEXT NOT NULL) STRICT;",
    "CREATE TABLE experiments (
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (tenant, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE assessments (
        tenant TEXT NOT NULL,
        call_id TEXT NOT NULL,
        assessor TEXT NOT NULL,
        variant TEXT NOT NULL,
        score INTEGER NOT NULL,
        PRIMARY KEY (tenant, call_id, assessor)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX assessments_by_variant ON assessments (tenant, variant);
    CREATE INDEX attempts_by_variant ON attempts (tenant, variant) WHERE variant IS NOT NULL;",
    // What is not running runs for nothing, and nothings differ.
    "ALTER TABLE experiments ADD COLUMN running_for TEXT;
    CREATE UNIQUE INDEX experiments_running ON experiments (tenant, running_for);",
];

/// Brings the file to the newest version.
///
/// # Errors
/// A file that a newer program wrote, or that cannot be written.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(LedgerError::TooNew { found, known });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
