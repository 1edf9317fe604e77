//! What the storage is built from, and every bound in it with its reason.

use std::{path::PathBuf, time::Duration};

use deadpool_redis::redis::IntoConnectionInfo;
use mongodb::options::ConnectionString;
use secrecy::{ExposeSecret, SecretString};

/// Where books and authors are kept, and how much of what is allowed.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The store.
    pub backend: Backend,
    /// The second cache level; without it each process has only its own.
    pub redis_url: Option<SecretString>,
    /// Bounds of calls to the store.
    pub store: StoreLimits,
    /// Bounds of the cache.
    pub cache: CacheLimits,
}

/// The kinds of store.
#[derive(Debug, Clone)]
pub enum Backend {
    /// One file on this machine.
    Sqlite {
        /// The file; its directory is made when missing.
        path: PathBuf,
    },
    /// A server of the `MongoDB` protocol.
    Mongo {
        /// The connection string.
        uri: SecretString,
        /// The database's name.
        database: String,
    },
}

/// Bounds of calls to the store.
#[derive(Debug, Clone)]
pub struct StoreLimits {
    /// Longest call, its wait for a turn included. A caller gets an answer within a second also
    /// when the store is frozen.
    pub call: Duration,
    /// Longest bulk insert: a thousand books in one call.
    pub bulk: Duration,
    /// Longest wait for a turn. A call that waited longer would have little of its time left.
    pub turn: Duration,
    /// Most connections to `MongoDB`: as many as the calls it serves well at once. Calls that
    /// outlast their time lower it for a while.
    pub mongo_connections: u32,
    /// `SQLite` connections that read beside the one that writes: more than the cores of a small
    /// machine, since a reader also waits for the disk.
    pub sqlite_readers: u32,
    /// Writes that wait for the one `SQLite` writer. At 10 to 50 µs each they are done in time.
    pub sqlite_queue: usize,
    /// How long the store may take to be there at the start.
    pub start: Duration,
    /// How often it is looked how much there is, which reads everything: at a hundred thousand books
    /// that is a tenth of a second.
    pub holdings_pause: Duration,
    /// Age from which an unfinished bulk insert belongs to nobody: longer than the longest one.
    pub abandoned_batch: Duration,
}

/// Bounds of the cache.
#[derive(Debug, Clone)]
pub struct CacheLimits {
    /// Bytes that the first level holds of books, and again of authors and summaries; 0 turns it
    /// off.
    pub level1_bytes: u64,
    /// How long the first level answers by itself, ±10 %. It bounds how long another instance's
    /// write stays unseen here.
    pub level1_ttl: Duration,
    /// How long Redis keeps a book, ±10 %.
    pub level2_ttl: Duration,
    /// How long "there is none" is believed.
    pub negative_ttl: Duration,
    /// How long after its end an entry may still stand in for a store that is down or slow.
    pub stale_ttl: Duration,
    /// How long a reader waits for the store while there is such an entry: what the store takes on
    /// a bad day. The answer that comes later is kept for the next reader.
    pub stale_patience: Duration,
    /// How long a summary is kept in the process, and in Redis. It never goes out of date: its key
    /// has the fingerprint of the texts it was made from.
    pub summary_ttl: (Duration, Duration),
}

impl StorageConfig {
    /// `SQLite` in this file, no second cache level, default bounds.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self::new(Backend::Sqlite { path: path.into() })
    }

    /// This `MongoDB`, no second cache level, default bounds.
    #[must_use]
    pub fn mongo(uri: SecretString, database: impl Into<String>) -> Self {
        Self::new(Backend::Mongo {
            uri,
            database: database.into(),
        })
    }

    /// This store, no second cache level, default bounds.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self {
            backend,
            redis_url: None,
            store: StoreLimits::default(),
            cache: CacheLimits::default(),
        }
    }
}

/// Whether the text is a connection string of `MongoDB`.
#[must_use]
pub fn is_mongodb_uri(uri: &SecretString) -> bool {
    ConnectionString::parse(uri.expose_secret()).is_ok()
}

/// Whether the text is an address of Redis.
#[must_use]
pub fn is_redis_url(url: &SecretString) -> bool {
    url.expose_secret().into_connection_info().is_ok()
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(1),
            bulk: Duration::from_secs(10),
            turn: Duration::from_millis(500),
            mongo_connections: 64,
            sqlite_readers: 4,
            sqlite_queue: 1_024,
            start: Duration::from_secs(10),
            holdings_pause: Duration::from_secs(30),
            abandoned_batch: Duration::from_secs(60),
        }
    }
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            level1_bytes: 16 << 20,
            level1_ttl: Duration::from_secs(5),
            level2_ttl: Duration::from_secs(300),
            negative_ttl: Duration::from_secs(5),
            stale_ttl: Duration::from_secs(60),
            stale_patience: Duration::from_millis(100),
            summary_ttl: (Duration::from_secs(600), Duration::from_secs(24 * 3_600)),
        }
    }
}
