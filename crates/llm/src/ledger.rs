//! One row for every attempt of a model call.
//!
//! A call reserves its row's place in a bounded queue before it is sent, so no answer that was
//! paid for finds the queue full. One thread writes the rows to `SQLite` or `MongoDB`, many at a
//! time. [`Ledger::close`] writes every row: to the store, or if that is away to a file, which the
//! next start reads. A killed process loses the rows of attempts that were under way, and of those
//! that ended and were still queued: at most [`QUEUE_ROWS`], usually those of the last few
//! milliseconds, since the writer never waits for a batch to fill.

mod assessment;
mod mongo;
mod query;
mod recost;
mod row;
mod spill;
mod sqlite;
mod store;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use secrecy::SecretString;
use tenancy::TenantId;
use tokio::sync::{mpsc, oneshot};

use crate::{FullQueue, LlmError};

pub use assessment::{Assessment, Assessor, ScoreCount};
pub use query::{LedgerFilter, LedgerGroup, LedgerPage, LedgerTotal, MAX_PAGE_ROWS};
pub use recost::{Recost, RecostTotal};
pub use row::{CostParts, LedgerRow, Outcome};

use mongo::MongoLedger;
use spill::Spill;
use sqlite::SqliteLedger;
use store::{LedgerStore, Visitor};
use writer::{Closing, Entry, Writer};

/// Rows that may wait to be written: several seconds of a busy process, a few hundred kilobytes.
pub const QUEUE_ROWS: usize = 4096;

/// When a call that found the queue full may try again.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long [`Ledger::close`] waits for attempts that are still under way.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// The ledger of this process.
pub struct Ledger {
    queue: mpsc::Sender<Entry>,
    store: Arc<dyn LedgerStore>,
    writer: Mutex<Option<JoinHandle<()>>>,
    closing: Closing,
}

/// Why the ledger failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// `SQLite` says no.
    #[error("the ledger's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file's directory cannot be made.
    #[error("the ledger's directory cannot be made: {0}")]
    Directory(#[from] std::io::Error),
    /// The file was written by a newer version of this program.
    #[error("the ledger has version {found}, this program knows up to {known}")]
    TooNew {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The server of the ledger says no, or is not there.
    #[error("the ledger's server failed: {0}")]
    Server(String),
    /// The server of the ledger did not answer in time.
    #[error("the ledger's server did not answer in time")]
    Late,
    /// A row that this program did not write.
    #[error("a row of the ledger is not understood: {0}")]
    Corrupt(String),
    /// The ledger is closed, or did not finish in time.
    #[error("the ledger is closed")]
    Closed,
}

/// An experiment as it lies beside the rows, in its owner's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredExperiment {
    /// Whose.
    pub tenant: String,
    /// Its name, one of its tenant's.
    pub name: String,
    /// While it runs, what it runs for: one at a time may, of its tenant.
    pub running_for: Option<String>,
    /// What it is.
    pub body: String,
}

/// A place for one row, to be written exactly once; dropped unwritten, it is free again.
#[derive(Debug)]
pub(crate) struct Slot(mpsc::OwnedPermit<Entry>);

impl Ledger {
    /// Opens or makes the database file at `path`, and its directory.
    ///
    /// # Errors
    /// A file that cannot be opened, or that a newer version wrote.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        Self::over(Arc::new(SqliteLedger::open(path)?), path)
    }

    /// Connects to a server of the `MongoDB` protocol. What cannot be written to it before the
    /// process stops lies beside `path`, where the ledger would be without a server.
    ///
    /// # Errors
    /// A connection string that cannot be read, or a server that does not answer in ten seconds.
    pub async fn connect(
        uri: &SecretString,
        database: &str,
        path: &Path,
    ) -> Result<Self, LedgerError> {
        Self::over(Arc::new(MongoLedger::connect(uri, database).await?), path)
    }

    fn over(store: Arc<dyn LedgerStore>, path: &Path) -> Result<Self, LedgerError> {
        let (queue, entries) = mpsc::channel(QUEUE_ROWS);
        let closing = Closing::default();
        let writer = Writer {
            store: Arc::clone(&store),
            spill: Spill::beside(path),
            closing: Arc::clone(&closing),
            spilled: 0,
            gave_up: false,
        };
        let writer = std::thread::Builder::new()
            .name("llm-ledger".to_owned())
            .spawn(move || writer.run(entries))?;
        Ok(Self {
            queue,
            store,
            writer: Mutex::new(Some(writer)),
            closing,
        })
    }

    /// Takes a place for the row of an attempt that is about to be sent.
    ///
    /// # Errors
    /// [`LlmError::Overloaded`] when the queue is full or closed.
    pub(crate) fn reserve(&self) -> Result<Slot, LlmError> {
        match self.queue.clone().try_reserve_owned() {
            Ok(permit) => Ok(Slot(permit)),
            Err(_) => Err(LlmError::Overloaded {
                queue: FullQueue::Ledger,
                retry_after: FULL_RETRY_AFTER,
            }),
        }
    }

    /// Waits until every row that was handed over before is in the database.
    ///
    /// # Errors
    /// A closed ledger.
    pub async fn flush(&self) -> Result<(), LedgerError> {
        let (done, written) = oneshot::channel();
        let entry = Entry::Flush(done);
        self.queue
            .send(entry)
            .await
            .map_err(|_| LedgerError::Closed)?;
        written.await.map_err(|_| LedgerError::Closed)
    }

    /// Takes no more calls, waits for the attempts under way, writes every row; to a file what the
    /// store does not take. Idempotent.
    ///
    /// # Errors
    /// [`LedgerError::Closed`] when attempts are still under way after ten seconds.
    pub async fn close(&self) -> Result<(), LedgerError> {
        let (done, written) = oneshot::channel();
        self.closing.get_or_init(Instant::now);
        let closing = async {
            if self.queue.send(Entry::Close(done)).await.is_ok() {
                // The writer drops the sender when it is through, also after an error.
                let _ = written.await;
            }
        };
        tokio::time::timeout(CLOSE_PATIENCE, closing)
            .await
            .map_err(|_| LedgerError::Closed)?;
        let writer = match self.writer.lock() {
            Ok(mut writer) => writer.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        match writer.map(JoinHandle::join) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(LedgerError::Closed),
        }
    }

    /// A page of the rows that match, newest first.
    ///
    /// # Errors
    /// A failing store, or a row that is not understood.
    pub async fn rows(
        &self,
        filter: LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerRow>, LedgerError> {
        self.store.rows(&filter, page).await
    }

    /// How many rows match.
    ///
    /// # Errors
    /// A failing store.
    pub async fn count(&self, filter: &LedgerFilter) -> Result<u64, LedgerError> {
        self.store.count(filter).await
    }

    /// Exact sums of the rows that match, one per group and kind of money.
    ///
    /// # Errors
    /// A failing store.
    pub async fn totals(
        &self,
        filter: LedgerFilter,
        group: LedgerGroup,
    ) -> Result<Vec<LedgerTotal>, LedgerError> {
        self.store.totals(&filter, group).await
    }

    /// The limits that lie beside the rows, by tenant.
    pub(crate) async fn budgets(&self) -> Result<Vec<(String, String)>, LedgerError> {
        self.store.budgets().await
    }

    /// Keeps or forgets the limits of a tenant.
    pub(crate) async fn set_budget(
        &self,
        tenant: &TenantId,
        limits: Option<String>,
    ) -> Result<(), LedgerError> {
        self.store.set_budget(tenant, limits).await
    }

    /// Every tenant's experiments.
    ///
    /// # Errors
    /// A failing store.
    pub async fn experiments(&self) -> Result<Vec<StoredExperiment>, LedgerError> {
        self.store.experiments().await
    }

    /// Keeps a new experiment, unless its name is taken or another one runs for the same; whether
    /// it did. Of several processes that do so at the same moment, one succeeds.
    ///
    /// # Errors
    /// A failing store.
    pub async fn start_experiment(
        &self,
        experiment: StoredExperiment,
    ) -> Result<bool, LedgerError> {
        self.store.start_experiment(experiment).await
    }

    /// Keeps an experiment, also in place of what it was before.
    ///
    /// # Errors
    /// A failing store.
    pub async fn put_experiment(&self, experiment: StoredExperiment) -> Result<(), LedgerError> {
        self.store.put_experiment(experiment).await
    }

    /// Keeps what somebody thinks of an answer, in place of what they thought before.
    ///
    /// # Errors
    /// A failing store.
    pub async fn assess(&self, assessment: Assessment) -> Result<(), LedgerError> {
        self.store.assess(assessment).await
    }

    /// How often a variant of a tenant's experiment got each score.
    ///
    /// # Errors
    /// A failing store.
    pub async fn scores(
        &self,
        tenant: &TenantId,
        variant: &str,
    ) -> Result<Vec<ScoreCount>, LedgerError> {
        self.store.scores(tenant, variant).await
    }

    /// Shows every row that matches, one at a time, in no particular order.
    ///
    /// # Errors
    /// A failing store, or a row that is not understood.
    pub async fn each(
        &self,
        filter: &LedgerFilter,
        visitor: impl FnMut(&LedgerRow) + Send + 'static,
    ) -> Result<(), LedgerError> {
        self.visit(filter, Box::new(visitor)).await
    }

    async fn visit(&self, filter: &LedgerFilter, visitor: Visitor) -> Result<(), LedgerError> {
        self.store.visit(filter, visitor).await
    }
}

impl Slot {
    /// Hands the row over to the writer; never waits.
    pub(crate) fn write(self, row: LedgerRow) {
        self.0.send(Entry::Row(Box::new(row)));
    }
}
