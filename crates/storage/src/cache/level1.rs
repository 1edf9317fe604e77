//! The cache of this process.
//!
//! Beside the entries it keeps floors: the versions that writes have announced. A floor outlives
//! every read that began before the write, so neither such a read's late result nor a reader that
//! joined it can bring back what is older than an acknowledged write.
//!
//! A hit is the most frequent thing that this program does. `quick_cache` answers one by a read
//! lock and a flag, where caches that note each hit in a queue take longer than all the rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::Version;
use quick_cache::{DefaultHashBuilder, Weighter};

use super::{
    body::{CachedBody, Level},
    bounded::Bounded,
    jitter,
    key::Key,
    metrics::SizeMetrics,
};
use crate::{CacheLimits, Entity};

/// How long a floor stays: longer than any read from a store, however late.
const FLOOR_TTL: Duration = Duration::from_secs(60);

/// How long the floor of a new entity stays. It only keeps a read that began before from saying
/// that there is none, and a read takes a second or two.
const NEW_FLOOR_TTL: Duration = Duration::from_secs(5);

/// Locks among which the floors are spread, so that writes of different entities do not wait for
/// each other.
const SHARDS: usize = 64;

/// Floors of one shard: 64 × 1,024 changes a minute, or creations in five seconds, are remembered
/// one by one. Beyond that a shard stores nothing at all until its floors have run out, which is
/// slower but never wrong.
const SHARD_FLOORS: usize = 1_024;

/// What an entry costs beside its body and tenant, in bytes: key, entry and the cache's own.
const OVERHEAD: usize = 256;

/// What the first level knows.
pub(super) enum Found {
    /// This is the entity.
    Fresh(Arc<CachedBody>),
    /// There is no such entity.
    Absent,
    /// This was the entity not long ago.
    Stale(Arc<CachedBody>),
    /// Nothing.
    Nothing,
}

/// The first level of one kind of entity.
pub(super) struct Level1<E: Entity> {
    entries: Bounded<Key<E>, Entry, Bytes>,
    floors: Box<[Mutex<Shard<E>>]>,
    hasher: DefaultHashBuilder,
    limits: CacheLimits,
}

#[derive(Clone)]
struct Entry {
    /// `None`: there is no such entity.
    body: Option<Arc<CachedBody>>,
    fresh_until: Instant,
    kept_until: Instant,
}

struct Shard<E: Entity> {
    floors: HashMap<Key<E>, Floor, DefaultHashBuilder>,
    closed_until: Option<Instant>,
}

struct Floor {
    minimum: Version,
    until: Instant,
}

/// Weighs entries.
#[derive(Clone)]
struct Bytes;

impl<E: Entity> Weighter<Key<E>, Entry> for Bytes {
    fn weight(&self, key: &Key<E>, entry: &Entry) -> u64 {
        let body = entry.body.as_ref().map_or(0, |body| body.body.len());
        u64::try_from(OVERHEAD + key.tenant.as_str().len() + body).unwrap_or(u64::MAX)
    }
}

impl<E: Entity> Level1<E> {
    pub(super) fn new(limits: &CacheLimits) -> Self {
        let entries = Bounded::new(limits.level1_bytes, Bytes, SizeMetrics::new(E::NAME));
        let shard = || {
            Mutex::new(Shard {
                floors: HashMap::default(),
                closed_until: None,
            })
        };
        let floors = (0..SHARDS).map(|_| shard()).collect();
        Self {
            entries,
            floors,
            hasher: DefaultHashBuilder::default(),
            limits: limits.clone(),
        }
    }

    /// What is known of the entity.
    pub(super) fn look_up(&self, key: &Key<E>) -> Found {
        let Some(entry) = self.entries.get(key) else {
            return Found::Nothing;
        };
        let now = Instant::now();
        match entry.body {
            Some(body) if now < entry.fresh_until => Found::Fresh(body),
            Some(body) if now < entry.kept_until => Found::Stale(body),
            None if now < entry.fresh_until => Found::Absent,
            Some(_) | None => Found::Nothing,
        }
    }

    /// Announces a write of this version: from here on nothing older is kept or believed.
    pub(super) fn raise_floor(&self, key: &Key<E>, minimum: Version) {
        self.raise(key, minimum, FLOOR_TTL);
    }

    /// After an entity was created: from here on its absence is neither kept nor believed.
    pub(super) fn end_absence(&self, key: &Key<E>, version: Version) {
        self.raise(key, version, NEW_FLOOR_TTL);
    }

    fn raise(&self, key: &Key<E>, minimum: Version, stays: Duration) {
        let now = Instant::now();
        let mut shard = self.shard(key);
        shard.raise(key, minimum, (now, now + stays));
        self.entries.remove(key);
    }

    /// Keeps the reply, unless a write has announced something newer.
    pub(super) fn keep(&self, key: &Key<E>, body: &CachedBody) {
        if self.limits.level1_bytes == 0 {
            return;
        }
        let fresh = jitter(self.limits.level1_ttl);
        let body = body.at(Level::L1);
        self.put(key, Some(body), fresh, fresh + self.limits.stale_ttl);
    }

    /// Keeps that there is no such entity.
    pub(super) fn keep_absence(&self, key: &Key<E>) {
        let fresh = jitter(self.limits.negative_ttl);
        self.put(key, None, fresh, fresh);
    }

    /// Whether a result of a read that others began may be older than an acknowledged write.
    pub(super) fn is_superseded(&self, key: &Key<E>, version: Option<Version>) -> bool {
        self.shard(key).refuses(key, version, Instant::now())
    }

    /// Publishes how large the level is.
    pub(super) fn report(&self) {
        self.entries.report();
    }

    fn put(&self, key: &Key<E>, body: Option<Arc<CachedBody>>, fresh: Duration, kept: Duration) {
        let now = Instant::now();
        let version = body.as_ref().map(|body| body.version);
        // Held until the entry is in: a write cannot pass between the look and the deed.
        let shard = self.shard(key);
        // What is past its time is no newer than an absence that was read just now, and would be
        // served for long while the store is slow.
        let newer = |there: Entry| {
            let counts = match version {
                Some(_) => there.kept_until,
                None => there.fresh_until,
            };
            now < counts && there.body.map(|body| body.version) > version
        };
        if shard.refuses(key, version, now) || self.entries.peek(key).is_some_and(newer) {
            return;
        }
        self.entries.insert(
            key.clone(),
            Entry {
                body,
                fresh_until: now + fresh,
                kept_until: now + kept,
            },
        );
        drop(shard);
    }

    fn shard(&self, key: &Key<E>) -> MutexGuard<'_, Shard<E>> {
        let index = usize::try_from(self.hasher.hash_one(key)).unwrap_or(0) % SHARDS;
        self.floors[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Entity> Shard<E> {
    fn raise(&mut self, key: &Key<E>, minimum: Version, (now, until): (Instant, Instant)) {
        if let Some(floor) = self.floors.get_mut(key) {
            *floor = Floor {
                minimum: floor.minimum.max(minimum),
                until: floor.until.max(until),
            };
            return;
        }
        if self.floors.len() >= SHARD_FLOORS {
            self.floors.retain(|_, floor| floor.until > now);
        }
        if self.floors.len() >= SHARD_FLOORS {
            self.closed_until = self.closed_until.max(Some(until));
        } else {
            self.floors.insert(key.clone(), Floor { minimum, until });
        }
    }

    fn refuses(&self, key: &Key<E>, version: Option<Version>, now: Instant) -> bool {
        if self.closed_until.is_some_and(|until| now < until) {
            return true;
        }
        // No entity is older than its first version.
        self.floors
            .get(key)
            .is_some_and(|floor| now < floor.until && version < Some(floor.minimum))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::{Book, BookId};
    use tenancy::TenantId;

    use super::*;

    fn key(number: u32) -> Key<Book> {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        Key::new(&TenantId::development(), BookId::from_bytes(bytes))
    }

    fn body(version: u64) -> CachedBody {
        CachedBody::new(
            Version::new(version),
            0,
            Bytes::from_static(b"{}"),
            Level::Store,
        )
    }

    fn fresh_version(level: &Level1<Book>, key: &Key<Book>) -> Option<u64> {
        match level.look_up(key) {
            Found::Fresh(body) => Some(body.version.get()),
            Found::Absent | Found::Stale(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn a_late_result_never_replaces_a_newer_one() {
        let level = Level1::<Book>::new(&CacheLimits::default());
        level.keep(&key(1), &body(2));
        level.keep(&key(1), &body(1));
        level.keep_absence(&key(1));
        assert_eq!(fresh_version(&level, &key(1)), Some(2));
    }

    #[test]
    fn an_absence_replaces_what_is_past_its_time() {
        let level = Level1::<Book>::new(&CacheLimits {
            level1_ttl: Duration::ZERO,
            ..CacheLimits::default()
        });
        level.keep(&key(1), &body(2));
        assert!(matches!(level.look_up(&key(1)), Found::Stale(_)));
        level.keep_absence(&key(1));
        assert!(matches!(level.look_up(&key(1)), Found::Absent));
    }

    #[test]
    fn an_announced_write_hides_and_refuses_what_is_older() {
        let level = Level1::<Book>::new(&CacheLimits::default());
        level.keep(&key(1), &body(1));
        level.raise_floor(&key(1), Version::new(2));
        assert_eq!(fresh_version(&level, &key(1)), None);
        level.keep(&key(1), &body(1));
        level.keep_absence(&key(1));
        assert!(matches!(level.look_up(&key(1)), Found::Nothing));
        assert!(level.is_superseded(&key(1), Some(Version::new(1))));
        assert!(level.is_superseded(&key(1), None));
        level.keep(&key(1), &body(2));
        assert_eq!(fresh_version(&level, &key(1)), Some(2));
        assert!(!level.is_superseded(&key(1), Some(Version::new(2))));
    }

    #[test]
    fn a_new_entity_is_not_absent() {
        let level = Level1::<Book>::new(&CacheLimits::default());
        level.keep_absence(&key(1));
        level.end_absence(&key(1), Version::FIRST);
        level.keep_absence(&key(1));
        assert!(matches!(level.look_up(&key(1)), Found::Nothing));
        assert!(level.is_superseded(&key(1), None));
        let floor = |number| level.shard(&key(number)).floors[&key(number)].until;
        let left = floor(1).duration_since(Instant::now());
        assert!(left <= NEW_FLOOR_TTL, "{left:?}");
        // A floor that stays longer is not cut short.
        level.raise_floor(&key(2), Version::new(2));
        let before = floor(2);
        level.end_absence(&key(2), Version::FIRST);
        assert_eq!(floor(2), before);
        assert!(level.is_superseded(&key(2), Some(Version::FIRST)));
    }

    #[test]
    fn more_writes_than_floors_only_close_the_level() {
        let level = Level1::<Book>::new(&CacheLimits::default());
        let many = u32::try_from(2 * SHARDS * SHARD_FLOORS).unwrap();
        for number in 0..many {
            level.raise_floor(&key(number), Version::new(2));
        }
        for number in (0..many).step_by(97) {
            level.keep(&key(number), &body(1));
            assert_eq!(fresh_version(&level, &key(number)), None, "{number}");
            assert!(level.is_superseded(&key(number), Some(Version::new(1))));
        }
        let kept: usize = level
            .floors
            .iter()
            .map(|s| s.lock().unwrap().floors.len())
            .sum();
        assert!(kept <= SHARDS * SHARD_FLOORS, "{kept}");
    }
}
