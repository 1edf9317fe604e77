//! A store that is left alone while it does not answer.
//!
//! The circuit opens after some calls in a row without an answer. From then on calls are refused at
//! once, and one probe after the other asks the store whether it is back, so that no caller waits
//! for that. Some failures only raise a doubt, since a store that answers may cause them as well: a
//! search that takes too long, a call that got no place. Of them a probe is the judge.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use instrumentation::catalogue::BOOKSTORE_STORE_CIRCUIT_STATE;
use metrics::Gauge;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::StorageError;

/// Calls in a row without an answer that open a circuit: one or two may be bad luck, and callers
/// of a busy service have made five within a moment.
pub(super) const FAULTS: u32 = 5;

/// From a probe that failed to the next one: how long a store that is back may stay unused.
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// What a call costs a store that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// As much at any time.
    Fixed,
    /// The more, the more is stored: one that takes too long says nothing of others.
    Grows,
}

/// The circuit of one store; cheap to clone.
#[derive(Clone)]
pub(crate) struct Circuit(Arc<Inner>);

struct Inner {
    system: &'static str,
    state: Mutex<State>,
    /// Told when it opens, and when a probe is to say whether it must.
    asked: Notify,
    shown: Gauge,
}

struct State {
    open: bool,
    /// Calls in a row without an answer.
    in_a_row: u32,
    /// Those among them and between them that say little by themselves.
    doubts: u32,
    /// Counts openings and closings: a call from before says nothing any more.
    era: u64,
}

impl Circuit {
    /// A closed one before the store `system`.
    pub(crate) fn new(system: &'static str) -> Self {
        let shown = BOOKSTORE_STORE_CIRCUIT_STATE.gauge(&[("db.system.name", system)]);
        shown.set(0.0);
        let state = State {
            open: false,
            in_a_row: 0,
            doubts: 0,
            era: 0,
        };
        Self(Arc::new(Inner {
            system,
            state: Mutex::new(state),
            asked: Notify::new(),
            shown,
        }))
    }

    /// Makes the call and takes note of how it ends, unless the store is known to be away. One
    /// whose caller leaves says nothing. The `effort` is what the call costs the store.
    ///
    /// # Errors
    /// [`StorageError::CircuitOpen`], or the call's own.
    pub(super) async fn guard<T>(
        &self,
        effort: Effort,
        call: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let era = self.lock().passed()?;
        let result = call.await;
        match &result {
            Err(StorageError::Timeout { .. }) if effort == Effort::Grows => self.note_doubt(era),
            Err(failure) if failure.is_without_answer() => self.note_fault(era),
            // It waited for a place only: the store was not asked.
            Err(StorageError::Overloaded) => self.note_doubt(era),
            Ok(_) | Err(_) => self.note_answer(era),
        }
        result
    }

    /// Whether calls pass.
    ///
    /// # Errors
    /// [`StorageError::CircuitOpen`]
    pub(super) fn check(&self) -> Result<(), StorageError> {
        self.lock().passed().map(drop)
    }

    /// Whenever the circuit is open, probes the store until it answers; opens it when a probe says
    /// so. Never ends.
    #[expect(clippy::infinite_loop, reason = "ends with its task")]
    pub(crate) async fn watch<F>(&self, probe: impl Fn() -> F)
    where
        F: Future<Output = Result<(), StorageError>>,
    {
        loop {
            self.0.asked.notified().await;
            if self.check().is_ok() {
                // A doubt only; whoever answers meanwhile does not end it.
                let era = self.lock().era;
                match probe().await {
                    Ok(()) => self.note_answer(era),
                    Err(_) => self.open(era),
                }
                continue;
            }
            let mut pause = interval_at(Instant::now() + PROBE_PAUSE, PROBE_PAUSE);
            pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                pause.tick().await;
                if probe().await.is_ok() {
                    break;
                }
            }
            self.close();
        }
    }

    fn note_answer(&self, era: u64) {
        let mut state = self.lock();
        if state.era == era {
            state.in_a_row = 0;
            state.doubts = 0;
        }
    }

    /// Has the store probed after some of these: one at a time, since more are only noted.
    fn note_doubt(&self, era: u64) {
        let mut state = self.lock();
        if state.era != era {
            return;
        }
        state.doubts += 1;
        if state.in_a_row + state.doubts >= FAULTS {
            self.0.asked.notify_one();
        }
    }

    fn note_fault(&self, era: u64) {
        let mut state = self.lock();
        if state.era != era {
            return;
        }
        state.in_a_row += 1;
        let (faults, doubts) = (state.in_a_row, state.doubts);
        drop(state);
        if faults >= FAULTS {
            self.open(era);
        } else if doubts > 0 && faults + doubts >= FAULTS {
            self.0.asked.notify_one();
        }
    }

    fn open(&self, era: u64) {
        let mut state = self.lock();
        if state.era != era {
            return;
        }
        state.open = true;
        state.era += 1;
        self.0.shown.set(1.0);
        drop(state);
        let system = self.0.system;
        tracing::warn!(system, "the store does not answer: it is left alone");
        self.0.asked.notify_one();
    }

    /// Lets calls pass again. A probe asks for less than a call does, so the first fault after it
    /// opens the circuit again.
    fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.in_a_row = FAULTS - 1;
        state.doubts = 0;
        state.era += 1;
        self.0.shown.set(0.0);
        drop(state);
        let system = self.0.system;
        tracing::info!(system, "the store answers again");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The era of a call that passes.
    const fn passed(&self) -> Result<u64, StorageError> {
        if self.open {
            return Err(StorageError::CircuitOpen);
        }
        Ok(self.era)
    }
}

#[cfg(test)]
mod tests;
