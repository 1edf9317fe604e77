//! Books and authors in one `SQLite` file.
//!
//! One thread writes, a few connections read. The file is in WAL mode, so readers and the writer
//! do not wait for each other, and every acknowledged write has been synchronised to disk; the
//! writer takes all that waits into one transaction, which makes that affordable.

mod authors;
mod books;
mod error;
mod readers;
mod schema;
mod search;
mod table;
mod values;
mod writer;

use std::{fs, path::Path, sync::Arc};

use rusqlite::{Connection, OpenFlags};

use self::{readers::Readers, writer::Writer};
use crate::{StorageError, StoreLimits, calls::Places};

pub(crate) use self::table::Table;

/// How `SQLite` is called in metrics and spans.
const SYSTEM: &str = "sqlite";

/// How long a connection waits for a lock of another process, in milliseconds. Nobody else should
/// hold one; a backup tool may, for a moment.
const BUSY_MILLISECONDS: u32 = 500;

/// Prepared statements kept by each connection: all that this crate has.
const STATEMENTS: usize = 64;

/// The open file.
#[derive(Clone)]
pub(crate) struct Database {
    writer: Writer,
    readers: Arc<Readers>,
    reads: Places,
    writes: Places,
    limits: StoreLimits,
}

impl Database {
    /// Opens or makes the file and brings its schema up to date.
    ///
    /// # Errors
    /// A directory that cannot be made, a file that is no database or of a newer schema.
    pub(crate) fn open(path: &Path, limits: &StoreLimits) -> Result<Self, StorageError> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|failure| {
                StorageError::Unavailable(format!("{}: {failure}", directory.display()))
            })?;
        }
        let write = connect(path)?;
        schema::migrate(&write)?;
        let mut read = Vec::new();
        for _ in 0..limits.sqlite_readers {
            let connection = connect(path)?;
            connection
                .pragma_update(None, "query_only", true)
                .map_err(error::from_sqlite)?;
            read.push(connection);
        }
        Ok(Self {
            writer: Writer::start(write, limits.sqlite_queue)?,
            readers: Arc::new(Readers::new(read)),
            reads: Places::connections(SYSTEM, limits.sqlite_readers),
            writes: Places::queue(SYSTEM, limits.sqlite_queue),
            limits: limits.clone(),
        })
    }
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags).map_err(error::from_sqlite)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "busy_timeout", BUSY_MILLISECONDS)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit that was acknowledged survives a loss of power, not only a crash.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    search::add_functions(&connection)?;
    Ok(connection)
}
