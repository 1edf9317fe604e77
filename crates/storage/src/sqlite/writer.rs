//! The one thread that writes.
//!
//! It takes everything that waits into one transaction, each write in a savepoint of its own, and
//! answers all of them after the commit: the cost of synchronising the disk is shared, and under
//! load throughput rises instead of the queue.

use std::{thread, time::Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::from_sqlite;
use crate::StorageError;

/// Most writes in one transaction: bounds what the first of them waits for.
const MAX_BATCH: usize = 64;

/// A handle to the thread, which ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    writes: mpsc::Sender<Box<dyn Write>>,
}

/// A write of which the thread knows no type.
trait Write: Send {
    /// Does the work; whether it is to be kept.
    fn apply(&mut self, connection: &Connection) -> bool;
    /// Answers the caller, after the transaction ended so.
    fn answer(self: Box<Self>, transaction: Result<(), StorageError>);
}

struct Waiting<T, W> {
    work: Option<W>,
    result: Result<T, StorageError>,
    reply: oneshot::Sender<Result<T, StorageError>>,
    deadline: Instant,
}

impl Writer {
    /// Starts the thread with room for `queue` waiting writes.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(super) fn start(connection: Connection, queue: usize) -> Result<Self, StorageError> {
        let (writes, waiting) = mpsc::channel(queue);
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(&connection, waiting))
            .map_err(|failure| StorageError::Unavailable(failure.to_string()))?;
        Ok(Self { writes })
    }

    /// Runs `work` in a transaction; when it fails, nothing of it stays.
    ///
    /// Work that has not begun at the deadline is not begun any more.
    pub(super) async fn run<T, W>(
        &self,
        deadline: tokio::time::Instant,
        work: W,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let write = Waiting {
            work: Some(work),
            result: Err(StorageError::Overloaded),
            reply,
            deadline: deadline.into_std(),
        };
        let gone = || StorageError::Unavailable("the writing thread has ended".into());
        self.writes
            .send(Box::new(write))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl<T, W> Write for Waiting<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, StorageError> + Send,
{
    fn apply(&mut self, connection: &Connection) -> bool {
        let in_time = Instant::now() < self.deadline && !self.reply.is_closed();
        if let (true, Some(work)) = (in_time, self.work.take()) {
            self.result = work(connection);
        }
        self.result.is_ok()
    }

    fn answer(self: Box<Self>, transaction: Result<(), StorageError>) {
        // A caller that is gone needs no answer.
        let _gone = self.reply.send(transaction.and(self.result));
    }
}

fn serve(connection: &Connection, mut waiting: mpsc::Receiver<Box<dyn Write>>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while let Some(first) = waiting.blocking_recv() {
        batch.push(first);
        while batch.len() < MAX_BATCH
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        commit(connection, &mut batch);
    }
}

fn commit(connection: &Connection, batch: &mut Vec<Box<dyn Write>>) {
    let transaction = apply(connection, batch).map_err(from_sqlite);
    if transaction.is_err() && !connection.is_autocommit() {
        // When even this fails the next BEGIN does, and says so to its callers.
        let _failure = connection.execute_batch("ROLLBACK");
    }
    for write in batch.drain(..) {
        write.answer(transaction.clone());
    }
}

fn apply(connection: &Connection, batch: &mut [Box<dyn Write>]) -> rusqlite::Result<()> {
    let run = |statement| connection.prepare_cached(statement)?.execute([]).map(drop);
    run("BEGIN IMMEDIATE")?;
    for write in batch {
        run("SAVEPOINT one")?;
        if !write.apply(connection) {
            run("ROLLBACK TO one")?;
        }
        run("RELEASE one")?;
    }
    run("COMMIT")
}
