//! Label values and handles, as many as are allowed.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

/// What stands for label values beyond the bound.
pub(super) const OTHER: &str = "other";

/// The label values that were seen first.
pub(super) struct LabelValues {
    seen: RwLock<HashSet<Arc<str>>>,
    most: usize,
}

impl LabelValues {
    pub(super) fn new(most: usize) -> Self {
        Self {
            seen: RwLock::default(),
            most,
        }
    }

    pub(super) fn bounded(&self, value: &str) -> Arc<str> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = seen.get(value) {
            return Arc::clone(value);
        }
        drop(seen);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let value = if seen.len() < self.most { value } else { OTHER };
        let value: Arc<str> = value.into();
        seen.insert(Arc::clone(&value));
        value
    }
}

/// Handles by the sets of label values that were seen first.
pub(super) struct Kept<K, V> {
    seen: RwLock<HashMap<K, Arc<V>>>,
    most: usize,
}

impl<K: Eq + Hash, V> Kept<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            seen: RwLock::default(),
            most,
        }
    }

    /// The handles of a set; those of the set that stands for it when there are too many, of which
    /// `fewer` makes few.
    pub(super) fn get(
        &self,
        key: K,
        fewer: impl FnOnce(&K) -> K,
        make: impl FnOnce(&K) -> V,
    ) -> Arc<V> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = seen.get(&key) {
            return Arc::clone(value);
        }
        drop(seen);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let key = if seen.len() < self.most {
            key
        } else {
            fewer(&key)
        };
        let value = seen
            .entry(key)
            .or_insert_with_key(|key| Arc::new(make(key)));
        Arc::clone(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_bounded() {
        let values = LabelValues::new(3);
        for name in ["a", "b", "c"] {
            assert_eq!(&*values.bounded(name), name);
        }
        assert_eq!(&*values.bounded("one more"), OTHER);
        assert_eq!(&*values.bounded("a"), "a");
        assert_eq!(values.seen.read().expect("not poisoned").len(), 4);
    }

    #[test]
    fn sets_of_them_are_bounded() {
        let kept = Kept::new(10);
        for number in 0..1_000 {
            let set = kept.get((number, "x"), |(_, word)| (-1, word), |(number, _)| *number);
            assert_eq!(*set, if number < 10 { number } else { -1 });
        }
        assert_eq!(*kept.get((3, "x"), |_| (-1, "x"), |_| 0), 3);
        assert_eq!(kept.seen.read().expect("not poisoned").len(), 11);
    }
}
