//! Writes that were acknowledged and are not there, and the other way round.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{CHANGED, Record, State, Write, title};

/// The store held against the ledger. Writes of unknown outcome may be there or not, once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Losses {
    /// Writes that were asked for.
    pub(crate) asked: usize,
    /// Writes that were acknowledged.
    pub(crate) acknowledged: usize,
    /// Writes that were refused.
    pub(crate) refused: usize,
    /// Writes of which nobody was told.
    pub(crate) unknown: usize,
    /// Acknowledged writes that are not there.
    pub(crate) lost: usize,
    /// Writes that are there and were refused, or that nobody asked for.
    pub(crate) phantom: usize,
    /// Writes that are there more than once.
    pub(crate) duplicate: usize,
}

impl Losses {
    pub(super) fn of(records: &[Record], stored: &[Value]) -> Self {
        let states = last_states(records);
        let count = |state: State| states.values().filter(|(_, it)| *it == state).count();
        let mut losses = Self {
            asked: states.len(),
            acknowledged: count(State::Acknowledged),
            refused: count(State::Refused),
            // A line that was never followed by another one says as much.
            unknown: count(State::Unknown) + count(State::Asked),
            ..Self::default()
        };
        losses.add_creates(&states, stored);
        losses.add_changes(&states, stored);
        losses
    }

    /// Whether nothing is lost, made up or doubled.
    pub(crate) const fn is_none(&self) -> bool {
        self.lost == 0 && self.phantom == 0 && self.duplicate == 0
    }

    fn add_creates(&mut self, states: &States, stored: &[Value]) {
        let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
        for book in stored {
            let title = book["title"].as_str().unwrap_or_default();
            if title.starts_with("ledger-") && title != CHANGED {
                *copies.entry(title).or_default() += 1;
            }
        }
        for (number, (write, state)) in states {
            if *write != Write::Create {
                continue;
            }
            match (copies.remove(title(*number).as_str()), state) {
                (None, State::Acknowledged) => self.lost += 1,
                (Some(_), State::Refused) => self.phantom += 1,
                (Some(2..), _) => self.duplicate += 1,
                (Some(_) | None, _) => {}
            }
        }
        self.phantom += copies.len();
    }

    /// The changed book has the last acknowledged number, or a later one of unknown outcome.
    fn add_changes(&mut self, states: &States, stored: &[Value]) {
        let changes = || {
            states
                .iter()
                .filter(|(_, (write, _))| *write == Write::Change)
        };
        let acknowledged = changes().filter(|(_, (_, state))| *state == State::Acknowledged);
        let last = acknowledged.map(|(number, _)| *number).max().unwrap_or(0);
        let book = stored.iter().find(|book| book["title"] == CHANGED);
        let Some(present) = book.and_then(|book| book["stockQuantity"].as_u64()) else {
            self.lost += 1;
            return;
        };
        if present < last {
            self.lost += 1;
        }
        let state = changes().find(|(number, _)| **number == present);
        let refused = state.is_some_and(|(_, (_, state))| *state == State::Refused);
        let unasked = state.is_none() && present != 0;
        self.phantom += usize::from(refused || unasked);
    }
}

type States = BTreeMap<u64, (Write, State)>;

/// The last line of each write.
fn last_states(records: &[Record]) -> States {
    let states = records.iter();
    let states = states.map(|record| (record.number, (record.write, record.state)));
    states.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use State::{Acknowledged, Asked, Refused, Unknown};

    fn record(number: u64, write: Write, state: State) -> Record {
        Record {
            number,
            write,
            state,
        }
    }

    fn losses(records: &[(u64, Write, State)], titles: &[&str], changed: u64) -> Losses {
        let records: Vec<Record> = records
            .iter()
            .map(|(number, write, state)| record(*number, *write, *state))
            .collect();
        let mut stored: Vec<Value> = titles.iter().map(|title| json!({"title": title})).collect();
        stored.push(json!({"title": CHANGED, "stockQuantity": changed}));
        Losses::of(&records, &stored)
    }

    #[test]
    fn every_way_to_go_wrong_is_counted_once() {
        use Write::Create;
        let records = [
            (1, Create, Acknowledged),
            (2, Create, Acknowledged),
            (3, Create, Refused),
            (4, Create, Unknown),
            (5, Create, Asked),
            (6, Create, Unknown),
        ];
        let found = losses(
            &records,
            &["ledger-1", "ledger-3", "ledger-4", "ledger-4", "ledger-9"],
            0,
        );
        assert_eq!((found.lost, found.phantom, found.duplicate), (1, 2, 1));
        assert_eq!((found.asked, found.unknown), (6, 3));
        let found = losses(&records, &["ledger-1", "ledger-2", "ledger-6"], 0);
        assert!(found.is_none(), "{found:?}");
    }

    #[test]
    fn a_change_that_was_acknowledged_is_never_undone() {
        use Write::Change;
        let records = [
            (1, Change, Acknowledged),
            (2, Change, Unknown),
            (3, Change, Acknowledged),
            (4, Change, Refused),
            (5, Change, Unknown),
        ];
        for (present, lost, phantom) in [
            (3, 0, 0),
            (5, 0, 0),
            (2, 1, 0),
            (0, 1, 0),
            (4, 0, 1),
            (7, 0, 1),
        ] {
            let found = losses(&records, &[], present);
            assert_eq!((found.lost, found.phantom), (lost, phantom), "{present}");
        }
    }
}
