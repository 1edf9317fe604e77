//! When the circuit opens and closes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::time::{sleep_until, timeout};

use super::*;

const LATE: StorageError = StorageError::Timeout { write: false };
const FAULT: Result<(), StorageError> = Err(LATE);

/// Whether calls with these ends were let through.
async fn calls(circuit: &Circuit, ends: &[Result<(), StorageError>]) -> Vec<bool> {
    let mut passed = Vec::new();
    for end in ends {
        let result = circuit.guard(Effort::Fixed, async { end.clone() }).await;
        passed.push(result != Err(StorageError::CircuitOpen));
    }
    passed
}

fn is_open(circuit: &Circuit) -> bool {
    circuit.check().is_err()
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
    // A refusal is an answer, and a place that was not got is no fault.
    calls(&circuit, &[Err(StorageError::NotFound)]).await;
    calls(&circuit, &[FAULT, unavailable(), FAULT]).await;
    calls(&circuit, &[Err(StorageError::Overloaded), FAULT]).await;
    assert!(!is_open(&circuit));
    let unknown = Err(StorageError::OutcomeUnknown("gone".into()));
    assert_eq!(calls(&circuit, &[unknown, Ok(())]).await, [true, false]);
}

/// So many searches that take too long, while the circuit is watched.
async fn slow_searches(circuit: &Circuit, store: &Probed, count: u32) {
    for _ in 0..count {
        let end = circuit.guard(Effort::Grows, async { FAULT }).await;
        assert!(end == FAULT || end == Err(StorageError::CircuitOpen));
        store.watched(circuit, 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn slow_searches_open_it_only_when_a_probe_fails_too() {
    let (circuit, store) = (Circuit::new("x"), Probed::default());
    store.answers.store(true, Ordering::SeqCst);
    slow_searches(&circuit, &store, 12).await;
    assert!(!is_open(&circuit));
    assert_eq!(store.probes.load(Ordering::SeqCst), 2, "one for each five");
    store.answers.store(false, Ordering::SeqCst);
    slow_searches(&circuit, &store, 2).await;
    assert!(!is_open(&circuit));
    slow_searches(&circuit, &store, 1).await;
    assert!(is_open(&circuit));
    // A connection that is lost is one, whatever it was for.
    let circuit = Circuit::new("x");
    for _ in 0..5 {
        let lost = async { Err::<(), _>(StorageError::Unavailable("gone".into())) };
        assert!(circuit.guard(Effort::Grows, lost).await.is_err());
    }
    assert!(is_open(&circuit));
}

#[tokio::test(start_paused = true)]
async fn a_store_whose_few_places_are_all_held_is_probed() {
    let (circuit, store) = (Circuit::new("x"), Probed::default());
    calls(&circuit, &[FAULT; 3]).await;
    let no_place = || Err(StorageError::Overloaded);
    calls(&circuit, &[no_place(), no_place()]).await;
    assert!(!is_open(&circuit));
    store.watched(&circuit, 10).await;
    assert!(is_open(&circuit));
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_say_nothing() {
    let circuit = Circuit::new("x");
    for _ in 0..100 {
        let left = timeout(
            Duration::from_millis(1),
            circuit.guard(
                Effort::Fixed,
                std::future::pending::<Result<(), StorageError>>(),
            ),
        );
        assert!(left.await.is_err());
    }
    assert!(!is_open(&circuit));
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
        assert!(is_open(&circuit));
        store.answers.store(true, Ordering::SeqCst);
        sleep_until(began + Duration::from_millis(2_600)).await;
        assert!(!is_open(&circuit), "half a second after it was back");
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
        assert!(!is_open(&circuit));
    };
    calls(&circuit, &[FAULT; 5]).await;
    reopen().await;
    calls(&circuit, &[FAULT]).await;
    assert!(is_open(&circuit));
    reopen().await;
    calls(&circuit, &[Ok(()), FAULT, FAULT]).await;
    assert!(!is_open(&circuit));
}

#[tokio::test(start_paused = true)]
async fn what_began_before_says_nothing_after() {
    let (circuit, store) = (Circuit::new("x"), Probed::default());
    store.answers.store(true, Ordering::SeqCst);
    let late = circuit.guard(Effort::Fixed, async {
        sleep_until(Instant::now() + Duration::from_secs(1)).await;
        Err::<(), _>(LATE)
    });
    let meanwhile = async {
        calls(&circuit, &[FAULT; 5]).await;
        store.watched(&circuit, 600).await;
    };
    let (late, ()) = tokio::join!(late, meanwhile);
    assert_eq!(late, Err(LATE));
    assert!(!is_open(&circuit));
}
