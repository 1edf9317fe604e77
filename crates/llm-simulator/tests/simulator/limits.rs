//! Rate limits, in the headers and refusals of each vendor.

use llm_simulator::{Outcome, SimulatorConfig};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{
    client::{TestSimulator, chat, json, prompt},
    openai::with_bearer,
};

/// Tokens of the prompt "Hello, world!" with its frame, by the tokenizer's rules.
const PROMPT_TOKENS: u64 = 8;

async fn limited(limits: &str) -> TestSimulator {
    TestSimulator::start(SimulatorConfig {
        rate_limits: limits.parse().unwrap(),
        ..SimulatorConfig::instant()
    })
    .await
}

fn header(reply: &Response, name: &str) -> String {
    let value = reply.headers().get(name);
    assert!(value.is_some(), "{name} is not in {:?}", reply.headers());
    let value = value.unwrap();
    value.to_str().unwrap().to_owned()
}

fn number(reply: &Response, name: &str) -> u64 {
    header(reply, name).parse().unwrap()
}

fn completion(simulator: &TestSimulator, streamed: bool) -> RequestBuilder {
    let body = json!({
        "model": "gpt-4.1",
        "messages": [{"role": "user", "content": "Hello, world!"}],
        "stream": streamed,
        "max_tokens": 10,
    });
    with_bearer(simulator.post("/v1/chat/completions", &body))
}

#[tokio::test]
async fn openai_counts_down_and_refuses_with_both_ways_to_wait() {
    let simulator = limited("requests=3,input_tokens=1000,output_tokens=500").await;
    for (left, streamed) in [(2, false), (1, true), (0, false)] {
        let reply = completion(&simulator, streamed).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(number(&reply, "x-ratelimit-limit-requests"), 3);
        assert_eq!(number(&reply, "x-ratelimit-remaining-requests"), left);
        assert_eq!(number(&reply, "x-ratelimit-limit-tokens"), 1500);
        let tokens = number(&reply, "x-ratelimit-remaining-tokens");
        let used = (3 - left) * PROMPT_TOKENS + (2 - left) * 10;
        // The buckets fill up meanwhile.
        assert!((1500 - used..1500).contains(&tokens), "{tokens}");
        assert!(header(&reply, "x-ratelimit-reset-requests").ends_with('s'));
        reply.bytes().await.unwrap();
    }
    let reply = completion(&simulator, true).send().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert!((1..=20).contains(&number(&reply, "retry-after")));
    assert!((1..=20_000).contains(&number(&reply, "retry-after-ms")));
    assert_eq!(number(&reply, "x-ratelimit-remaining-requests"), 0);
    let document: Value = reply.json().await.unwrap();
    assert_eq!(document["error"]["type"], "requests");
    assert_eq!(document["error"]["code"], "rate_limit_exceeded");
    let call = simulator.call(4).await;
    assert_eq!(
        (call.outcome, call.status, call.input_tokens),
        (Outcome::Refused, 429, 0)
    );
    // Another key has buckets of its own.
    let body = json!({"model": "gpt-4.1", "input": "Hello"});
    let other = simulator.post("/v1/responses", &body);
    assert_eq!(
        json(other.header("authorization", "Bearer other")).await.0,
        200
    );
}

#[tokio::test]
async fn anthropic_counts_prompts_and_answers_apart() {
    let simulator = limited("requests=100,input_tokens=1000,output_tokens=50").await;
    let fields = json!({"model": "claude-opus-5-5", "max_tokens": 60});
    let ask = || simulator.messages(&prompt(fields.clone())).send();
    let reply = ask().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(number(&reply, "anthropic-ratelimit-requests-remaining"), 99);
    assert_eq!(
        number(&reply, "anthropic-ratelimit-input-tokens-remaining"),
        1000 - PROMPT_TOKENS
    );
    assert_eq!(
        number(&reply, "anthropic-ratelimit-output-tokens-limit"),
        50
    );
    assert_eq!(
        number(&reply, "anthropic-ratelimit-tokens-limit"),
        50,
        "the scarcer one"
    );
    let reset = header(&reply, "anthropic-ratelimit-requests-reset");
    assert!(reset.ends_with('Z') && reset.len() == 20, "{reset}");
    reply.bytes().await.unwrap();

    // The answer had 60 tokens, so the bucket owes ten.
    let reply = ask().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert_eq!(
        number(&reply, "anthropic-ratelimit-output-tokens-remaining"),
        0
    );
    assert!(
        (10..=14).contains(&number(&reply, "retry-after")),
        "11 tokens at 50 a minute"
    );
    let document: Value = reply.json().await.unwrap();
    assert_eq!(document["error"]["type"], "rate_limit_error");
}

#[tokio::test]
async fn bedrock_throttles_and_ollama_does_not() {
    let simulator = limited("requests=1").await;
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]});
    let ask = || with_bearer(simulator.post("/model/amazon.nova-lite-v1:0/converse", &body)).send();
    assert_eq!(ask().await.unwrap().status(), 200);
    let reply = ask().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert_eq!(header(&reply, "x-amzn-errortype"), "ThrottlingException");
    for _ in 0..3 {
        let reply = simulator.post("/api/chat", &chat(json!({"stream": false})));
        assert_eq!(json(reply).await.0, 200);
    }
}

#[tokio::test]
async fn limits_are_off_unless_set_and_a_reset_brings_back_those_of_the_start() {
    let simulator = TestSimulator::instant().await;
    let reply = completion(&simulator, false).send().await.unwrap();
    assert!(!reply.headers().contains_key("x-ratelimit-limit-requests"));
    assert_eq!(
        json(simulator.get("/control/rate-limits")).await.1,
        json!({})
    );
    let limits = json!({"requestsPerMinute": 1});
    let (status, set) = json(simulator.put("/control/rate-limits", &limits)).await;
    assert_eq!((status, &set), (200, &limits));
    assert_eq!(json(completion(&simulator, false)).await.0, 200);
    assert_eq!(json(completion(&simulator, false)).await.0, 429);
    simulator.control().reset();
    assert_eq!(json(completion(&simulator, false)).await.0, 200);
    assert_eq!(
        json(simulator.get("/control/rate-limits")).await.1,
        json!({})
    );
    for (wrong, field) in [
        (json!({"requestsPerMinute": 0}), "requestsPerMinute"),
        (
            json!({"inputTokensPerMinute": 1_000_000_001}),
            "inputTokensPerMinute",
        ),
        (json!({"requestsPerMinute": -1}), "requestsPerMinute"),
        (json!({"requests": 1}), "requests"),
    ] {
        let (status, problem) = json(simulator.put("/control/rate-limits", &wrong)).await;
        assert_eq!(status, 400, "{wrong}");
        assert!(problem["errors"].get(field).is_some(), "{problem}");
    }
}
