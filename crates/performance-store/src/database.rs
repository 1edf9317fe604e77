//! The connections: one that writes, a few that read, each call with a deadline.

mod pool;

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use instrumentation::catalogue;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::time::{Instant, timeout_at};

use self::pool::Pool;
use crate::clock::Clock;
use crate::error::StoreError;
use crate::{runs, schema};

/// Readers beside the one writer: pages and progress streams do not wait for each
/// other, and more than this only fights over two cores.
const READERS: usize = 3;

/// Readers for what folds all seconds of a run, such as pages do: short reads never wait for them.
const FOLDERS: usize = 2;

/// Bytes of stored seconds that are folded in a second, at the least: four times slower than one
/// core of this size does when it is shared.
const FOLDED_PER_SECOND: u64 = 4 * 1_024 * 1_024;

/// `SQLite` waits this long for a lock that another connection holds. With one writer
/// there is none to wait for but a checkpoint.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Where the store lives and what bounds it.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The state directory; the file is `data/performance.sqlite` in it.
    pub state_directory: PathBuf,
    /// The longest that one call may take, waiting for a connection included.
    pub call_timeout: Duration,
    /// The most runs that may wait in the queue, all tenants together.
    pub queue_limit: u64,
    /// The most runs of one tenant that may wait.
    pub tenant_queue_limit: u64,
    /// Virtual users times seconds that a tenant may ask for in a day, from midnight UTC.
    pub tenant_daily_load: u64,
    /// Finished runs kept per tenant; older ones go with all that belongs to them.
    pub runs_kept: u64,
    /// Days that a finished run is kept.
    pub runs_kept_days: u32,
    /// What says which time it is.
    pub clock: Clock,
}

impl StoreConfig {
    /// The usual bounds: 5 s a call, 50 waiting runs, of any tenant, 500 runs kept for 90 days, and a load that
    /// nobody puts on in a day.
    #[must_use]
    pub fn new(state_directory: PathBuf) -> Self {
        Self {
            state_directory,
            call_timeout: Duration::from_secs(5),
            queue_limit: 50,
            tenant_queue_limit: 50,
            tenant_daily_load: 60_000_000,
            runs_kept: 500,
            runs_kept_days: 90,
            clock: Clock::default(),
        }
    }
}

/// The store. Clones share the same connections.
#[derive(Clone)]
pub struct RunStore {
    shared: Arc<Shared>,
}

struct Shared {
    /// One connection, so that calls that write follow each other in their order.
    writer: Arc<Pool>,
    readers: Arc<Pool>,
    /// For what takes as long as a run is.
    folders: Arc<Pool>,
    /// The same for the judge alone: a verdict waits for no page.
    judge: Arc<Pool>,
    config: StoreConfig,
    /// Since when the runs that this process took go on, by the row of each: how long one took
    /// must not depend on the clock on the wall.
    taken: Mutex<HashMap<i64, Instant>>,
    /// Held as long as the store is open: a second service on the same directory would
    /// declare our runs interrupted.
    _lock: File,
}

/// What a call does and to which table, for the metrics.
#[derive(Clone, Copy)]
pub(crate) struct Operation(pub(crate) &'static str, pub(crate) &'static str);

/// Who reads all seconds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongReader {
    /// Pages, reports and calls, some at a time.
    Shared,
    /// The judge.
    Judge,
}

impl RunStore {
    /// Opens the file, creating directory and tables as needed.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open, [`StoreError::Corrupt`]
    /// when it is no database of ours, [`StoreError::Unavailable`] otherwise.
    pub async fn open(config: StoreConfig) -> Result<Self, StoreError> {
        let task = tokio::task::spawn_blocking(move || Self::open_blocking(config));
        task.await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    fn open_blocking(config: StoreConfig) -> Result<Self, StoreError> {
        let directory = config.state_directory.join("data");
        fs::create_dir_all(&directory).map_err(|error| cannot_open(&directory, &error))?;
        let lock = lock_directory(&directory)?;
        let path = directory.join("performance.sqlite");
        let mut writer = connect(&path)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        // Takes the write lock at the beginning of a transaction: one that begins by reading
        // and then writes would fail at once, without waiting, when somebody else writes.
        writer.set_transaction_behavior(TransactionBehavior::Immediate);
        schema::migrate(&mut writer)?;
        if let Some(latest) = runs::latest_id(&writer)? {
            config.clock.saw(latest);
        }
        let readers = |count: usize| {
            let readers = (0..count).map(|_| reader(&path));
            Ok::<_, StoreError>(Pool::new(readers.collect::<Result<_, _>>()?))
        };
        Ok(Self {
            shared: Arc::new(Shared {
                writer: Pool::new(vec![writer]),
                readers: readers(READERS)?,
                folders: readers(FOLDERS)?,
                judge: readers(1)?,
                config,
                taken: Mutex::default(),
                _lock: lock,
            }),
        })
    }

    /// The bounds that it was opened with.
    #[must_use]
    pub fn config(&self) -> &StoreConfig {
        &self.shared.config
    }

    /// What says which time it is: whoever decides by the time asks it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.config.clock
    }

    /// Begins to measure how long a run takes.
    pub(crate) fn note_taken(&self, row: i64) {
        self.taken().insert(row, Instant::now());
    }

    /// How long a run takes so far, if this process took it.
    pub(crate) fn taken_since(&self, row: i64) -> Option<Duration> {
        self.taken().get(&row).map(Instant::elapsed)
    }

    /// Measures it no more: it is over.
    pub(crate) fn forget_taken(&self, row: i64) {
        self.taken().remove(&row);
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<i64, Instant>> {
        let taken = self.shared.taken.lock();
        taken.unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the database for an answer, for the health checks.
    ///
    /// # Errors
    /// When it gives none in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(Operation("ping", "runs"), |connection| {
            connection.query_row("SELECT count(*) FROM run_numbers", [], |_| Ok(()))?;
            Ok(())
        })
        .await
    }

    /// Runs `work` on the first reader that is free.
    pub(crate) async fn read<T, F>(&self, operation: Operation, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let timeout = self.shared.config.call_timeout;
        self.call(operation, (&self.shared.readers, timeout), work)
            .await
    }

    /// Runs `work`, which goes through so many bytes of seconds, on a reader that only such work
    /// has, with as much more time.
    pub(crate) async fn read_long<T, F>(
        &self,
        operation: Operation,
        (reader, bytes): (LongReader, u64),
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let pool = match reader {
            LongReader::Shared => &self.shared.folders,
            LongReader::Judge => &self.shared.judge,
        };
        let more = Duration::from_secs(bytes / FOLDED_PER_SECOND);
        let timeout = self.shared.config.call_timeout + more;
        self.call(operation, (pool, timeout), work).await
    }

    /// Runs `work` on the writer, one at a time.
    pub(crate) async fn write<T, F>(&self, operation: Operation, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let timeout = self.shared.config.call_timeout;
        self.call(operation, (&self.shared.writer, timeout), work)
            .await
    }

    async fn call<T, F>(
        &self,
        operation: Operation,
        (pool, timeout): (&Arc<Pool>, Duration),
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let begin = Instant::now();
        let deadline = begin + timeout;
        let result = run_until(deadline, Arc::clone(pool), work).await;
        let error_type = result.as_ref().err().map_or("", error_type);
        catalogue::DB_CLIENT_OPERATION_DURATION
            .histogram(&[
                ("db.system.name", "sqlite"),
                ("db.operation.name", operation.0),
                ("db.collection.name", operation.1),
                ("error.type", error_type),
            ])
            .record(begin.elapsed().as_secs_f64());
        result
    }
}

async fn run_until<T, F>(deadline: Instant, pool: Arc<Pool>, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    let mut lent = timeout_at(deadline, pool.lend())
        .await
        .map_err(|_| StoreError::Timeout)??;
    // The interrupt reaches this call only: the connection is lent until its work ends.
    let interrupt = lent.connection()?.get_interrupt_handle();
    let mut task = tokio::task::spawn_blocking(move || work(lent.connection()?));
    if let Ok(joined) = timeout_at(deadline, &mut task).await {
        joined.map_err(|error| StoreError::Unavailable(error.to_string()))?
    } else {
        interrupt.interrupt();
        Err(StoreError::Timeout)
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A run's state decides whether load is put on a target: it survives power loss.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let reader = connect(path)?;
    reader.pragma_update(None, "query_only", true)?;
    Ok(reader)
}

fn lock_directory(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("performance.lock");
    let lock = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| cannot_open(&path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            directory: directory.display().to_string(),
        }),
        Err(TryLockError::Error(error)) => Err(cannot_open(&path, &error)),
    }
}

fn cannot_open(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

const fn error_type(error: &StoreError) -> &'static str {
    match error {
        StoreError::NotFound | StoreError::Absent { .. } => "not_found",
        StoreError::Exists { .. } => "exists",
        StoreError::TooMany { .. } => "too_many",
        StoreError::Superseded
        | StoreError::Pinned
        | StoreError::RunGone { .. }
        | StoreError::Moved { .. } => "moved",
        StoreError::QueueFull { .. } | StoreError::TenantQueueFull { .. } => "queue_full",
        StoreError::DailyLoad { .. } => "daily_load",
        StoreError::RunTooLarge { .. } => "run_too_large",
        StoreError::DiskFull => "disk_full",
        StoreError::Timeout => "timeout",
        StoreError::InUse { .. } => "in_use",
        StoreError::Refused(_) => "refused",
        StoreError::Corrupt(_) => "corrupt",
        StoreError::Unavailable(_) => "unavailable",
    }
}
