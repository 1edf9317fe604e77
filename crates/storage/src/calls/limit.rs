//! How many calls a store has at once, found by how they end.
//!
//! A store that has more to do than it can works on all of it at once, and answers none of it in
//! time: the work is lost, and the load that caused this keeps it so. So a call that outlasts its
//! time takes its place with it, and answers that come in time bring places back.

use std::sync::{Mutex, PoisonError};

use super::circuit::FAULTS;

/// Fewest places: what a store on a small machine carries at once, and more calls than open its
/// circuit. With fewer, calls that a store never answers would hold all places before enough of
/// them had failed.
const FEWEST: u32 = 6;
const _: () = assert!(FEWEST > FAULTS, "places for calls that open the circuit");

/// Answers in time that bring one place back: with one late call among so many the store has
/// enough to do.
const ANSWERS_FOR_A_PLACE: u32 = 16;

/// The number of places; whoever gives one back asks what becomes of it.
pub(super) struct Limit {
    most: u32,
    state: Mutex<State>,
}

struct State {
    places: u32,
    answers: u32,
}

/// What becomes of the places when one is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is taken away.
    Less,
    /// The next call has it.
    Same,
    /// There is one more.
    More,
}

impl Limit {
    pub(super) fn new(most: u32) -> Self {
        let state = State {
            places: most,
            answers: 0,
        };
        Self {
            most,
            state: Mutex::new(state),
        }
    }

    /// Notes the end of a call.
    pub(super) fn note(&self, in_time: bool) -> Change {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !in_time {
            state.answers = 0;
            if state.places <= FEWEST {
                return Change::Same;
            }
            state.places -= 1;
            return Change::Less;
        }
        if state.places == self.most {
            return Change::Same;
        }
        state.answers += 1;
        if state.answers < ANSWERS_FOR_A_PLACE {
            return Change::Same;
        }
        state.answers = 0;
        state.places += 1;
        Change::More
    }
}
