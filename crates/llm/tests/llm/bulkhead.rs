//! The bound on the calls at a provider, on a clock that stands still until everybody waits.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use llm::{Bulkhead, BulkheadLimits, LlmError, LlmProvider, Stage};
use tokio::time::Instant;

use crate::{
    fixture::{drain, request},
    scripted::{Act, Scripted, interrupted},
};

const LIMITS: BulkheadLimits = BulkheadLimits {
    places: 2,
    waiting: 3,
    patience: Duration::from_secs(2),
};

fn bulkhead(acts: Vec<Act>) -> (Bulkhead, Arc<Scripted>) {
    let scripted = Scripted::new(acts);
    let bulkhead = Bulkhead::new(Arc::clone(&scripted) as _, LIMITS);
    (bulkhead, scripted)
}

fn is_overloaded(error: &LlmError) -> bool {
    let retry_after = error.retry_after().is_some_and(|wait| !wait.is_zero());
    matches!(error, LlmError::Overloaded { .. }) && retry_after
}

#[tokio::test(start_paused = true)]
async fn beyond_places_and_queue_calls_are_refused_at_once_and_waiting_ones_in_time() {
    let (bulkhead, scripted) = bulkhead(vec![Act::Hang, Act::Hang]);
    let begun = Instant::now();
    let taken = [
        bulkhead.stream(&request()).await,
        bulkhead.stream(&request()).await,
    ];
    assert!(taken.iter().all(Result::is_ok));
    let call = async || {
        let error = bulkhead.complete(&request()).await.expect_err("no place");
        assert!(is_overloaded(&error), "{error:?}");
        begun.elapsed()
    };
    let waits = join_all((0..10).map(|_| call())).await;
    let at_once = waits.iter().filter(|wait| wait.is_zero()).count();
    let in_time = waits
        .iter()
        .filter(|wait| **wait == LIMITS.patience)
        .count();
    assert_eq!((at_once, in_time), (7, 3), "{waits:?}");
    assert_eq!(scripted.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_waited_is_told_how_long() {
    let (bulkhead, scripted) = bulkhead(vec![Act::Hang, Act::Hang, Act::Answer]);
    let taken = [
        bulkhead.stream(&request()).await,
        bulkhead.stream(&request()).await,
    ];
    let wait = Duration::from_millis(700);
    let (request, leaving) = (request(), async {
        tokio::time::advance(wait).await;
        drop(taken);
    });
    let (answer, ()) = tokio::join!(bulkhead.complete(&request), leaving);
    answer.expect("an answer");
    let queued: Vec<_> = scripted
        .requests()
        .iter()
        .map(|asked| asked.context.queued)
        .collect();
    assert_eq!(queued, [Duration::ZERO, Duration::ZERO, wait]);
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_call_gives_its_place_back() {
    let acts = || {
        [
            Act::Answer,
            Act::Fail(interrupted()),
            Act::FailAfter(2, interrupted()),
        ]
    };
    let (bulkhead, _) = bulkhead((0..20).flat_map(|_| acts()).collect());
    let mut kept = Vec::new();
    for _ in 0..20 {
        bulkhead.complete(&request()).await.expect("an answer");
        bulkhead.stream(&request()).await.err().expect("a failure");
        let stream = bulkhead.stream(&request()).await.expect("a stream");
        kept.push(drain(stream).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_than_its_deadline() {
    let (bulkhead, _) = bulkhead(vec![Act::Hang, Act::Hang]);
    let taken = [
        bulkhead.stream(&request()).await,
        bulkhead.stream(&request()).await,
    ];
    let mut hurried = request();
    let (begun, time) = (Instant::now(), Duration::from_millis(500));
    hurried.context.deadline = Some(begun + time);
    let error = bulkhead.complete(&hurried).await.expect_err("no place");
    assert_eq!(error, LlmError::Timeout(Stage::Total));
    assert_eq!(begun.elapsed(), time);
    drop(taken);
}
