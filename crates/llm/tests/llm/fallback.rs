//! Other providers for a failed call, on a clock that stands still until everybody waits.

use std::{sync::Arc, time::Duration};

use llm::{
    ChatEvent, Fallback, FallbackChain, LlmError, LlmProvider,
    ProviderName::{Claude, Ollama, OpenAi},
    Resilient, RetryPolicy, Stage,
};
use tokio::time::Instant;

use crate::{
    fixture::{collect, drain, request},
    scripted::{Act, Scripted, interrupted, limited, rejected},
};

const TOTAL: Duration = Duration::from_secs(60);

/// One try at each provider.
const ONCE: RetryPolicy = RetryPolicy {
    total: TOTAL,
    attempts: 1,
    backoff: Duration::ZERO,
    max_backoff: Duration::ZERO,
    max_retry_after: Duration::ZERO,
    budget_percent: 0,
};

/// Claude, then `OpenAI`, then Ollama, each with its acts.
struct Chain {
    chain: FallbackChain,
    links: [Arc<Scripted>; 3],
}

impl Chain {
    fn new(acts: [Vec<Act>; 3], after_text: bool) -> Self {
        let [first, second, third] = acts;
        let links = [(Claude, first), (OpenAi, second), (Ollama, third)]
            .map(|(name, acts)| Scripted::named(name, acts));
        let [first, second, third] = links
            .clone()
            .map(|link| -> Arc<dyn LlmProvider> { Arc::new(Resilient::new(link, ONCE)) });
        let chain = FallbackChain::new(first, vec![second, third], TOTAL, after_text);
        Self { chain, links }
    }

    /// How often each was asked.
    fn asked(&self) -> [usize; 3] {
        self.links.each_ref().map(|link| link.asked().len())
    }
}

fn faults() -> Vec<LlmError> {
    let open = LlmError::CircuitOpen {
        retry_after: Duration::from_secs(1),
    };
    let upstream = LlmError::Upstream {
        status: Some(500),
        message: String::new(),
        retry_after: None,
        request_id: None,
    };
    let unreachable = LlmError::Unreachable {
        message: "refused".to_owned(),
    };
    let slow = LlmError::Timeout(Stage::FirstByte);
    vec![
        open,
        upstream,
        unreachable,
        slow,
        interrupted(),
        limited(None),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_next_one_answers_and_the_answer_says_so() {
    for fault in faults() {
        let acts = || [vec![Act::Fail(fault.clone())], vec![Act::Answer], vec![]];
        let chain = Chain::new(acts(), false);
        let response = chain.chain.complete(&request()).await.expect("an answer");
        let fallback = Some(Fallback {
            from: Claude,
            provider: OpenAi,
            after_text: false,
        });
        assert_eq!(response.fallback, fallback, "{fault}");
        let asked = &chain.links[1].requests()[0].context;
        assert_eq!(asked.fallback_from, Some(Claude));
        assert_eq!(asked.retry_reason, Some(fault.error_type()));
        assert_eq!(asked.call_id, chain.links[0].requests()[0].context.call_id);

        let chain = Chain::new(acts(), false);
        let stream = chain.chain.stream(&request()).await.expect("a stream");
        let (events, _) = drain(stream).await;
        assert!(
            matches!(&events[0], ChatEvent::Started { fallback: noted, .. } if *noted == fallback)
        );
        let last = events.last().expect("an end");
        assert!(matches!(last, ChatEvent::Finished(response) if response.fallback == fallback));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_to_fail_is_named_however_many_follow() {
    let fail = || vec![Act::Fail(interrupted())];
    let chain = Chain::new([fail(), fail(), vec![Act::Answer]], false);
    let response = chain.chain.complete(&request()).await.expect("an answer");
    let fallback = response.fallback.expect("a note");
    assert_eq!((fallback.from, fallback.provider), (Claude, Ollama));
    assert_eq!(chain.asked(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_counted_over_the_whole_chain() {
    let fault = || vec![Act::Fail(interrupted())];
    let chain = Chain::new([fault(), fault(), vec![Act::Answer]], false);
    let asked = request();
    let answered = chain.chain.complete(&asked).await;
    answered.expect("an answer");
    let attempts = chain.links.each_ref().map(|link| {
        let context = link.requests().remove(0).context;
        (context.call_id == asked.context.call_id, context.attempt)
    });
    assert_eq!(attempts, [(true, 1), (true, 2), (true, 3)]);
}

#[tokio::test(start_paused = true)]
async fn without_a_fault_nobody_else_is_asked() {
    let chain = Chain::new([vec![Act::Answer], vec![], vec![]], true);
    let response = chain.chain.complete(&request()).await.expect("an answer");
    assert_eq!(response.fallback, None);
    assert_eq!(chain.chain.name(), Claude);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_error_is_the_first_ones() {
    let slow = LlmError::Timeout(Stage::FirstByte);
    let acts = [limited(Some(3_600)), slow, interrupted()].map(|error| vec![Act::Fail(error)]);
    let chain = Chain::new(acts, false);
    let result = chain.chain.complete(&request()).await;
    assert_eq!(result, Err(limited(Some(3_600))));
    assert_eq!(chain.asked(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_and_a_named_model_are_nobody_elses() {
    let chain = Chain::new([vec![Act::Fail(rejected())], vec![], vec![]], true);
    let result = chain.chain.complete(&request()).await;
    assert_eq!(result, Err(rejected()));

    let chain = Chain::new([vec![Act::Fail(interrupted())], vec![], vec![]], true);
    let mut named = request();
    named.model = Some("claude-haiku-4-5".to_owned());
    let result = chain.chain.stream(&named).await.map(|_| ());
    assert_eq!(result, Err(interrupted()));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_one_for_all() {
    let chain = Chain::new([vec![Act::Hang], vec![], vec![]], false);
    let begun = Instant::now();
    let result = chain.chain.complete(&request()).await;
    assert_eq!(result, Err(LlmError::Timeout(Stage::Total)));
    assert!(begun.elapsed() < TOTAL + Duration::from_secs(1));
    assert_eq!(chain.asked(), [1, 0, 0]);

    let acts = [vec![Act::Fail(interrupted())], vec![Act::Hang], vec![]];
    let chain = Chain::new(acts, false);
    chain.chain.complete(&request()).await.expect_err("silence");
    let deadline = |link: &Scripted| link.requests()[0].context.deadline;
    assert_eq!(deadline(&chain.links[0]), deadline(&chain.links[1]));
}

#[tokio::test(start_paused = true)]
async fn after_text_a_fault_is_an_error_unless_asked_otherwise() {
    let broken = || vec![Act::FailAfter(2, interrupted())];
    let chain = Chain::new([broken(), vec![Act::Answer], vec![]], false);
    let stream = chain.chain.stream(&request()).await.expect("a stream");
    assert_eq!(drain(stream).await.1, Some(interrupted()));
    assert_eq!(chain.asked(), [1, 0, 0]);

    let chain = Chain::new([broken(), broken(), vec![Act::Answer]], true);
    let stream = chain.chain.stream(&request()).await.expect("a stream");
    let (events, error) = drain(stream).await;
    assert_eq!(error, None);
    let starts: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Started { fallback, .. } => Some(fallback.map(|note| note.provider)),
            ChatEvent::Delta(_) | ChatEvent::Finished(_) => None,
        })
        .collect();
    assert_eq!(starts, [None, Some(OpenAi), Some(Ollama)]);
    let Some(ChatEvent::Finished(response)) = events.last() else {
        panic!("{events:?}");
    };
    let fallback = response.fallback.expect("a note");
    assert!(fallback.after_text && fallback.from == Claude);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_all_break_ends_with_the_first_error() {
    let limit = vec![Act::FailAfter(1, limited(None))];
    let broken = || vec![Act::FailAfter(1, interrupted())];
    let chain = Chain::new([limit, broken(), broken()], true);
    let stream = chain.chain.stream(&request()).await.expect("a stream");
    assert_eq!(drain(stream).await.1, Some(limited(None)));
    assert_eq!(chain.asked(), [1, 1, 1]);

    let whole = Chain::new([vec![Act::Answer], vec![], vec![]], true);
    let stream = whole.chain.stream(&request()).await.expect("a stream");
    assert_eq!(collect(stream).await.fallback, None);
}
