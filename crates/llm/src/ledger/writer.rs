//! The one thread that writes the ledger.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{LedgerRow, store::LedgerStore};

/// Most rows of one transaction: enough to make its cost vanish, few enough for a short one.
const BATCH_ROWS: usize = 256;

/// How long a failed transaction waits before it is tried again. Meanwhile the queue fills up and
/// new calls are refused.
const RETRY_WAIT: Duration = Duration::from_millis(500);

/// Tries of a transaction while the ledger is being closed; then its rows are given up and logged.
const TRIES_WHEN_CLOSING: u32 = 3;

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

/// Writes until the ledger is closed, or dropped and empty.
pub(super) fn run(store: &dyn LedgerStore, mut entries: mpsc::Receiver<Entry>) {
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
        write(store, &mut batch, !closing.is_empty());
        for done in waiting.drain(..) {
            // Whoever waited may have left.
            let _ = done.send(());
        }
    }
}

fn write(store: &dyn LedgerStore, batch: &mut Vec<LedgerRow>, closing: bool) {
    let mut tries = 0;
    while !batch.is_empty() {
        match store.insert(batch) {
            Ok(()) => batch.clear(),
            Err(error) => {
                tries += 1;
                tracing::error!(rows = batch.len(), %error, "cannot write the LLM ledger");
                if closing && tries >= TRIES_WHEN_CLOSING {
                    batch.clear();
                } else {
                    std::thread::park_timeout(RETRY_WAIT);
                }
            }
        }
    }
}
