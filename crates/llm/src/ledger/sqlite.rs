//! The ledger in a `SQLite` file.

mod experiments;
mod read;
mod schema;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::{Connection, named_params};
use tenancy::TenantId;

use super::{
    Assessment, LedgerError, LedgerFilter, LedgerGroup, LedgerPage, LedgerRow, LedgerTotal,
    ScoreCount, StoredExperiment,
    store::{LedgerStore, Visitor},
};

/// How long a statement waits for the other connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const INSERT: &str = "
    INSERT INTO attempts (
        row_id, call_id, attempt, at_ms, tenant, test_id, feature, variant, prompt_version,
        provider, model, region_class, service_tier, outcome, error_type, streamed,
        input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, reasoning_tokens, usage_estimated, price_version, cost_pico_usd,
        cost_input, cost_cache_read, cost_cache_write, cost_output, simulated, trace_id,
        queue_us, connect_us, first_token_us, decode_us, total_us)
    SELECT
        :row_id, :call_id, :attempt, :at_ms, :tenant, :test_id, :feature, :variant,
        :prompt_version, :provider, :model, :region_class, :service_tier, :outcome, :error_type,
        :streamed, :input_tokens, :output_tokens, :cache_read_tokens, :cache_write_5m_tokens,
        :cache_write_1h_tokens, :reasoning_tokens, :usage_estimated, :price_version,
        :cost_pico_usd, :cost_input, :cost_cache_read, :cost_cache_write, :cost_output,
        :simulated, :trace_id, :queue_us, :connect_us, :first_token_us, :decode_us, :total_us
    WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE call_id = :call_id AND row_id = :row_id)";

/// A file, with a connection for the writer and one for everybody who reads.
pub(super) struct SqliteLedger {
    writer: Shared,
    reader: Shared,
}

/// A connection that blocking threads share.
#[derive(Clone)]
struct Shared(Arc<Mutex<Connection>>);

impl SqliteLedger {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self {
            writer: Shared::open(path)?,
            reader: Shared::open(path)?,
        })
    }
}

impl Shared {
    fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self(Arc::new(Mutex::new(connect(path)?))))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let connection = self.clone();
        tokio::task::spawn_blocking(move || work(&connection.lock()))
            .await
            .map_err(|_| LedgerError::Closed)?
    }
}

#[async_trait]
impl LedgerStore for SqliteLedger {
    fn insert(&self, rows: &[LedgerRow]) -> Result<(), LedgerError> {
        let mut connection = self.writer.lock();
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for row in rows {
                insert_row(&mut insert, row)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    async fn rows(
        &self,
        filter: &LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerRow>, LedgerError> {
        let filter = filter.clone();
        self.reader
            .run(move |connection| read::rows(connection, &filter, page))
            .await
    }

    async fn count(&self, filter: &LedgerFilter) -> Result<u64, LedgerError> {
        let filter = filter.clone();
        self.reader
            .run(move |connection| read::count(connection, &filter))
            .await
    }

    async fn totals(
        &self,
        filter: &LedgerFilter,
        group: LedgerGroup,
    ) -> Result<Vec<LedgerTotal>, LedgerError> {
        let filter = filter.clone();
        self.reader
            .run(move |connection| read::totals(connection, &filter, group))
            .await
    }

    async fn budgets(&self) -> Result<Vec<(String, String)>, LedgerError> {
        self.reader
            .run(|connection| {
                let mut select = connection.prepare_cached("SELECT tenant, limits FROM budgets")?;
                let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn set_budget(
        &self,
        tenant: &TenantId,
        limits: Option<String>,
    ) -> Result<(), LedgerError> {
        let tenant = tenant.as_str().to_owned();
        self.writer
            .run(move |connection| {
                match limits {
                    Some(limits) => connection.execute(
                        "INSERT INTO budgets VALUES (?1, ?2)
                         ON CONFLICT (tenant) DO UPDATE SET limits = ?2",
                        [tenant, limits],
                    ),
                    None => connection.execute("DELETE FROM budgets WHERE tenant = ?1", [tenant]),
                }?;
                Ok(())
            })
            .await
    }

    async fn experiments(&self) -> Result<Vec<StoredExperiment>, LedgerError> {
        self.reader.run(experiments::all).await
    }

    async fn start_experiment(&self, experiment: StoredExperiment) -> Result<bool, LedgerError> {
        self.writer
            .run(move |connection| experiments::start(connection, &experiment))
            .await
    }

    async fn put_experiment(&self, experiment: StoredExperiment) -> Result<(), LedgerError> {
        self.writer
            .run(move |connection| experiments::put(connection, &experiment))
            .await
    }

    async fn assess(&self, assessment: Assessment) -> Result<(), LedgerError> {
        self.writer
            .run(move |connection| experiments::assess(connection, &assessment))
            .await
    }

    async fn scores(
        &self,
        tenant: &TenantId,
        variant: &str,
    ) -> Result<Vec<ScoreCount>, LedgerError> {
        let (tenant, variant) = (tenant.as_str().to_owned(), variant.to_owned());
        self.reader
            .run(move |connection| experiments::scores(connection, &tenant, &variant))
            .await
    }

    async fn visit(&self, filter: &LedgerFilter, visitor: Visitor) -> Result<(), LedgerError> {
        let filter = filter.clone();
        self.reader
            .run(move |connection| read::visit(connection, &filter, visitor))
            .await
    }
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // With WAL, a killed process loses nothing that was committed; a machine that loses its
    // power may lose the last transactions.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

fn insert_row(insert: &mut rusqlite::CachedStatement<'_>, row: &LedgerRow) -> rusqlite::Result<()> {
    let (usage, latency, parts) = (&row.usage, &row.latency, row.cost_parts.as_ref());
    insert.execute(named_params! {
        ":row_id": row.id.to_string(),
        ":call_id": row.call_id.to_string(),
        ":attempt": row.attempt,
        ":at_ms": row.at.as_millisecond(),
        ":tenant": row.tenant.as_str(),
        ":test_id": row.test_id,
        ":feature": row.feature,
        ":variant": row.variant,
        ":prompt_version": row.prompt_version,
        ":provider": row.provider.as_str(),
        ":model": row.model,
        ":region_class": row.region_class,
        ":service_tier": row.service_tier,
        ":outcome": row.outcome.as_str(),
        ":error_type": row.error_type,
        ":streamed": row.streamed,
        ":input_tokens": integer(usage.input_tokens),
        ":output_tokens": integer(usage.output_tokens),
        ":cache_read_tokens": integer(usage.cache_read_tokens),
        ":cache_write_5m_tokens": integer(usage.cache_write_5m_tokens),
        ":cache_write_1h_tokens": integer(usage.cache_write_1h_tokens),
        ":reasoning_tokens": integer(usage.reasoning_tokens),
        ":usage_estimated": usage.estimated,
        ":price_version": &*row.price_version,
        ":cost_pico_usd": row.cost.map(money::PicoUsd::get),
        ":cost_input": parts.map(|parts| parts.input.get()),
        ":cost_cache_read": parts.map(|parts| parts.cache_read.get()),
        ":cost_cache_write": parts.map(|parts| parts.cache_write.get()),
        ":cost_output": parts.map(|parts| parts.output.get()),
        ":simulated": row.simulated,
        ":trace_id": row.trace_id,
        ":queue_us": microseconds(latency.queue),
        ":connect_us": latency.connect.map(microseconds),
        ":first_token_us": latency.time_to_first_token.map(microseconds),
        ":decode_us": latency.decode.map(microseconds),
        ":total_us": microseconds(latency.total),
    })?;
    Ok(())
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn integer(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
