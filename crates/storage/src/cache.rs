//! Two levels of cache before a store, correct under races.
//!
//! The first level is this process, the second is Redis, which all processes share. Both hold
//! finished replies. A read tries them in turn; among those who ask the store for the same entity
//! one asks for all, in this process by [`flights`] and between processes by a short lease.
//!
//! What a write was acknowledged with is what every later read in this process gets, or newer:
//! 1. before the write, a floor in the first level and a tombstone in Redis refuse older versions;
//! 2. the store does the write;
//! 3. after it, the new reply goes into both, unless something newer is there.
//!
//! When Redis cannot be told of a write, the write succeeds all the same, and nothing in Redis is
//! believed until the epoch, which stands in every key, has been raised. A process that starts
//! raises it too, since the one before may have ended in that state. Other processes may serve
//! what they hold in their first level until its time to live ends, and, while this process cannot
//! reach Redis, what lies there until its own ends; nothing else can be older than the store.

mod body;
mod bounded;
mod budget;
mod change;
mod flights;
mod key;
mod level1;
mod level2;
mod metrics;
#[cfg(test)]
mod races;
mod read;
mod redis;
mod scripts;
mod summary;
mod value;
mod warning;
mod write;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{Author, Book, BookQuery, Page, PageRequest, SearchTerm};
use secrecy::SecretString;
use tenancy::TenantId;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use self::{
    change::ChangeLocks, flights::Flights, key::Key, level1::Level1, level2::Level2,
    metrics::CacheMetrics,
};
use crate::{CacheLimits, Entity, StorageError, store::Store as _};

pub use self::{
    body::{CachedBody, Level},
    redis::RedisState,
    summary::{Summary, SummaryCache, SummaryKey},
};

/// How often the connection to Redis and the epoch are looked after. It bounds how long Redis is
/// passed by after it has come back, and how long another process's new epoch goes unseen.
const MAINTENANCE: Duration = Duration::from_millis(500);

/// A store behind both cache levels. Cheap to clone.
pub struct Cached<E: Entity> {
    inner: Arc<Inner<E>>,
}

/// Books behind both cache levels.
pub type Books = Cached<Book>;

/// Authors behind both cache levels.
pub type Authors = Cached<Author>;

struct Inner<E: Entity> {
    store: Arc<E::Store>,
    encode: fn(&E) -> Bytes,
    level1: Level1<E>,
    stale_patience: Duration,
    level2: Level2,
    flights: Flights<Key<E>, Result<Option<Arc<CachedBody>>, StorageError>>,
    changes: ChangeLocks,
    metrics: CacheMetrics,
}

/// The connection to Redis, if one is configured, and what the caches are bounded by.
#[derive(Clone)]
pub(crate) struct Connection {
    redis: Option<Arc<redis::Redis>>,
    limits: CacheLimits,
}

impl<E: Entity> Cached<E> {
    pub(crate) fn new(
        store: Arc<E::Store>,
        encode: fn(&E) -> Bytes,
        connection: &Connection,
    ) -> Self {
        let limits = &connection.limits;
        let inner = Inner {
            store,
            encode,
            level1: Level1::new(limits),
            stale_patience: limits.stale_patience,
            level2: connection.level2(limits.level2_ttl),
            flights: Flights::new(),
            changes: ChangeLocks::new(),
            metrics: CacheMetrics::new(E::NAME),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The entity as the store has it, for a change that depends on it.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn read(&self, tenant: &TenantId, id: &E::Id) -> Result<Option<E>, StorageError> {
        self.inner.store.get(tenant, id).await
    }
}

impl Cached<Book> {
    /// One page of the tenant's books, from the store.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn list(
        &self,
        tenant: &TenantId,
        query: &BookQuery,
        page: PageRequest,
    ) -> Result<Page<Book>, StorageError> {
        self.inner.store.list(tenant, query, page).await
    }

    /// At most 50 books with the term in title, author or description, best first, from the store.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn search(
        &self,
        tenant: &TenantId,
        term: &SearchTerm,
    ) -> Result<Vec<Book>, StorageError> {
        self.inner.store.search(tenant, term).await
    }
}

impl Cached<Author> {
    /// One page of the tenant's authors, oldest first, from the store.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn list(
        &self,
        tenant: &TenantId,
        page: PageRequest,
    ) -> Result<Page<Author>, StorageError> {
        self.inner.store.list(tenant, &(), page).await
    }
}

// Derived, this would ask the same of the entity.
impl<E: Entity> Clone for Cached<E> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl Connection {
    /// Connects if that can be done at once; else the maintenance goes on trying.
    pub(crate) async fn open(
        url: Option<&SecretString>,
        limits: &CacheLimits,
    ) -> Result<Self, StorageError> {
        let redis = url.map(redis::Redis::new).transpose()?.map(Arc::new);
        let connection = Self {
            redis,
            limits: limits.clone(),
        };
        connection.maintain_once().await;
        Ok(connection)
    }

    /// Looks after Redis: connects when there is no connection, agrees on the epoch when there is.
    async fn maintain_once(&self) {
        if let Some(redis) = &self.redis {
            redis.maintain().await;
        }
    }

    pub(crate) fn summaries(&self) -> SummaryCache {
        SummaryCache::new(&self.limits, self.level2(self.limits.summary_ttl.1))
    }

    pub(crate) fn state(&self) -> RedisState {
        self.redis
            .as_ref()
            .map_or(RedisState::Disabled, |redis| redis.state())
    }

    /// Starts the task that looks after Redis and publishes the sizes of the first level.
    pub(crate) fn maintain(
        &self,
        books: &Books,
        authors: &Authors,
        summaries: &SummaryCache,
    ) -> JoinHandle<()> {
        let connection = self.clone();
        let (books, authors, summaries) = (books.clone(), authors.clone(), summaries.clone());
        tokio::spawn(async move {
            let mut round = interval(MAINTENANCE);
            round.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = round.tick() => {}
                    () = connection.given_up() => {}
                }
                books.inner.level1.report();
                authors.inner.level1.report();
                summaries.report();
                connection.maintain_once().await;
            }
        })
    }

    async fn given_up(&self) {
        match &self.redis {
            Some(redis) => redis.given_up().await,
            None => std::future::pending().await,
        }
    }

    fn level2(&self, ttl: Duration) -> Level2 {
        Level2::new(self.redis.clone(), ttl)
    }
}

/// A time to live within 10 % of the given one, so that entries made together do not end together.
fn jitter(duration: Duration) -> Duration {
    duration.mul_f64(0.9 + 0.2 * fastrand::f64())
}
