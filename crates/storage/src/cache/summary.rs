//! Finished summaries, which cost money: each is made once.
//!
//! A key has the fingerprint of the texts that the summary was made from, so an entry never goes
//! out of date and needs neither versions nor epochs.

use std::{
    error::Error,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::BookId;
use quick_cache::Weighter;
use tenancy::TenantId;

use super::{
    body::Level,
    bounded::Bounded,
    budget::Budget,
    flights::{Flights, Landed},
    level2::Level2,
    metrics::{CacheMetrics, SizeMetrics},
};
use crate::CacheLimits;

/// Largest entry: far above any summary, so that one answer gone wild does not push out the rest.
const MAX_BYTES: usize = 256 << 10;

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

/// Why a summary could not be made; of the type that the caller's generator gave.
pub type GenerationError = Arc<dyn Error + Send + Sync>;

/// A summary, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What the generator made.
    pub bytes: Bytes,
    /// Where it came from.
    pub origin: SummaryOrigin,
}

/// How a summary came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryOrigin {
    /// It was there.
    Cached(Level),
    /// It was made for this call.
    Generated,
    /// It was being made for another call.
    Coalesced,
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
    flights: Flights<String, Result<Summary, GenerationError>>,
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

/// The call that made the summary broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the generation of the summary broke off")]
pub struct GenerationLost;

impl SummaryCache {
    pub(super) fn new(limits: &CacheLimits, level2: Level2) -> Self {
        let level1 = Bounded::new(limits.level1_bytes, ByBytes, SizeMetrics::new(NAME));
        let metrics = CacheMetrics::new(NAME);
        Self {
            inner: Arc::new(Inner {
                level1,
                ttl: limits.summary_ttl.0,
                level2,
                flights: Flights::new(),
                metrics,
            }),
        }
    }

    /// The summary, if it was made before.
    pub async fn get(&self, key: &SummaryKey) -> Option<Summary> {
        self.inner.get(&key.in_redis()).await
    }

    /// Keeps a summary, also in place of an older one. Too large a one is not kept.
    pub async fn put(&self, key: &SummaryKey, bytes: Bytes) {
        self.inner.put(&key.in_redis(), bytes).await;
    }

    /// The summary, made by `generate` unless it is there or being made.
    ///
    /// The generator runs in a task of its own and goes on when its caller leaves.
    ///
    /// # Errors
    /// What the generator gave, to every caller that waited for it; or [`GenerationLost`].
    pub async fn get_or_generate<F>(
        &self,
        key: &SummaryKey,
        generate: impl FnOnce() -> F + Send,
    ) -> Result<Summary, GenerationError>
    where
        F: Future<Output = Result<Bytes, GenerationError>> + Send + 'static,
    {
        if let Some(summary) = self.get(key).await {
            return Ok(summary);
        }
        let (inner, name) = (Arc::clone(&self.inner), key.in_redis());
        let call = || {
            let generated = generate();
            async move {
                // The call before this one may have ended just now, after this caller had looked.
                match inner.look_up(&name) {
                    Some(bytes) => Ok(Summary::cached(bytes, Level::L1)),
                    None => inner.keep(&name, generated).await,
                }
            }
        };
        self.inner.share(key, call).await
    }

    /// The summary, made by `generate` unless it is being made: what is there does not count.
    ///
    /// # Errors
    /// As [`SummaryCache::get_or_generate`].
    pub async fn generate<F>(
        &self,
        key: &SummaryKey,
        generate: impl FnOnce() -> F + Send,
    ) -> Result<Summary, GenerationError>
    where
        F: Future<Output = Result<Bytes, GenerationError>> + Send + 'static,
    {
        let (inner, name) = (Arc::clone(&self.inner), key.in_redis());
        let call = || {
            let generated = generate();
            async move { inner.keep(&name, generated).await }
        };
        self.inner.share(key, call).await
    }

    pub(super) fn report(&self) {
        self.inner.level1.report();
    }
}

impl Summary {
    fn cached(bytes: Bytes, level: Level) -> Self {
        let origin = SummaryOrigin::Cached(level);
        Self { bytes, origin }
    }
}

impl Inner {
    /// Joins the call that makes this summary, or makes it.
    async fn share<F>(
        &self,
        key: &SummaryKey,
        call: impl FnOnce() -> F,
    ) -> Result<Summary, GenerationError>
    where
        F: Future<Output = Result<Summary, GenerationError>> + Send + 'static,
    {
        match self.flights.run(key.in_redis(), call).await {
            Landed::Own(result) => result,
            Landed::Joined(result) => {
                self.metrics.store_coalesced.increment(1);
                let mut summary = result?;
                if summary.origin == SummaryOrigin::Generated {
                    summary.origin = SummaryOrigin::Coalesced;
                }
                Ok(summary)
            }
            Landed::Lost => Err(Arc::new(GenerationLost)),
        }
    }

    async fn keep(
        &self,
        name: &str,
        generated: impl Future<Output = Result<Bytes, GenerationError>>,
    ) -> Result<Summary, GenerationError> {
        let bytes = generated.await?;
        self.put(name, bytes.clone()).await;
        let origin = SummaryOrigin::Generated;
        Ok(Summary { bytes, origin })
    }

    async fn get(&self, name: &str) -> Option<Summary> {
        if let Some(bytes) = self.look_up(name) {
            self.metrics.level1_hit.increment(1);
            return Some(Summary::cached(bytes, Level::L1));
        }
        self.metrics.level1_miss.increment(1);
        if !self.level2.is_configured() {
            return None;
        }
        let Some(bytes) = self.level2.get_bytes(name, &mut Budget::start()).await else {
            self.metrics.level2_miss.increment(1);
            return None;
        };
        self.metrics.level2_hit.increment(1);
        self.insert(name, bytes.clone());
        Some(Summary::cached(bytes, Level::L2))
    }

    async fn put(&self, name: &str, bytes: Bytes) {
        if bytes.len() <= MAX_BYTES {
            self.insert(name, bytes.clone());
            self.level2.put_bytes(name, &bytes).await;
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
