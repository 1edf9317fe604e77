//! Buckets on a clock that is turned by hand.

use std::time::Duration;

use tokio::time::advance;

use super::{Dimension, MAX_CALLERS, RateLimiter, RateLimits};
use crate::{credentials::Caller, dialect::Dialect};

fn limiter(text: &str) -> RateLimiter {
    RateLimiter::new(text.parse().unwrap())
}

fn caller(number: usize) -> Caller {
    Caller::of(&number.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_bucket_empties_and_fills_up_steadily() {
    let limiter = limiter("requests=3");
    let take = || limiter.take(Dialect::OpenAi, caller(1), 10);
    for remaining in [2, 1, 0] {
        let state = take().unwrap().unwrap();
        let requests = state.requests.unwrap();
        assert_eq!((requests.limit, requests.remaining), (3, remaining));
        assert_eq!(requests.reset, Duration::from_secs(20 * (3 - remaining)));
        assert_eq!(state.input_tokens, None);
    }
    let exceeded = take().unwrap_err();
    assert_eq!(exceeded.dimension, Dimension::Requests);
    assert_eq!(exceeded.retry_after, Duration::from_secs(20));
    // Who was refused has used nothing; another key has buckets of its own.
    assert_eq!(take().unwrap_err().retry_after, Duration::from_secs(20));
    assert!(limiter.take(Dialect::OpenAi, caller(2), 10).is_ok());
    assert!(limiter.take(Dialect::Anthropic, caller(1), 10).is_ok());
    advance(Duration::from_millis(19_999)).await;
    assert!(take().is_err());
    advance(Duration::from_millis(1)).await;
    assert_eq!(take().unwrap().unwrap().requests.unwrap().remaining, 0);
    advance(Duration::from_mins(5)).await;
    assert_eq!(take().unwrap().unwrap().requests.unwrap().remaining, 2);
}

#[tokio::test(start_paused = true)]
async fn prompts_are_taken_before_and_answers_after_a_call() {
    let limiter = limiter("input_tokens=100,output_tokens=60");
    let take = |tokens| limiter.take(Dialect::Anthropic, caller(1), tokens);
    let state = take(70).unwrap().unwrap();
    assert_eq!(state.input_tokens.unwrap().remaining, 30);
    let exceeded = take(50).unwrap_err();
    assert_eq!(exceeded.dimension, Dimension::InputTokens);
    assert_eq!(exceeded.retry_after, Duration::from_secs(12));
    limiter.settle(Dialect::Anthropic, caller(1), 90);
    let exceeded = take(1).unwrap_err();
    assert_eq!(exceeded.dimension, Dimension::OutputTokens);
    assert_eq!(exceeded.state.output_tokens.unwrap().remaining, 0);
    // 30 are owed and one is needed, at one per second.
    assert_eq!(exceeded.retry_after, Duration::from_secs(31));
    advance(exceeded.retry_after).await;
    assert!(take(1).is_ok());
    // What the bucket never holds is refused again and again, without an end.
    assert_eq!(
        take(1_000_000).unwrap_err().retry_after,
        Duration::from_mins(1)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_limited_unless_asked_for() {
    let limiter = RateLimiter::new(RateLimits::default());
    assert_eq!(limiter.take(Dialect::OpenAi, caller(1), u64::MAX), Ok(None));
    limiter.set("requests=1".parse().unwrap());
    for _ in 0..3 {
        assert_eq!(limiter.take(Dialect::Ollama, caller(1), 1), Ok(None));
    }
    assert!(limiter.take(Dialect::OpenAi, caller(1), 1).is_ok());
    assert!(limiter.take(Dialect::OpenAi, caller(1), 1).is_err());
    limiter.reset();
    assert_eq!(limiter.limits(), RateLimits::default());
    assert_eq!(limiter.take(Dialect::OpenAi, caller(1), 1), Ok(None));
}

#[tokio::test(start_paused = true)]
async fn callers_are_bounded_and_leave_once_their_buckets_are_full() {
    let limiter = limiter("requests=1");
    for number in 0..MAX_CALLERS {
        assert!(limiter.take(Dialect::OpenAi, caller(number), 1).is_ok());
    }
    assert!(
        limiter
            .take(Dialect::OpenAi, caller(MAX_CALLERS), 1)
            .is_ok()
    );
    let shared = limiter.take(Dialect::OpenAi, caller(MAX_CALLERS + 1), 1);
    assert!(shared.is_err(), "the shared bucket was empty");
    advance(Duration::from_mins(1)).await;
    assert!(
        limiter
            .take(Dialect::OpenAi, caller(MAX_CALLERS + 1), 1)
            .is_ok()
    );
    assert_eq!(limiter.usage().callers.len(), 1);
}

#[test]
fn limits_are_read_and_wrong_ones_named() {
    let limits: RateLimits = "requests=60, output_tokens=5".parse().unwrap();
    assert_eq!(limits.requests_per_minute, Some(60));
    assert_eq!(
        (
            limits.input_tokens_per_minute,
            limits.output_tokens_per_minute
        ),
        (None, Some(5))
    );
    for (text, field) in [
        ("60", "60"),
        ("calls=60", "calls"),
        ("requests=many", "requests"),
        ("requests=-1", "requests"),
        ("requests=0", "requestsPerMinute"),
        ("input_tokens=1000000001", "inputTokensPerMinute"),
    ] {
        assert_eq!(
            text.parse::<RateLimits>().unwrap_err().field,
            field,
            "{text}"
        );
    }
}
