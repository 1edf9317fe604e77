//! Finished summaries, which cost money. Who makes them sees to it that each is made once.
//!
//! A key has the fingerprint of the texts that the summary was made from, so an entry never goes
//! out of date and needs neither versions nor epochs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::BookId;
use quick_cache::Weighter;
use tenancy::TenantId;
use tokio::sync::Semaphore;

use super::{
    body::Level,
    bounded::Bounded,
    level2::Level2,
    metrics::{CacheMetrics, SizeMetrics},
    redis::Failure,
};
use crate::CacheLimits;

/// Largest entry: far above any summary, so that one answer gone wild does not push out the rest.
const MAX_BYTES: usize = 256 << 10;

/// Copies on their way to Redis at once: at [`MAX_BYTES`] each, 16 MiB.
const MAX_COPIES: usize = 64;

/// What an entry costs beside its bytes and its name.
const OVERHEAD: usize = 256;

/// The cache's name, in metrics and Redis keys.
const NAME: &str = "summary";

/// What a summary was made from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SummaryKey {
    /// Whose book.
    pub tenant: TenantId,
    /// Which book.
    pub book: BookId,
    /// The provider's name.
    pub provider: String,
    /// The model's name, as it was asked for.
    pub model: String,
    /// Name and version of the prompt.
    pub prompt_version: String,
    /// The book's text fingerprint.
    pub fingerprint: u64,
}

/// A summary, and where it lay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What was put.
    pub bytes: Bytes,
    /// The level that had it.
    pub level: Level,
}

/// Summaries in both cache levels. Cheap to clone.
#[derive(Clone)]
pub struct SummaryCache {
    inner: Arc<Inner>,
}

struct Inner {
    level1: Bounded<String, Kept, ByBytes>,
    ttl: Duration,
    level2: Level2,
    copies: Arc<Semaphore>,
    metrics: CacheMetrics,
}

#[derive(Clone)]
struct Kept {
    bytes: Bytes,
    until: Instant,
}

/// Weighs entries.
#[derive(Clone)]
struct ByBytes;

impl Weighter<String, Kept> for ByBytes {
    fn weight(&self, name: &String, kept: &Kept) -> u64 {
        u64::try_from(OVERHEAD + name.len() + kept.bytes.len()).unwrap_or(u64::MAX)
    }
}

impl SummaryCache {
    pub(super) fn new(limits: &CacheLimits, level2: Level2) -> Self {
        let level1 = Bounded::new(limits.level1_bytes, ByBytes, SizeMetrics::new(NAME));
        let metrics = CacheMetrics::new(NAME);
        Self {
            inner: Arc::new(Inner {
                level1,
                ttl: limits.summary_ttl.0,
                level2,
                copies: Arc::new(Semaphore::new(MAX_COPIES)),
                metrics,
            }),
        }
    }

    /// The summary, if it was made before.
    pub async fn get(&self, key: &SummaryKey) -> Option<Summary> {
        self.inner.get(&key.in_redis()).await
    }

    /// Keeps a summary, also in place of an older one; in Redis soon after. Too large a one is not
    /// kept.
    pub fn put(&self, key: &SummaryKey, bytes: Bytes) {
        self.inner.put(key.in_redis(), bytes);
    }

    /// The summary, if this process has it by now: for a second look, which is not counted.
    #[must_use]
    pub fn look_again(&self, key: &SummaryKey) -> Option<Bytes> {
        self.inner.look_up(&key.in_redis())
    }

    pub(super) fn report(&self) {
        self.inner.level1.report();
    }
}

impl Inner {
    async fn get(&self, name: &str) -> Option<Summary> {
        if let Some(bytes) = self.look_up(name) {
            self.metrics.level1_hit.note();
            let level = Level::L1;
            return Some(Summary { bytes, level });
        }
        self.metrics.level1_miss.note();
        if !self.level2.is_configured() {
            return None;
        }
        match self.level2.get_bytes(name).await {
            Some(Ok(Some(bytes))) => {
                self.metrics.level2_hit.note();
                self.insert(name, bytes.clone());
                let level = Level::L2;
                return Some(Summary { bytes, level });
            }
            Some(Ok(None) | Err(Failure::Refused(_))) => self.metrics.level2_miss.note(),
            Some(Err(Failure::Late | Failure::Lost)) | None => {
                self.metrics.level2_bypass.note();
            }
        }
        None
    }

    fn put(&self, name: String, bytes: Bytes) {
        if bytes.len() > MAX_BYTES {
            return;
        }
        self.insert(&name, bytes.clone());
        // Nobody waits for the copy; one that finds no place is not made.
        if let Ok(place) = Arc::clone(&self.copies).try_acquire_owned() {
            let level2 = self.level2.clone();
            tokio::spawn(async move {
                level2.put_bytes(&name, &bytes).await;
                drop(place);
            });
        }
    }

    fn look_up(&self, name: &str) -> Option<Bytes> {
        let kept = self.level1.get(name)?;
        (Instant::now() < kept.until).then_some(kept.bytes)
    }

    fn insert(&self, name: &str, bytes: Bytes) {
        let until = Instant::now() + self.ttl;
        self.level1.insert(name.to_owned(), Kept { bytes, until });
    }
}

impl SummaryKey {
    /// Its name in Redis. Names from outside are escaped, so two keys never have the same text.
    fn in_redis(&self) -> String {
        let escape = |part: &str| part.replace('%', "%25").replace(':', "%3A");
        format!(
            "v1:t:{}:{NAME}:{}:{}:{}:{}:{:016x}",
            self.tenant.as_str(),
            self.book,
            escape(&self.provider),
            escape(&self.model),
            escape(&self.prompt_version),
            self.fingerprint
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(provider: &str, model: &str) -> SummaryKey {
        SummaryKey {
            tenant: TenantId::development(),
            book: BookId::from_bytes([0; 12]),
            provider: provider.into(),
            model: model.into(),
            prompt_version: "summary-1".into(),
            fingerprint: 255,
        }
    }

    #[test]
    fn separators_in_names_do_not_mix_up_keys() {
        assert_ne!(key("a:b", "c").in_redis(), key("a", "b:c").in_redis());
        assert_ne!(key("a%3Ab", "c").in_redis(), key("a:b", "c").in_redis());
    }
}
