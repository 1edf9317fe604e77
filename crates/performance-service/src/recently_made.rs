//! What took long to make, kept for who asks next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// The latest values by key, as many as there is room for. A key names what a value was made of,
/// so that values never grow old.
pub(crate) struct RecentlyMade<K, V> {
    most: usize,
    /// The one that was asked for last stands at the end.
    entries: Mutex<VecDeque<(K, Arc<OnceCell<V>>)>>,
}

impl<K: PartialEq, V: Clone> RecentlyMade<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            entries: Mutex::default(),
        }
    }

    /// The value of a key; who asks first has it made, others wait for it.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub(crate) async fn get<E>(
        &self,
        key: K,
        make: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let cell = self.cell(key);
        cell.get_or_try_init(|| make).await.cloned()
    }

    fn cell(&self, key: K) -> Arc<OnceCell<V>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = entries.iter().position(|(known, _)| *known == key);
        if let Some(entry) = known.and_then(|position| entries.remove(position)) {
            let cell = Arc::clone(&entry.1);
            entries.push_back(entry);
            return cell;
        }
        while entries.len() >= self.most {
            entries.pop_front();
        }
        let cell = Arc::new(OnceCell::new());
        entries.push_back((key, Arc::clone(&cell)));
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn who_asks_at_once_has_it_made_once() {
        let kept = RecentlyMade::new(2);
        let made = AtomicU32::new(0);
        let get = |key: u32| {
            let made = &made;
            kept.get(key, async move {
                tokio::task::yield_now().await;
                made.fetch_add(1, Ordering::Relaxed);
                Ok::<_, ()>(key * 10)
            })
        };
        let all = join_all([get(1), get(1), get(2), get(1)]).await;
        assert_eq!(all, [Ok(10), Ok(10), Ok(20), Ok(10)]);
        assert_eq!(made.load(Ordering::Relaxed), 2);
        // The one that nobody asked for longest makes room.
        assert_eq!((get(3).await, get(1).await), (Ok(30), Ok(10)));
        assert_eq!(made.load(Ordering::Relaxed), 3);
        assert_eq!(get(2).await, Ok(20));
        assert_eq!(made.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let kept = RecentlyMade::new(1);
        let failed: Result<u32, &str> = kept.get((), async { Err("the store is busy") }).await;
        assert_eq!(failed, Err("the store is busy"));
        assert_eq!(kept.get((), async { Ok::<_, ()>(1) }).await, Ok(1));
    }
}
