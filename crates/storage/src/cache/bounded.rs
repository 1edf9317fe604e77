//! A map that is bounded in bytes and says how large it is.

use std::hash::Hash;

use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, Weighter, sync::Cache};

use super::metrics::SizeMetrics;

/// Entries that are expected. It only sets how finely the map is divided: the bound is in bytes.
const EXPECTED_ENTRIES: usize = 1_024;

/// Entries of a level. What is past its time counts until it makes room.
pub(super) struct Bounded<K, V, W> {
    entries: Cache<K, V, W, DefaultHashBuilder, CountRemoved>,
    bytes: u64,
    metrics: SizeMetrics,
}

/// Counts the entries that an insertion drove out, the one under the same key included.
#[derive(Clone)]
struct CountRemoved;

impl<K, V> Lifecycle<K, V> for CountRemoved {
    type RequestState = u64;

    fn begin_request(&self) -> u64 {
        0
    }

    fn on_evict(&self, removed: &mut u64, _: K, _: V) {
        *removed += 1;
    }
}

impl<K: Hash + Eq, V: Clone, W: Weighter<K, V> + Clone> Bounded<K, V, W> {
    /// An empty map of so many bytes; with 0 it stays empty.
    pub(super) fn new(bytes: u64, weigher: W, metrics: SizeMetrics) -> Self {
        let hasher = DefaultHashBuilder::default();
        Self {
            entries: Cache::with(EXPECTED_ENTRIES, bytes, weigher, hasher, CountRemoved),
            bytes,
            metrics,
        }
    }

    pub(super) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        if self.bytes == 0 {
            return None;
        }
        self.entries.get(key)
    }

    /// As [`Bounded::get`], but not a use of the entry.
    pub(super) fn peek(&self, key: &K) -> Option<V> {
        self.entries.peek(key)
    }

    pub(super) fn insert(&self, key: K, value: V) {
        if self.bytes == 0 {
            return;
        }
        let replaced = u64::from(self.entries.contains_key(&key));
        let removed = self.entries.insert_with_lifecycle(key, value);
        self.metrics
            .evictions
            .increment(removed.saturating_sub(replaced));
    }

    pub(super) fn remove(&self, key: &K) {
        self.entries.remove(key);
    }

    /// Publishes how large the map is.
    pub(super) fn report(&self) {
        let count = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        self.metrics.entries.set(exact(count));
        self.metrics.bytes.set(exact(self.entries.weight()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size for people to look at")]
fn exact(number: u64) -> f64 {
    number as f64
}
