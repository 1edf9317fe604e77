//! `OpenAI`'s responses API.

use std::time::Instant;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    client::{TestSimulator, events, json, pieces},
    openai::with_bearer,
};

fn response(simulator: &TestSimulator, fields: Value) -> RequestBuilder {
    let mut body = json!({"model": "gpt-4.1", "input": "Hello, world!"});
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    with_bearer(simulator.post("/v1/responses", &body))
}

#[tokio::test]
async fn a_response_has_the_vendor_shape_and_repeats_what_was_asked() {
    let simulator = TestSimulator::instant().await;
    let fields = json!({
        "instructions": "Be terse.", "temperature": 0.5, "metadata": {"run": "7"}, "store": false,
    });
    let reply = response(&simulator, fields).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.headers().contains_key("x-request-id"));
    let document: Value = reply.json().await.unwrap();
    assert!(document["id"].as_str().unwrap().starts_with("resp_"));
    assert_eq!(
        (&document["object"], &document["status"]),
        (&json!("response"), &json!("completed"))
    );
    assert_eq!(document["instructions"], "Be terse.");
    assert_eq!(
        (&document["temperature"], &document["store"]),
        (&json!(0.5), &json!(false))
    );
    assert_eq!(document["metadata"], json!({"run": "7"}));
    assert_eq!(document["incomplete_details"], Value::Null);
    let message = &document["output"][0];
    assert_eq!(
        (&message["type"], &message["role"]),
        (&json!("message"), &json!("assistant"))
    );
    assert_eq!(message["content"][0]["type"], "output_text");
    assert!(!message["content"][0]["text"].as_str().unwrap().is_empty());
    let call = simulator.call(1).await;
    let usage = &document["usage"];
    assert_eq!(usage["input_tokens"], call.input_tokens);
    assert_eq!(usage["output_tokens"], call.output_tokens);
    assert_eq!(
        usage["total_tokens"],
        call.input_tokens + call.output_tokens
    );
    assert_eq!(
        usage["input_tokens_details"],
        json!({"cached_tokens": 0, "cache_write_tokens": 0})
    );
    assert_eq!(
        usage["output_tokens_details"],
        json!({"reasoning_tokens": 0})
    );
}

#[tokio::test]
async fn a_stream_numbers_its_events_and_says_what_the_whole_response_says() {
    let simulator = TestSimulator::instant().await;
    let (_, whole) = json(response(&simulator, json!({}))).await;
    simulator.control().reset();
    let reply = response(&simulator, json!({"stream": true}))
        .send()
        .await
        .unwrap();
    let body = pieces(reply, Instant::now()).await;
    assert!(body.whole);
    let events = events(&body.bytes);

    let mut order: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    order.dedup();
    assert_eq!(
        order,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    for (number, (name, data)) in events.iter().enumerate() {
        assert_eq!(
            (&data["type"], &data["sequence_number"]),
            (&json!(name), &json!(number))
        );
    }
    assert_eq!(events[0].1["response"]["status"], "in_progress");
    assert_eq!(events[0].1["response"]["usage"], Value::Null);
    let deltas: Vec<&Value> = events
        .iter()
        .filter(|(name, _)| name == "response.output_text.delta")
        .map(|(_, data)| data)
        .collect();
    let text: String = deltas
        .iter()
        .map(|delta| delta["delta"].as_str().unwrap())
        .collect();
    assert_eq!(deltas[0]["logprobs"], json!([]));
    assert_eq!(deltas[0]["item_id"], whole["output"][0]["id"]);
    assert_eq!(text, whole["output"][0]["content"][0]["text"]);
    let end = &events.last().unwrap().1["response"];
    assert_eq!(end["output"], whole["output"]);
    assert_eq!(end["usage"], whole["usage"]);
    assert_eq!(events[events.len() - 4].1["text"], text);
    assert_eq!(end["usage"]["output_tokens"], deltas.len());
}

#[tokio::test]
async fn a_limit_makes_a_response_incomplete() {
    let simulator = TestSimulator::instant().await;
    let limit = json!({"max_output_tokens": 16});
    let (_, whole) = json(response(&simulator, limit)).await;
    assert_eq!(whole["status"], "incomplete");
    assert_eq!(
        whole["incomplete_details"],
        json!({"reason": "max_output_tokens"})
    );
    assert_eq!(whole["usage"]["output_tokens"], 16);
    let limit = json!({"max_output_tokens": 16, "stream": true});
    let reply = response(&simulator, limit).send().await.unwrap();
    let events = events(&pieces(reply, Instant::now()).await.bytes);
    assert_eq!(events.last().unwrap().0, "response.incomplete");
}

#[tokio::test]
async fn an_error_within_a_stream_is_told_twice() {
    let simulator = TestSimulator::instant().await;
    let rules = json!({"rules": [{"fault": {"streamError": {"afterTokens": 2}}}]});
    json(simulator.put("/control/faults", &rules)).await;
    let reply = response(&simulator, json!({"stream": true}))
        .send()
        .await
        .unwrap();
    let events = events(&pieces(reply, Instant::now()).await.bytes);
    let [.., (error, told), (failed, response)] = &events[..] else {
        panic!("too few events: {events:?}")
    };
    assert_eq!(
        (error.as_str(), failed.as_str()),
        ("error", "response.failed")
    );
    assert_eq!(told["code"], "server_is_overloaded");
    assert_eq!(response["response"]["status"], "failed");
    assert_eq!(
        response["response"]["error"]["code"],
        "server_is_overloaded"
    );
    assert_eq!(response["sequence_number"], events.len() - 1);
}

#[tokio::test]
async fn bad_requests_name_their_field() {
    let simulator = TestSimulator::instant().await;
    for (fields, param) in [
        (json!({"model": null}), "model"),
        (json!({"input": null}), "input"),
        (json!({"input": []}), "input"),
        (
            json!({"input": [{"role": "robot", "content": "x"}]}),
            "input[0].role",
        ),
        (json!({"input": [{"role": "user"}]}), "input[0].content"),
        (json!({"max_output_tokens": 15}), "max_output_tokens"),
        (json!({"temperature": -1}), "temperature"),
        (
            json!({"previous_response_id": "resp_1"}),
            "previous_response_id",
        ),
        (
            json!({"model": "gpt-6.1-sol", "reasoning": {"effort": "none"}}),
            "reasoning.effort",
        ),
        (
            json!({"model": "gpt-5.4", "reasoning": {"effort": "huge"}}),
            "reasoning.effort",
        ),
    ] {
        let (status, reply) = json(response(&simulator, fields.clone())).await;
        assert_eq!(
            (status, &reply["error"]["param"]),
            (400, &json!(param)),
            "{fields}"
        );
    }
    let items = json!({"input": [
        {"role": "developer", "content": "Be terse."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        {"type": "function_call_output", "call_id": "c", "output": "5"},
    ]});
    assert_eq!(json(response(&simulator, items)).await.0, 200);
}
