//! Deadlines and retries, on a clock that stands still until everybody waits.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use llm::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, LatencySplit, LlmError,
    LlmProvider, ProviderName, Resilient, RetryPolicy, Stage, Usage,
};
use tokio::time::Instant;

use crate::fixture::{drain, request};

/// How one attempt goes.
enum Act {
    Answer,
    Fail(LlmError),
    /// A stream that fails after this many pieces of text.
    FailAfter(usize, LlmError),
    Hang,
}

/// A provider that follows a list, and notes how it was asked.
struct Scripted {
    acts: Mutex<VecDeque<Act>>,
    asked: Mutex<Vec<(u32, Option<&'static str>)>>,
    endpoint: Endpoint,
}

impl Scripted {
    fn new(acts: Vec<Act>) -> Arc<Self> {
        Arc::new(Self {
            acts: Mutex::new(acts.into()),
            asked: Mutex::default(),
            endpoint: Endpoint {
                address: "127.0.0.1".into(),
                port: 1,
            },
        })
    }

    fn next(&self, request: &ChatRequest) -> Act {
        let context = &request.context;
        assert!(context.deadline.is_some());
        let asked = (context.attempt, context.retry_reason);
        self.asked.lock().expect("not poisoned").push(asked);
        let next = self.acts.lock().expect("not poisoned").pop_front();
        next.expect("no more attempts than acts")
    }

    fn asked(&self) -> Vec<(u32, Option<&'static str>)> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl LlmProvider for Scripted {
    fn name(&self) -> ProviderName {
        ProviderName::Claude
    }

    fn model(&self) -> &str {
        "scripted"
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        match self.next(request) {
            Act::Answer => Ok(answer()),
            Act::Fail(error) | Act::FailAfter(_, error) => Err(error),
            Act::Hang => std::future::pending().await,
        }
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let start = ChatEvent::Started {
            model: "scripted".to_owned(),
            response_id: None,
            request_id: None,
            usage: None,
        };
        let delta = |_| Ok(ChatEvent::Delta("text".to_owned()));
        let start = stream::iter([Ok(start)]);
        match self.next(request) {
            Act::Fail(error) => Err(error),
            Act::Hang => Ok(start.chain(stream::pending()).boxed()),
            Act::Answer => {
                let end = [delta(0), Ok(ChatEvent::Finished(Box::new(answer())))];
                Ok(start.chain(stream::iter(end)).boxed())
            }
            Act::FailAfter(pieces, error) => {
                let pieces = stream::iter((0..pieces).map(delta));
                Ok(start
                    .chain(pieces)
                    .chain(stream::iter([Err(error)]))
                    .boxed())
            }
        }
    }
}

fn answer() -> ChatResponse {
    ChatResponse {
        text: "text".to_owned(),
        model: "scripted".to_owned(),
        response_id: None,
        request_id: None,
        finish_reason: None,
        usage: Usage::default(),
        latency: LatencySplit::default(),
        cost: None,
        simulated: false,
    }
}

fn limited(retry_after: Option<u64>) -> LlmError {
    LlmError::RateLimited {
        retry_after: retry_after.map(Duration::from_secs),
        request_id: None,
    }
}

fn interrupted() -> LlmError {
    LlmError::Interrupted {
        message: "cut".to_owned(),
    }
}

fn rejected() -> LlmError {
    LlmError::Rejected {
        status: 400,
        message: String::new(),
        request_id: None,
    }
}

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
