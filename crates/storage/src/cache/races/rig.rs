//! Two processes' caches over one file and one Redis, with gates to hold calls at.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Book, BookId, BookQuery, Page, PageRequest, SearchTerm, Version};
use tempfile::TempDir;
use tenancy::TenantId;
use test_support::Redis;
use tokio::sync::Semaphore;

use super::super::{
    Books, CachedBody, Connection, Key, RedisState,
    level2::{Claim, Level2},
};
use crate::{BookStore, CacheLimits, Holdings, StorageError, Store, StoreLimits, sqlite};

/// Longest wait for something that takes milliseconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A real store whose next read, or next change, waits at a gate: the read with its result in
/// hand, the change before it begins.
pub(super) struct Gated {
    table: sqlite::Table<Book>,
    pub(super) hold_read: AtomicBool,
    pub(super) hold_change: AtomicBool,
    pub(super) reads: AtomicU32,
    arrived: Semaphore,
    gate: Semaphore,
}

impl Gated {
    async fn pass(&self, held: &AtomicBool) {
        if held.swap(false, Ordering::SeqCst) {
            self.arrived.add_permits(1);
            self.gate.acquire().await.unwrap().forget();
        }
    }

    /// Waits until a call stands at the gate.
    pub(super) async fn someone_waits(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    pub(super) fn open_gate(&self) {
        self.gate.add_permits(1);
    }
}

#[async_trait]
impl Store<Book> for Gated {
    async fn insert(&self, tenant: &TenantId, book: &Book) -> Result<(), StorageError> {
        self.table.insert(tenant, book).await
    }

    async fn insert_many(&self, tenant: &TenantId, books: &[Book]) -> Result<(), StorageError> {
        self.table.insert_many(tenant, books).await
    }

    async fn get(&self, tenant: &TenantId, id: &BookId) -> Result<Option<Book>, StorageError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let found = self.table.get(tenant, id).await;
        self.pass(&self.hold_read).await;
        found
    }

    async fn list(
        &self,
        tenant: &TenantId,
        query: &BookQuery,
        page: PageRequest,
    ) -> Result<Page<Book>, StorageError> {
        self.table.list(tenant, query, page).await
    }

    async fn replace(
        &self,
        tenant: &TenantId,
        book: &Book,
        expected: Version,
    ) -> Result<(), StorageError> {
        self.pass(&self.hold_change).await;
        self.table.replace(tenant, book, expected).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        id: &BookId,
        expected: Option<Version>,
    ) -> Result<(), StorageError> {
        self.pass(&self.hold_change).await;
        self.table.delete(tenant, id, expected).await
    }

    async fn holdings(&self) -> Result<Holdings, StorageError> {
        self.table.holdings().await
    }

    async fn ping(&self) -> Result<(), StorageError> {
        self.table.ping().await
    }
}

#[async_trait]
impl BookStore for Gated {
    async fn search(
        &self,
        tenant: &TenantId,
        term: &SearchTerm,
    ) -> Result<Vec<Book>, StorageError> {
        self.table.search(tenant, term).await
    }
}

/// Two processes' caches over one file and one Redis.
pub(super) struct Rig {
    pub(super) redis: Redis,
    database: sqlite::Database,
    pub(super) tenant: TenantId,
    pub(super) limits: CacheLimits,
    _directory: TempDir,
}

/// One process.
pub(super) struct Process {
    pub(super) books: Books,
    pub(super) store: Arc<Gated>,
    pub(super) connection: Connection,
}

impl Rig {
    pub(super) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("books.db");
        Self {
            redis: test_support::redis().await.unwrap(),
            database: sqlite::Database::open(&path, &StoreLimits::default()).unwrap(),
            tenant: TenantId::development(),
            limits: CacheLimits::default(),
            _directory: directory,
        }
    }

    /// Processes of one epoch, which each of them raised when it began.
    pub(super) async fn processes<const N: usize>(&self) -> [Process; N] {
        let mut processes = Vec::with_capacity(N);
        for _ in 0..N {
            processes.push(self.process().await);
        }
        for process in &processes {
            process.uses_redis().await;
        }
        processes.try_into().ok().unwrap()
    }

    pub(super) async fn process(&self) -> Process {
        let store = Arc::new(Gated {
            table: sqlite::Table::new(&self.database),
            hold_read: AtomicBool::new(false),
            hold_change: AtomicBool::new(false),
            reads: AtomicU32::new(0),
            arrived: Semaphore::new(0),
            gate: Semaphore::new(0),
        });
        let url = self.redis.url().into();
        let connection = Connection::open(Some(&url), &self.limits).await.unwrap();
        let behind: Arc<dyn BookStore> = Arc::clone(&store) as _;
        let books = Books::new(
            behind,
            |book| Bytes::from(book.version.get().to_string()),
            &connection,
        );
        let process = Process {
            books,
            store,
            connection,
        };
        process.uses_redis().await;
        process
    }

    pub(super) fn read(
        &self,
        process: &Process,
        id: BookId,
    ) -> tokio::task::JoinHandle<Option<u64>> {
        let (books, tenant) = (process.books.clone(), self.tenant.clone());
        tokio::spawn(async move {
            books
                .get(&tenant, &id)
                .await
                .unwrap()
                .map(|body| body.version.get())
        })
    }

    pub(super) async fn insert(&self, process: &Process) -> Book {
        let book = book();
        // Straight into the store, so that no cache has it.
        process.store.insert(&self.tenant, &book).await.unwrap();
        book
    }

    pub(super) fn replace(&self, process: &Process, book: &Book) -> tokio::task::JoinHandle<Book> {
        let (books, tenant) = (process.books.clone(), self.tenant.clone());
        let (expected, book) = (
            book.version,
            Book {
                version: book.version.next(),
                ..book.clone()
            },
        );
        tokio::spawn(async move {
            books.replace(&tenant, &book, expected).await.unwrap();
            book
        })
    }

    /// A read that has its result from the store and is about to put it into Redis.
    pub(super) fn claim_to_fill(&self, process: &Process, book: &Book) -> LateFill {
        let level2 = process.books.inner.level2.clone();
        let claim = level2.claim().unwrap();
        let body = CachedBody::of(book, process.books.inner.encode);
        LateFill {
            level2,
            key: Key::new(&self.tenant, book.id),
            claim,
            body,
        }
    }

    pub(super) async fn raw(&self, command: &[&str]) -> deadpool_redis::redis::Value {
        let client = deadpool_redis::redis::Client::open(self.redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        deadpool_redis::redis::cmd(command[0])
            .arg(&command[1..])
            .query_async(&mut connection)
            .await
            .unwrap()
    }
}

impl Process {
    /// Looks after Redis until it takes part; a busy machine may miss a limit of milliseconds.
    pub(super) async fn uses_redis(&self) {
        let used = async || {
            self.connection.maintain_once().await;
            anyhow::ensure!(self.connection.state() == RedisState::Healthy);
            Ok(())
        };
        test_support::wait::until("Redis to be used", DEADLINE, used)
            .await
            .unwrap();
    }
}

/// A read that has its result from the store and is about to put it into Redis.
pub(super) struct LateFill {
    level2: Level2,
    key: Key<Book>,
    claim: Claim,
    body: CachedBody,
}

impl LateFill {
    pub(super) async fn fill(self) {
        self.level2.fill(&self.key, self.claim, &self.body).await;
    }
}

pub(super) fn book() -> Book {
    let mut id = [0; 12];
    fastrand::fill(&mut id);
    Book {
        id: BookId::from_bytes(id),
        title: domain::Title::parse("x").unwrap(),
        author: domain::Name::parse("y").unwrap(),
        isbn: domain::Isbn::default(),
        price: domain::Price::default(),
        published_date: None,
        genre: domain::Genre::default(),
        description: domain::Description::default(),
        stock_quantity: domain::StockQuantity::default(),
        created_at: jiff::Timestamp::UNIX_EPOCH,
        updated_at: jiff::Timestamp::UNIX_EPOCH,
        version: Version::FIRST,
        summary: None,
    }
}
