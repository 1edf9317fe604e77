//! The circuit breaker around a provider, on a clock that stands still until everybody waits.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use llm::{ChatEvent, CircuitBreaker, CircuitPolicy, CircuitState, LlmError, LlmProvider};
use tokio::time::advance;

use crate::{
    fixture::{drain, request},
    scripted::{Act, Scripted, interrupted, limited, rejected},
};

fn breaker(acts: Vec<Act>) -> (CircuitBreaker, Arc<Scripted>) {
    let scripted = Scripted::new(acts);
    let inner: Arc<dyn LlmProvider> = Arc::clone(&scripted) as _;
    let breaker = CircuitBreaker::new(inner, CircuitPolicy::default());
    (breaker, scripted)
}

/// A breaker that five failed calls have opened.
async fn opened() -> (CircuitBreaker, Arc<Scripted>) {
    let acts = (0..5).map(|_| Act::Fail(interrupted())).collect();
    let (breaker, scripted) = breaker(acts);
    for _ in 0..5 {
        assert_eq!(state(&breaker), CircuitState::Closed);
        let result = breaker.complete(&request()).await;
        assert_eq!(result, Err(interrupted()));
    }
    assert_eq!(state(&breaker), CircuitState::Open);
    (breaker, scripted)
}

fn state(breaker: &CircuitBreaker) -> CircuitState {
    breaker.circuits().state()
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_does_not_ask() {
    let (breaker, scripted) = opened().await;
    advance(Duration::from_millis(400)).await;
    let open = LlmError::CircuitOpen {
        retry_after: Duration::from_millis(600),
    };
    assert_eq!(breaker.complete(&request()).await, Err(open.clone()));
    assert_eq!(breaker.stream(&request()).await.map(|_| ()), Err(open));
    assert_eq!(scripted.asked().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_model_has_its_own_circuit() {
    let (breaker, scripted) = opened().await;
    scripted.then(vec![Act::Answer]);
    let mut other = request();
    other.model = Some("another".to_owned());
    breaker.complete(&other).await.expect("an answer");
    other.model = Some(breaker.model().to_owned());
    let named = breaker.complete(&other).await;
    assert!(matches!(named, Err(LlmError::CircuitOpen { .. })));
}

#[tokio::test(start_paused = true)]
async fn one_probe_decides() {
    let (breaker, scripted) = opened().await;
    scripted.then(vec![
        Act::Hang,
        Act::Fail(interrupted()),
        Act::HangAfterText,
        Act::Answer,
    ]);
    advance(Duration::from_secs(1)).await;
    let mut probe = breaker.stream(&request()).await.expect("the probe");
    let start = probe.next().await;
    assert!(matches!(start, Some(Ok(ChatEvent::Started { .. }))));
    assert_eq!(state(&breaker), CircuitState::HalfOpen);
    let second = breaker.complete(&request()).await;
    assert!(matches!(second, Err(LlmError::CircuitOpen { .. })));

    // Its caller leaves: that says nothing, and the next call is the probe.
    drop(probe);
    assert_eq!(breaker.complete(&request()).await, Err(interrupted()));
    assert_eq!(state(&breaker), CircuitState::Open);
    advance(Duration::from_millis(1_999)).await;
    assert!(breaker.complete(&request()).await.is_err());
    advance(Duration::from_millis(1)).await;
    let mut probe = breaker.stream(&request()).await.expect("the probe");
    while !matches!(probe.next().await, Some(Ok(ChatEvent::Delta(_)))) {}
    // Nobody waits for the end of a long answer.
    assert_eq!(state(&breaker), CircuitState::Closed);
    breaker.complete(&request()).await.expect("an answer");
    assert_eq!(scripted.asked().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_breaks_off_after_its_text_is_a_fault_like_any_other() {
    let (breaker, scripted) = opened().await;
    scripted.then((0..5).map(|_| Act::FailAfter(1, interrupted())).collect());
    advance(Duration::from_secs(1)).await;
    for _ in 0..5 {
        assert_ne!(state(&breaker), CircuitState::Open);
        let stream = breaker.stream(&request()).await.expect("a stream");
        assert_eq!(drain(stream).await.1, Some(interrupted()));
    }
    assert_eq!(state(&breaker), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_off_count_and_abandoned_ones_do_not() {
    let acts = (0..20).map(|_| Act::HangAfterText);
    let acts = acts.chain((0..5).map(|_| Act::FailAfter(3, interrupted())));
    let (breaker, _) = breaker(acts.collect());
    for _ in 0..20 {
        let mut stream = breaker.stream(&request()).await.expect("a stream");
        stream.next().await;
    }
    for _ in 0..5 {
        assert_eq!(state(&breaker), CircuitState::Closed);
        let stream = breaker.stream(&request()).await.expect("a stream");
        assert_eq!(drain(stream).await.1, Some(interrupted()));
    }
    assert_eq!(state(&breaker), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer() {
    let refusals = [rejected(), limited(None), limited(Some(3_600))];
    let acts = (0..10).flat_map(|_| refusals.clone()).map(Act::Fail);
    let (breaker, _) = breaker(acts.collect());
    for _ in 0..30 {
        assert!(breaker.complete(&request()).await.is_err());
    }
    assert_eq!(state(&breaker), CircuitState::Closed);
}
