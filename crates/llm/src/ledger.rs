//! One row for every attempt of a model call.
//!
//! A call reserves its row's place in a bounded queue before it is sent, so no answer that was
//! paid for finds the queue full. One thread writes the rows to `SQLite`, many in a transaction.
//! [`Ledger::close`] writes every row; a killed process loses the rows that are still queued, at
//! most [`QUEUE_ROWS`], usually those of the last few milliseconds.

mod query;
mod row;
mod store;
mod writer;

use std::{path::Path, sync::Mutex, thread::JoinHandle, time::Duration};

use tokio::sync::{mpsc, oneshot};

use crate::LlmError;

pub use query::{LedgerFilter, LedgerGroup, LedgerPage, LedgerTotal};
pub use row::{LedgerRow, Outcome};

use store::LedgerStore;
use writer::Entry;

/// Rows that may wait to be written: several seconds of a busy process, a few hundred kilobytes.
pub const QUEUE_ROWS: usize = 4096;

/// When a call that found the queue full may try again.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long [`Ledger::close`] waits for attempts that are still under way.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// The ledger of this process.
pub struct Ledger {
    queue: mpsc::Sender<Entry>,
    reader: LedgerStore,
    writer: Mutex<Option<JoinHandle<()>>>,
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
    /// A row that this program did not write.
    #[error("a row of the ledger is not understood: {0}")]
    Corrupt(String),
    /// The ledger is closed, or did not finish in time.
    #[error("the ledger is closed")]
    Closed,
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
        let store = LedgerStore::open(path)?;
        let reader = LedgerStore::open(path)?;
        let (queue, entries) = mpsc::channel(QUEUE_ROWS);
        let writer = std::thread::Builder::new()
            .name("llm-ledger".to_owned())
            .spawn(move || writer::run(&store, entries))?;
        Ok(Self {
            queue,
            reader,
            writer: Mutex::new(Some(writer)),
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
                message: "the ledger's queue is full",
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

    /// Takes no more calls, waits for the attempts under way, writes every row. Idempotent.
    ///
    /// # Errors
    /// [`LedgerError::Closed`] when attempts are still under way after ten seconds.
    pub async fn close(&self) -> Result<(), LedgerError> {
        let (done, written) = oneshot::channel();
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

    /// The rows that match, newest first.
    ///
    /// # Errors
    /// A failing database, or a row that is not understood.
    pub async fn rows(
        &self,
        filter: LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerRow>, LedgerError> {
        self.read(move |store| store.rows(&filter, page)).await
    }

    /// Sums of the rows that match, one per group and kind of money.
    ///
    /// # Errors
    /// A failing database.
    pub async fn totals(
        &self,
        filter: LedgerFilter,
        group: LedgerGroup,
    ) -> Result<Vec<LedgerTotal>, LedgerError> {
        self.read(move |store| store.totals(&filter, group)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LedgerStore) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let store = self.reader.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .map_err(|_| LedgerError::Closed)?
    }
}

impl Slot {
    /// Hands the row over to the writer; never waits.
    pub(crate) fn write(self, row: LedgerRow) {
        self.0.send(Entry::Row(Box::new(row)));
    }
}
