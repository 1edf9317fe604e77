//! A box of the map of requests: what is in it, and what is more frequent there than elsewhere.

use std::collections::BTreeMap;
use std::ops::Range;

use load_analysis::distribution::Distribution;
use load_analysis::series::SeriesTags;

/// What requests are told apart by, and the tag that says so.
const ATTRIBUTES: [(&str, &str); 5] = [
    ("endpoint", "name"),
    ("status", "status"),
    ("provider", "provider"),
    ("scenario", "scenario"),
    ("journey", "journey"),
];

/// When requests ended and how long they took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selection {
    /// Seconds of the run.
    pub(crate) seconds: Range<u32>,
    pub(crate) milliseconds: Range<f64>,
}

impl Selection {
    /// The same, with no second beyond a window.
    pub(super) fn within(self, window: &Range<u32>) -> Self {
        let Range { start, end } = self.seconds;
        let seconds = start.clamp(window.start, window.end)..end.clamp(window.start, window.end);
        Self { seconds, ..self }
    }
}

/// Requests inside of a selection, and the others of the window.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) selection: Selection,
    pub(crate) inside: u64,
    pub(crate) outside: u64,
    /// Both counts by attribute and value. Tag sets of a run are bounded, and so are these.
    pub(crate) values: BTreeMap<(&'static str, String), (u64, u64)>,
}

impl Selected {
    pub(super) const fn new(selection: Selection) -> Self {
        Self {
            selection,
            inside: 0,
            outside: 0,
            values: BTreeMap::new(),
        }
    }

    /// Adds durations of requests with these tags in a second of the window.
    pub(super) fn add(&mut self, second: u32, tags: &SeriesTags, durations: &Distribution) {
        let mut inside = 0;
        if self.selection.seconds.contains(&second) {
            let within = &self.selection.milliseconds;
            durations.each(|milliseconds, times| {
                inside += if within.contains(&milliseconds) {
                    times
                } else {
                    0
                };
            });
        }
        let outside = durations.count() - inside;
        self.inside += inside;
        self.outside += outside;
        for (attribute, tag) in ATTRIBUTES {
            let value = tags.get(tag);
            if !value.is_empty() {
                let key = (attribute, value.to_owned());
                let counts = self.values.entry(key).or_default();
                counts.0 += inside;
                counts.1 += outside;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_is_what_ended_and_took_as_selected() {
        let mut selected = Selected::new(Selection {
            seconds: 3..5,
            milliseconds: 10.0..20.0,
        });
        let tags = SeriesTags {
            name: "GET /".to_owned(),
            ..SeriesTags::default()
        };
        let mut durations = Distribution::default();
        for milliseconds in [9.0, 10.0, 19.0, 20.0] {
            durations.record(milliseconds);
        }
        for second in [2, 3, 4, 5] {
            selected.add(second, &tags, &durations);
        }
        assert_eq!((selected.inside, selected.outside), (4, 12));
        let counts: Vec<_> = selected.values.into_iter().collect();
        assert_eq!(counts, [(("endpoint", "GET /".to_owned()), (4, 12))]);
    }
}
