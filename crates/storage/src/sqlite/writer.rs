//! The one thread that writes.
//!
//! It takes everything that waits into one transaction, each write in a savepoint of its own, and
//! answers all of them after the commit: the cost of synchronising the disk is shared, and under
//! load throughput rises instead of the queue. A write that takes long has a transaction of its
//! own, so that nobody who is done waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Instant,
};

use rusqlite::Connection;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout_at,
};

use super::error::from_sqlite;
use crate::StorageError;

/// Most writes in one transaction: bounds what the first of them waits for.
const MAX_BATCH: usize = 64;

/// A handle to the thread, which ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    writes: mpsc::Sender<Queued>,
}

/// How much a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// It may share a transaction.
    Single,
    /// It takes so long that those who shared its transaction would wait too long.
    Bulk,
}

struct Queued {
    size: Size,
    write: Box<dyn Write>,
}

/// A write of which the thread knows no type.
trait Write: Send {
    /// Does the work.
    fn apply(&mut self, connection: &Connection) -> Result<(), StorageError>;
    /// Answers the caller, after the transaction ended so.
    fn answer(self: Box<Self>, transaction: Result<(), StorageError>);
}

struct Waiting<T, W> {
    work: Option<W>,
    result: Result<T, StorageError>,
    reply: oneshot::Sender<Result<T, StorageError>>,
    deadline: Instant,
    begun: Begun,
}

/// Whether a write has begun, decided once between the thread and the caller's deadline.
#[derive(Clone, Default)]
struct Begun(Arc<AtomicU8>);

impl Begun {
    const OPEN: u8 = 0;
    const BEGUN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    /// Whether the work may begin: nobody has given it up.
    fn begin(&self) -> bool {
        self.decide(Self::BEGUN)
    }

    /// Whether the work will never begin.
    fn give_up(&self) -> bool {
        self.decide(Self::GIVEN_UP)
    }

    fn decide(&self, state: u8) -> bool {
        let order = Ordering::AcqRel;
        self.0
            .compare_exchange(Self::OPEN, state, order, Ordering::Acquire)
            .is_ok()
    }
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
    /// # Errors
    /// What `work` or the transaction ended with; at the deadline [`StorageError::Overloaded`] if
    /// the work has not begun, and then never will, else [`StorageError::Timeout`].
    pub(super) async fn run<T, W>(
        &self,
        size: Size,
        deadline: tokio::time::Instant,
        work: W,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let begun = Begun::default();
        let write = Box::new(Waiting {
            work: Some(work),
            result: Err(StorageError::Overloaded),
            reply,
            deadline: deadline.into_std(),
            begun: begun.clone(),
        });
        let gone = || StorageError::Unavailable("the writing thread has ended".into());
        let answered = async {
            let queued = self.writes.send(Queued { size, write }).await;
            queued.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        };
        match timeout_at(deadline, answered).await {
            Ok(result) => result,
            Err(_) if begun.give_up() => Err(StorageError::Overloaded),
            Err(_) => Err(StorageError::Timeout { write: true }),
        }
    }
}

impl<T, W> Write for Waiting<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, StorageError> + Send,
{
    fn apply(&mut self, connection: &Connection) -> Result<(), StorageError> {
        let waited_for = Instant::now() < self.deadline && !self.reply.is_closed();
        if waited_for
            && self.begun.begin()
            && let Some(work) = self.work.take()
        {
            self.result = work(connection);
        }
        self.result.as_ref().map(drop).map_err(Clone::clone)
    }

    fn answer(self: Box<Self>, transaction: Result<(), StorageError>) {
        // A caller that is gone needs no answer.
        let _gone = self.reply.send(transaction.and(self.result));
    }
}

fn serve(connection: &Connection, mut waiting: mpsc::Receiver<Queued>) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut postponed = None;
    while let Some(first) = postponed.take().or_else(|| waiting.blocking_recv()) {
        let alone = first.size == Size::Bulk;
        batch.push(first.write);
        while !alone
            && batch.len() < MAX_BATCH
            && let Ok(next) = waiting.try_recv()
        {
            if next.size == Size::Bulk {
                postponed = Some(next);
                break;
            }
            batch.push(next.write);
        }
        commit(connection, &mut batch);
    }
}

fn commit(connection: &Connection, batch: &mut Vec<Box<dyn Write>>) {
    let transaction = apply(connection, batch);
    if transaction.is_err() && !connection.is_autocommit() {
        // When even this fails the next BEGIN does, and says so to its callers.
        let _failure = connection.execute_batch("ROLLBACK");
    }
    for write in batch.drain(..) {
        write.answer(transaction.clone());
    }
}

fn apply(connection: &Connection, batch: &mut [Box<dyn Write>]) -> Result<(), StorageError> {
    let run = |statement| {
        let mut statement = connection.prepare_cached(statement)?;
        statement.execute([]).map(drop)
    };
    let run = |statement| run(statement).map_err(from_sqlite);
    run("BEGIN IMMEDIATE")?;
    for write in batch {
        run("SAVEPOINT one")?;
        if let Err(failure) = write.apply(connection) {
            if connection.is_autocommit() {
                // After some failures, a full disk among them, SQLite rolls everything back.
                return Err(failure);
            }
            run("ROLLBACK TO one")?;
        }
        run("RELEASE one")?;
    }
    run("COMMIT")
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Sender, channel},
        time::Duration,
    };

    use tokio::{task::JoinHandle, time::Instant};

    use super::*;

    /// Longer than anything here takes.
    const PATIENT: Duration = Duration::from_secs(60);

    type Outcome = Result<(), StorageError>;

    fn start() -> (Writer, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("x.db")).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE x (y)")
            .unwrap();
        (Writer::start(connection, 100).unwrap(), directory)
    }

    fn write<W>(writer: &Writer, size: Size, work: W) -> JoinHandle<Outcome>
    where
        W: FnOnce(&Connection) -> Outcome + Send + 'static,
    {
        let (writer, deadline) = (writer.clone(), Instant::now() + PATIENT);
        tokio::spawn(async move { writer.run(size, deadline, work).await })
    }

    /// Waits until so many writes are in the queue.
    async fn queued(writer: &Writer, count: usize) {
        while writer.writes.max_capacity() - writer.writes.capacity() < count {
            tokio::task::yield_now().await;
        }
    }

    /// A write that has begun and goes on until it is told to end.
    async fn hold(writer: &Writer) -> (JoinHandle<Outcome>, Sender<()>) {
        let (begun, has_begun) = oneshot::channel();
        let (end, ended) = channel();
        let held = write(writer, Size::Single, move |_| {
            begun.send(()).unwrap();
            ended.recv().unwrap();
            Ok(())
        });
        has_begun.await.unwrap();
        (held, end)
    }

    fn insert(connection: &Connection) -> Outcome {
        let inserted = connection.execute("INSERT INTO x VALUES (zeroblob(10000))", []);
        inserted.map(drop).map_err(from_sqlite)
    }

    async fn count(writer: &Writer) -> i64 {
        let count = |connection: &Connection| {
            let count = connection.query_row("SELECT count(*) FROM x", [], |row| row.get(0));
            count.map_err(from_sqlite)
        };
        let deadline = Instant::now() + PATIENT;
        writer.run(Size::Single, deadline, count).await.unwrap()
    }

    #[tokio::test]
    async fn only_what_has_begun_has_an_unknown_outcome() {
        let (writer, _directory) = start();
        let (held, end) = hold(&writer).await;
        let late = write(&writer, Size::Single, insert);
        queued(&writer, 1).await;
        // From here on the clock goes from deadline to deadline.
        tokio::time::pause();
        assert_eq!(
            held.await.unwrap(),
            Err(StorageError::Timeout { write: true })
        );
        assert_eq!(late.await.unwrap(), Err(StorageError::Overloaded));
        tokio::time::resume();
        end.send(()).unwrap();
        assert_eq!(count(&writer).await, 0);
    }

    #[tokio::test]
    async fn a_bulk_has_a_transaction_of_its_own() {
        let (writer, _directory) = start();
        let (held, end) = hold(&writer).await;
        let (begun, has_begun) = oneshot::channel();
        let (go_on, may_go_on) = channel();
        let before = write(&writer, Size::Single, insert);
        queued(&writer, 1).await;
        let bulk = write(&writer, Size::Bulk, move |connection| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            insert(connection)
        });
        queued(&writer, 2).await;
        let after = write(&writer, Size::Single, insert);
        queued(&writer, 3).await;
        end.send(()).unwrap();
        has_begun.await.unwrap();
        // Both were answered although the bulk goes on.
        assert_eq!(held.await.unwrap(), Ok(()));
        assert_eq!(before.await.unwrap(), Ok(()));
        assert!(!after.is_finished());
        go_on.send(()).unwrap();
        assert_eq!(bulk.await.unwrap(), Ok(()));
        assert_eq!(after.await.unwrap(), Ok(()));
        assert_eq!(count(&writer).await, 3);
    }

    #[tokio::test]
    async fn a_full_disk_is_said_to_be_full() {
        let (writer, _directory) = start();
        let limit = |pages: u32| {
            move |connection: &Connection| {
                let limited = connection.pragma_update(None, "max_page_count", pages);
                limited.map_err(from_sqlite)
            }
        };
        // Room for some of what shares the transaction, not for all of it.
        let limited = write(&writer, Size::Single, limit(20));
        assert_eq!(limited.await.unwrap(), Ok(()));
        let (held, end) = hold(&writer).await;
        let filling: Vec<_> = (0..10)
            .map(|_| write(&writer, Size::Single, insert))
            .collect();
        queued(&writer, filling.len()).await;
        end.send(()).unwrap();
        assert_eq!(held.await.unwrap(), Ok(()));
        for write in filling {
            assert_eq!(write.await.unwrap(), Err(StorageError::Full));
        }
        assert_eq!(count(&writer).await, 0);
        let freed = write(&writer, Size::Single, limit(1_000));
        assert_eq!(freed.await.unwrap(), Ok(()));
        let insertion = write(&writer, Size::Single, insert);
        assert_eq!(insertion.await.unwrap(), Ok(()));
    }
}
