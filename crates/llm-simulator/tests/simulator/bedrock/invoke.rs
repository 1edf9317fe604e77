//! Models that are invoked in the shape of their own vendors.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{CLAUDE, PROMPT_TOKENS, conversation, post, stream};
use crate::{
    client::{TestSimulator, json},
    event_stream::Frame,
};

fn claude_invocation() -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "Hello, world!"}],
    })
}

/// The vendor's documents within the chunks of an invoked stream.
fn chunks(frames: &[Frame]) -> Vec<Value> {
    frames
        .iter()
        .map(|frame| {
            assert_eq!(frame.kind(), "chunk");
            let bytes = STANDARD
                .decode(frame.document["bytes"].as_str().unwrap())
                .unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn claude_is_invoked_in_anthropics_shape() {
    let simulator = TestSimulator::instant().await;
    let body = claude_invocation();
    let reply = post(&simulator, CLAUDE, "invoke", &body)
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.headers()["x-amzn-bedrock-input-token-count"],
        PROMPT_TOKENS.to_string()
    );
    assert_eq!(reply.headers()["x-amzn-bedrock-output-token-count"], "7");
    assert!(
        reply
            .headers()
            .contains_key("x-amzn-bedrock-invocation-latency")
    );
    let whole: Value = reply.json().await.unwrap();
    assert_eq!(
        (&whole["type"], &whole["stop_reason"]),
        (&json!("message"), &json!("max_tokens"))
    );
    assert_eq!(whole["usage"]["input_tokens"], PROMPT_TOKENS);
    simulator.control().reset();

    let frames = stream(post(
        &simulator,
        CLAUDE,
        "invoke-with-response-stream",
        &body,
    ))
    .await;
    let chunks = chunks(&frames);
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["delta"]["text"].as_str())
        .collect();
    assert_eq!(whole["content"][0]["text"], text);
    assert_eq!(chunks[0]["type"], "message_start");
    let last = chunks.last().unwrap();
    assert_eq!(last["type"], "message_stop");
    let metrics = &last["amazon-bedrock-invocationMetrics"];
    assert_eq!(
        (&metrics["inputTokenCount"], &metrics["outputTokenCount"]),
        (&json!(PROMPT_TOKENS), &json!(7))
    );
}

#[tokio::test]
async fn bad_invocations_of_claude_name_their_field() {
    let simulator = TestSimulator::instant().await;
    let body = claude_invocation();
    for (wrong, named) in [
        (json!({"anthropic_version": null}), "anthropic_version"),
        (
            json!({"anthropic_version": "2023-06-01"}),
            "anthropic_version",
        ),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"temperature": 0.5}), "temperature"),
        (json!({"messages": []}), "messages"),
    ] {
        let mut body = body.clone();
        body.as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        let (status, reply) = json(post(&simulator, CLAUDE, "invoke", &body)).await;
        assert_eq!(status, 400, "{wrong}");
        assert!(
            reply["message"].as_str().unwrap().contains(named),
            "{reply}"
        );
    }
}

#[tokio::test]
async fn other_families_are_invoked_in_their_shapes() {
    let simulator = TestSimulator::instant().await;
    let nova = "amazon.nova-lite-v1:0";
    let (_, whole) = json(post(&simulator, nova, "invoke", &conversation(json!({})))).await;
    let text = whole["output"]["message"]["content"][0]["text"].clone();
    simulator.control().reset();
    let frames = stream(post(
        &simulator,
        nova,
        "invoke-with-response-stream",
        &conversation(json!({})),
    ))
    .await;
    let pieces = chunks(&frames);
    let streamed: String = pieces
        .iter()
        .filter_map(|piece| piece["contentBlockDelta"]["delta"]["text"].as_str())
        .collect();
    assert_eq!(text, streamed);
    assert_eq!(pieces[0]["messageStart"]["role"], "assistant");
    assert_eq!(pieces.last().unwrap()["metadata"]["usage"], whole["usage"]);

    let llama = "us.meta.llama3-3-70b-instruct-v1:0";
    let body = json!({"prompt": "Hello, world!", "max_gen_len": 6});
    let (_, whole) = json(post(&simulator, llama, "invoke", &body)).await;
    assert_eq!(
        (&whole["generation_token_count"], &whole["stop_reason"]),
        (&json!(6), &json!("length"))
    );
    simulator.control().reset();
    simulator.control().set_seed(1);
    let frames = stream(post(
        &simulator,
        llama,
        "invoke-with-response-stream",
        &body,
    ))
    .await;
    let pieces = chunks(&frames);
    assert_eq!(pieces.len(), 7);
    assert_eq!(pieces[0]["prompt_token_count"], 4);
    assert_eq!(pieces[1]["prompt_token_count"], Value::Null);
    assert_eq!(pieces[6]["stop_reason"], "length");

    let unknown = post(&simulator, "cohere.command-r-v1:0", "invoke", &body);
    let (status, reply) = json(unknown).await;
    assert_eq!(status, 400);
    assert!(reply["message"].as_str().unwrap().contains("Converse"));
    let known = post(
        &simulator,
        "cohere.command-r-v1:0",
        "converse",
        &conversation(json!({})),
    );
    assert_eq!(json(known).await.0, 200);
}
