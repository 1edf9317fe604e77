//! A store that is left alone while it does not answer.
//!
//! The circuit opens after some calls in a row without an answer. From then on calls are refused at
//! once, and one probe after the other asks the store whether it is back, so that no caller waits
//! for that.

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
const FAULTS: u32 = 5;

/// From a probe that failed to the next one: how long a store that is back may stay unused.
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// The circuit of one store; cheap to clone.
#[derive(Clone)]
pub(crate) struct Circuit(Arc<Inner>);

struct Inner {
    system: &'static str,
    state: Mutex<State>,
    /// Told when it opens.
    opened: Notify,
    shown: Gauge,
}

struct State {
    open: bool,
    in_a_row: u32,
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
            era: 0,
        };
        Self(Arc::new(Inner {
            system,
            state: Mutex::new(state),
            opened: Notify::new(),
            shown,
        }))
    }

    /// Makes the call and takes note of how it ends, unless the store is known to be away. One
    /// whose caller leaves says nothing.
    ///
    /// # Errors
    /// [`StorageError::CircuitOpen`], or the call's own.
    pub(super) async fn guard<T>(
        &self,
        call: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let era = self.lock().passed()?;
        let result = call.await;
        match &result {
            Err(failure) if failure.is_without_answer() => self.note_fault(era),
            // It waited for a place only: the store was not asked.
            Err(StorageError::Overloaded) => {}
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

    /// Whenever the circuit is open, probes the store until it answers. Never ends.
    #[expect(clippy::infinite_loop, reason = "ends with its task")]
    pub(crate) async fn watch<F>(&self, probe: impl Fn() -> F)
    where
        F: Future<Output = Result<(), StorageError>>,
    {
        loop {
            self.0.opened.notified().await;
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
        }
    }

    fn note_fault(&self, era: u64) {
        let mut state = self.lock();
        if state.era != era {
            return;
        }
        state.in_a_row += 1;
        if state.in_a_row < FAULTS {
            return;
        }
        state.open = true;
        state.era += 1;
        self.0.shown.set(1.0);
        drop(state);
        let system = self.0.system;
        tracing::warn!(system, "the store does not answer: it is left alone");
        self.0.opened.notify_one();
    }

    /// Lets calls pass again. A probe asks for less than a call does, so the first fault after it
    /// opens the circuit again.
    fn close(&self) {
        let mut state = self.lock();
        state.open = false;
        state.in_a_row = FAULTS - 1;
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
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use tokio::time::{sleep_until, timeout};

    use super::*;

    const LATE: StorageError = StorageError::Timeout { write: false };
    const FAULT: Result<(), StorageError> = Err(LATE);

    /// Whether calls with these ends were let through.
    async fn calls(circuit: &Circuit, ends: &[Result<(), StorageError>]) -> Vec<bool> {
        let mut passed = Vec::new();
        for end in ends {
            let result = circuit.guard(async { end.clone() }).await;
            passed.push(result != Err(StorageError::CircuitOpen));
        }
        passed
    }

    async fn is_open(circuit: &Circuit) -> bool {
        // A call that says nothing.
        calls(circuit, &[Err(StorageError::Overloaded)]).await == [false]
    }

    /// A store, whether it answers, and how often it was probed.
    #[derive(Default)]
    struct Probed {
        answers: AtomicBool,
        probes: AtomicU32,
    }

    impl Probed {
        /// Watches the circuit for so long.
        async fn watched(&self, circuit: &Circuit, milliseconds: u64) {
            let probe = || async {
                self.probes.fetch_add(1, Ordering::SeqCst);
                let answers = self.answers.load(Ordering::SeqCst);
                answers.then_some(()).ok_or(LATE)
            };
            let time = Duration::from_millis(milliseconds);
            assert!(timeout(time, circuit.watch(probe)).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_calls_in_a_row_without_an_answer_open_it() {
        let circuit = Circuit::new("x");
        let unavailable = || Err(StorageError::Unavailable("gone".into()));
        calls(&circuit, &[FAULT, unavailable(), FAULT, FAULT]).await;
        // A refusal is an answer, and a place that was not got says nothing.
        calls(&circuit, &[Err(StorageError::NotFound)]).await;
        calls(&circuit, &[FAULT, unavailable(), FAULT]).await;
        calls(&circuit, &[Err(StorageError::Overloaded), FAULT]).await;
        assert!(!is_open(&circuit).await);
        let unknown = Err(StorageError::OutcomeUnknown("gone".into()));
        assert_eq!(calls(&circuit, &[unknown, Ok(())]).await, [true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_leave_say_nothing() {
        let circuit = Circuit::new("x");
        for _ in 0..100 {
            let left = timeout(
                Duration::from_millis(1),
                circuit.guard(std::future::pending::<Result<(), StorageError>>()),
            );
            assert!(left.await.is_err());
        }
        assert!(!is_open(&circuit).await);
    }

    #[tokio::test(start_paused = true)]
    async fn probes_come_one_after_the_other_until_one_is_answered() {
        let (circuit, store) = (Circuit::new("x"), Probed::default());
        store.watched(&circuit, 10_000).await;
        assert_eq!(store.probes.load(Ordering::SeqCst), 0, "it was closed");
        calls(&circuit, &[FAULT; 5]).await;
        let began = Instant::now();
        let watch = store.watched(&circuit, 3_200);
        let back = async {
            sleep_until(began + Duration::from_millis(2_100)).await;
            assert!(is_open(&circuit).await);
            store.answers.store(true, Ordering::SeqCst);
            sleep_until(began + Duration::from_millis(2_600)).await;
            assert!(!is_open(&circuit).await, "half a second after it was back");
        };
        tokio::join!(watch, back);
        assert_eq!(store.probes.load(Ordering::SeqCst), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_probe_one_more_fault_opens_it_and_an_answer_ends_that() {
        let (circuit, store) = (Circuit::new("x"), Probed::default());
        store.answers.store(true, Ordering::SeqCst);
        let reopen = async || {
            store.watched(&circuit, 600).await;
            assert!(!is_open(&circuit).await);
        };
        calls(&circuit, &[FAULT; 5]).await;
        reopen().await;
        calls(&circuit, &[FAULT]).await;
        assert!(is_open(&circuit).await);
        reopen().await;
        calls(&circuit, &[Ok(()), FAULT, FAULT]).await;
        assert!(!is_open(&circuit).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_began_before_says_nothing_after() {
        let (circuit, store) = (Circuit::new("x"), Probed::default());
        store.answers.store(true, Ordering::SeqCst);
        let late = circuit.guard(async {
            sleep_until(Instant::now() + Duration::from_secs(1)).await;
            Err::<(), _>(LATE)
        });
        let meanwhile = async {
            calls(&circuit, &[FAULT; 5]).await;
            store.watched(&circuit, 600).await;
        };
        let (late, ()) = tokio::join!(late, meanwhile);
        assert_eq!(late, Err(LATE));
        assert!(!is_open(&circuit).await);
    }
}
