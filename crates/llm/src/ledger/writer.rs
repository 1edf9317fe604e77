//! The one thread that writes the ledger.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use super::{LedgerRow, spill::Spill, store::LedgerStore};

/// Most rows of one transaction: enough to make its cost vanish, few enough for a short one.
pub(super) const BATCH_ROWS: usize = 256;

/// How long a failed transaction waits before it is tried again. Meanwhile the queue fills up and
/// new calls are refused.
const RETRY_WAIT: Duration = Duration::from_millis(500);

/// How long after the beginning of a close a failing store is still tried. With the longest try, of
/// five seconds, it fits into the patience of a clean stop.
const CLOSING_WRITES: Duration = Duration::from_secs(4);

/// When the ledger began to be closed; seen also by a writer that tries a batch again and again.
pub(super) type Closing = Arc<OnceLock<Instant>>;

/// What is sent to the writer.
#[derive(Debug)]
pub(super) enum Entry {
    /// A row to write.
    Row(Box<LedgerRow>),
    /// Says when everything before it is written.
    Flush(oneshot::Sender<()>),
    /// Ends the writer once every reserved place is written or free.
    Close(oneshot::Sender<()>),
}

/// Writes rows to the store; while the ledger is closed and the store fails, to a file.
pub(super) struct Writer {
    pub(super) store: Arc<dyn LedgerStore>,
    pub(super) spill: Spill,
    pub(super) closing: Closing,
    /// Rows in the file.
    pub(super) spilled: usize,
    /// Whether the store is not asked any more.
    pub(super) gave_up: bool,
}

impl Writer {
    /// Writes until the ledger is closed, or dropped and empty.
    pub(super) fn run(mut self, mut entries: mpsc::Receiver<Entry>) {
        self.spill.restore(&*self.store);
        let mut batch = Vec::with_capacity(BATCH_ROWS);
        let mut waiting = Vec::new();
        let mut closing = Vec::new();
        while let Some(entry) = entries.blocking_recv() {
            let mut next = Some(entry);
            while let Some(entry) = next.take() {
                match entry {
                    Entry::Row(row) => batch.push(*row),
                    Entry::Flush(done) => waiting.push(done),
                    Entry::Close(done) => {
                        entries.close();
                        closing.push(done);
                    }
                }
                if batch.len() < BATCH_ROWS {
                    next = entries.try_recv().ok();
                }
            }
            self.write(&mut batch);
            for done in waiting.drain(..) {
                // Whoever waited may have left.
                let _ = done.send(());
            }
        }
        if self.spilled > 0 {
            let rows = self.spilled;
            tracing::warn!(
                rows,
                "the LLM ledger's store was away: the next start writes the rest"
            );
        }
    }

    fn write(&mut self, batch: &mut Vec<LedgerRow>) {
        while !batch.is_empty() && !self.gave_up {
            match self.store.insert(batch) {
                Ok(()) => batch.clear(),
                Err(error) => {
                    tracing::error!(rows = batch.len(), %error, "cannot write the LLM ledger");
                    let closing = self.closing.get();
                    self.gave_up = closing.is_some_and(|begun| begun.elapsed() >= CLOSING_WRITES);
                    if !self.gave_up {
                        std::thread::park_timeout(RETRY_WAIT);
                    }
                }
            }
        }
        if batch.is_empty() {
            return;
        }
        let rows = batch.len();
        match self.spill.keep(batch) {
            Ok(()) => self.spilled += rows,
            Err(error) => tracing::error!(rows, %error, "rows of the LLM ledger are lost"),
        }
        batch.clear();
    }
}
