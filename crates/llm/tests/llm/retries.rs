//! Deadlines and retries, on a clock that stands still until everybody waits.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use llm::{ChatResponse, LlmError, LlmProvider, Resilient, RetryPolicy, Stage};
use tokio::time::Instant;

use crate::{
    fixture::{drain, request},
    scripted::{Act, Scripted, interrupted, limited, rejected},
};

/// Runs a call: its result, what the provider was asked, how long it took.
async fn complete(
    acts: Vec<Act>,
) -> (
    Result<ChatResponse, LlmError>,
    Vec<(u32, Option<&'static str>)>,
    Duration,
) {
    let scripted = Scripted::new(acts);
    let inner: Arc<dyn LlmProvider> = Arc::clone(&scripted) as _;
    let resilient = Resilient::new(inner, RetryPolicy::default());
    let begun = Instant::now();
    let result = resilient.complete(&request()).await;
    let requests = scripted.requests();
    assert!(
        requests
            .iter()
            .all(|asked| asked.context.deadline.is_some())
    );
    (result, scripted.asked(), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_retry_says_why_and_waits_at_least_what_was_asked() {
    let acts = vec![
        Act::Fail(limited(Some(3))),
        Act::Fail(interrupted()),
        Act::Answer,
    ];
    let (result, asked, took) = complete(acts).await;
    assert!(result.is_ok());
    let expected = [
        (1, None),
        (2, Some("rate_limited")),
        (3, Some("interrupted")),
    ];
    assert_eq!(asked, expected);
    assert!(took >= Duration::from_secs(3), "{took:?}");
    assert!(took <= Duration::from_secs(4), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn three_attempts_are_the_most() {
    let fail = || Act::Fail(limited(None));
    let (result, asked, took) = complete(vec![fail(), fail(), fail(), Act::Answer]).await;
    assert_eq!(result, Err(limited(None)));
    assert_eq!(asked.len(), 3);
    assert!(took <= Duration::from_millis(750), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_is_not_sent_again() {
    let (result, asked, took) = complete(vec![Act::Fail(rejected()), Act::Answer]).await;
    assert_eq!(result, Err(rejected()));
    assert_eq!(asked.len(), 1);
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_above_the_cap_is_handed_to_the_caller_at_once() {
    let (result, asked, took) = complete(vec![Act::Fail(limited(Some(11))), Act::Answer]).await;
    assert_eq!(result, Err(limited(Some(11))));
    assert_eq!(asked.len(), 1);
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn no_wait_goes_past_the_deadline() {
    let scripted = Scripted::new(vec![Act::Fail(limited(Some(5))), Act::Answer]);
    let policy = RetryPolicy {
        total: Duration::from_secs(4),
        ..RetryPolicy::default()
    };
    let resilient = Resilient::new(scripted, policy);
    let begun = Instant::now();
    let result = resilient.complete(&request()).await;
    assert_eq!(result, Err(limited(Some(5))));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_is_cut_off_at_the_deadline() {
    let (result, asked, took) = complete(vec![Act::Hang]).await;
    assert_eq!(result, Err(LlmError::Timeout(Stage::Total)));
    assert_eq!(asked.len(), 1);
    let limit = RetryPolicy::default().total;
    assert!(
        took >= limit && took < limit + Duration::from_secs(1),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_retried_before_its_first_text_only() {
    let before = vec![Act::FailAfter(0, interrupted()), Act::Answer];
    let scripted = Scripted::new(before);
    let resilient = Resilient::new(Arc::clone(&scripted) as _, RetryPolicy::default());
    let stream = resilient.stream(&request()).await.expect("a stream");
    let (events, error) = drain(stream).await;
    assert_eq!(error, None);
    assert_eq!(events.len(), 3, "{events:?}");
    assert_eq!(scripted.asked().len(), 2);

    let after = vec![Act::FailAfter(1, interrupted()), Act::Answer];
    let scripted = Scripted::new(after);
    let resilient = Resilient::new(Arc::clone(&scripted) as _, RetryPolicy::default());
    let stream = resilient.stream(&request()).await.expect("a stream");
    let (events, error) = drain(stream).await;
    assert_eq!(error, Some(interrupted()));
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(scripted.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn health_follows_the_last_call_and_ignores_the_callers_mistakes() {
    let acts = vec![
        Act::Fail(LlmError::Timeout(Stage::Total)),
        Act::Fail(rejected()),
        Act::Answer,
        Act::FailAfter(1, interrupted()),
    ];
    let resilient = Resilient::new(Scripted::new(acts), RetryPolicy::default());
    let health = resilient.health();
    assert!(health.load(Ordering::Relaxed));
    for expected in [false, false, true] {
        drop(resilient.complete(&request()).await);
        assert_eq!(health.load(Ordering::Relaxed), expected);
    }
    let stream = resilient.stream(&request()).await.expect("a stream");
    drain(stream).await;
    assert!(!health.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_deadline_of_the_caller_is_kept() {
    let scripted = Scripted::new(vec![Act::Hang]);
    let resilient = Resilient::new(Arc::clone(&scripted) as _, RetryPolicy::default());
    let mut request = request();
    let (begun, patience) = (Instant::now(), Duration::from_secs(3));
    request.context.deadline = Some(begun + patience);
    let result = resilient.complete(&request).await;
    assert_eq!(result, Err(LlmError::Timeout(Stage::Total)));
    assert!(begun.elapsed() < patience + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_budget_stops_a_storm_of_retries() {
    let acts = (0..300).map(|_| Act::Fail(interrupted())).collect();
    let scripted = Scripted::new(acts);
    let resilient = Resilient::new(Arc::clone(&scripted) as _, RetryPolicy::default());
    let begun = Instant::now();
    let calls = (0..100).map(|_| async { resilient.complete(&request()).await });
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(result, Err(interrupted()));
    }
    // A fifth of the calls, and ten, and one for each second that it took.
    let budget = 20 + 10 + begun.elapsed().as_secs();
    let asked = u64::try_from(scripted.asked().len()).expect("a count");
    assert!((125..=100 + budget).contains(&asked), "{asked}");
}
