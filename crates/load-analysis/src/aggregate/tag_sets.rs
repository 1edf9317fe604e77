//! The tag sets of a run, each made once and known by its position.

use std::collections::HashMap;
use std::sync::Arc;

use super::{MAX_TAG_LENGTH, MAX_TAG_SETS};
use crate::sample::Tags;
use crate::series::{SeriesTags, WantedTags};

/// The position of the set that takes what comes after the bound.
pub(super) const OTHER: usize = 0;

/// Stands between the values of a look-up key; k6 escapes control characters in its lines, and
/// a tag that holds this one only shares a set.
const SEPARATOR: char = '\u{1f}';

#[derive(Debug)]
pub(super) struct TagSets {
    positions: HashMap<String, usize>,
    sets: Vec<Arc<SeriesTags>>,
    /// The key of the last sample and its position: the samples of a request come in a row and
    /// share their tags.
    last: (String, usize),
    key: String,
    wanted: WantedTags,
}

impl Default for TagSets {
    fn default() -> Self {
        Self {
            positions: HashMap::new(),
            sets: vec![Arc::new(SeriesTags::other())],
            last: (String::new(), OTHER),
            key: String::new(),
            wanted: WantedTags::new(),
        }
    }
}

impl TagSets {
    /// Keeps these values of other tags apart as well, from the next sample on.
    pub(super) fn want(&mut self, wanted: WantedTags) {
        self.wanted = wanted;
    }

    /// How many sets are kept apart; `other` does not count.
    pub(super) const fn len(&self) -> usize {
        self.sets.len() - 1
    }

    pub(super) fn tags(&self, position: usize) -> Arc<SeriesTags> {
        Arc::clone(self.sets.get(position).unwrap_or(&self.sets[OTHER]))
    }

    /// The position of the set that a sample belongs to.
    pub(super) fn index(&mut self, tags: &Tags<'_>) -> usize {
        let values = pick(tags);
        self.key.clear();
        for value in values {
            self.key.push_str(value);
            self.key.push(SEPARATOR);
        }
        for (_, value) in own(&self.wanted, tags) {
            self.key.push_str(value.unwrap_or_default());
            self.key.push(SEPARATOR);
        }
        if self.key != self.last.0 {
            let position = match self.positions.get(&self.key) {
                Some(position) => *position,
                None => self.insert(values, tags),
            };
            self.last.0.clone_from(&self.key);
            self.last.1 = position;
        }
        self.last.1
    }

    fn insert(&mut self, values: [&str; 9], tags: &Tags<'_>) -> usize {
        let too_long = values.iter().any(|value| value.len() > MAX_TAG_LENGTH);
        if too_long || self.len() >= MAX_TAG_SETS {
            return OTHER;
        }
        let [
            scenario,
            name,
            method,
            status,
            expected_response,
            route_class,
            journey,
            provider,
            error_code,
        ] = values.map(str::to_owned);
        self.sets.push(Arc::new(SeriesTags {
            scenario,
            name,
            method,
            status,
            expected_response,
            route_class,
            journey,
            provider,
            error_code,
            own: own(&self.wanted, tags)
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect(),
            other: false,
        }));
        let position = self.sets.len() - 1;
        self.positions.insert(self.key.clone(), position);
        position
    }
}

/// The wanted tags of a sample, each with its value if that is wanted.
fn own<'t>(
    wanted: &'t WantedTags,
    tags: &'t Tags<'_>,
) -> impl Iterator<Item = (&'t str, Option<&'t str>)> {
    wanted.iter().map(|(name, values)| {
        let value = tags.get(name).filter(|value| values.contains(*value));
        (name.as_str(), value)
    })
}

/// The values of the tags that keep series apart, in the order of [`SeriesTags`].
fn pick<'t>(tags: &'t Tags<'_>) -> [&'t str; 9] {
    let mut values = [""; 9];
    for (name, value) in &tags.0 {
        let position = match name.as_ref() {
            "scenario" => 0,
            "name" => 1,
            "method" => 2,
            "status" => 3,
            "expected_response" => 4,
            "route_class" => 5,
            "journey" => 6,
            "provider" => 7,
            "error_code" => 8,
            _ => continue,
        };
        values[position] = value;
    }
    values
}
