//! Places for work that all share, of which nobody has more than a part.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places, handed out by key, such as a tenant. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct SharedPlaces<K> {
    all: Arc<Semaphore>,
    /// How many one key may have.
    each: usize,
    keys: Arc<Mutex<HashMap<K, Weak<Semaphore>>>>,
}

/// A place that is taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

/// Why there is no place now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The key has as many as it may have.
    ByKey,
    /// Others have all.
    ByOthers,
}

impl<K: Eq + Hash + Clone> SharedPlaces<K> {
    /// So many places in all, and at most so many of one key.
    pub(crate) fn new(all: usize, each: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            each,
            keys: Arc::default(),
        }
    }

    /// Awaits a place; `None` never comes, since nobody closes them.
    pub(crate) async fn take(&self, key: &K) -> Option<Place> {
        let own = self.of(key).acquire_owned().await.ok()?;
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Place {
            _own: own,
            _of_all: of_all,
        })
    }

    /// Takes a place if there is one.
    ///
    /// # Errors
    /// [`Taken`] says who has them.
    pub(crate) fn try_take(&self, key: &K) -> Result<Place, Taken> {
        let own = self.of(key).try_acquire_owned();
        let of_all = Arc::clone(&self.all).try_acquire_owned();
        Ok(Place {
            _own: own.map_err(|_| Taken::ByKey)?,
            _of_all: of_all.map_err(|_| Taken::ByOthers)?,
        })
    }

    fn of(&self, key: &K) -> Arc<Semaphore> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody has or waits for any more.
        keys.retain(|_, place| place.strong_count() > 0);
        if let Some(place) = keys.get(key).and_then(Weak::upgrade) {
            return place;
        }
        let place = Arc::new(Semaphore::new(self.each));
        keys.insert(key.clone(), Arc::downgrade(&place));
        place
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_key_leaves_a_place_to_others() {
        let places = SharedPlaces::new(2, 1);
        let first = places.take(&"ours").now_or_never();
        assert!(first.is_some());
        assert!(places.take(&"ours").now_or_never().is_none(), "it has one");
        assert!(places.take(&"theirs").now_or_never().is_some());
        drop(first);
        assert!(places.take(&"ours").now_or_never().is_some());
        assert_eq!(places.keys.lock().unwrap().len(), 1, "of those who ask");
    }

    #[test]
    fn who_does_not_wait_is_told_who_has_them() {
        let places = SharedPlaces::new(3, 2);
        let ours = [places.try_take(&"ours"), places.try_take(&"ours")];
        assert!(ours.iter().all(Result::is_ok));
        assert_eq!(places.try_take(&"ours").err(), Some(Taken::ByKey));
        let theirs = places.try_take(&"theirs");
        assert!(theirs.is_ok());
        assert_eq!(places.try_take(&"nobody").err(), Some(Taken::ByOthers));
        drop(ours);
        assert!(places.try_take(&"nobody").is_ok());
    }
}
