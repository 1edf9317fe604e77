//! `OpenAI`'s dialect: chat completions, models and what both APIs share.

use std::time::Instant;

use llm_simulator::{Dialect, MAX_REQUEST_BYTES, Outcome};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::client::{TestSimulator, json, pieces, with_key};

/// Tokens of the prompt "Hello, world!" with its frame, by the tokenizer's rules.
const PROMPT_TOKENS: u64 = 8;

pub(crate) fn with_bearer(request: RequestBuilder) -> RequestBuilder {
    request.header("authorization", "Bearer sk-test")
}

/// A short chat with these fields besides.
fn chat(fields: Value) -> Value {
    let mut body = json!({
        "model": "gpt-4.1",
        "messages": [{"role": "user", "content": "Hello, world!"}],
    });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn completion(simulator: &TestSimulator, fields: Value) -> RequestBuilder {
    with_bearer(simulator.post("/v1/chat/completions", &chat(fields)))
}

/// Fields for a model that always thinks.
fn thinking(mut fields: Value) -> Value {
    fields["model"] = json!("gpt-6.1-sol");
    fields
}

/// The documents of a stream, and what came as its last frame.
fn chunks(bytes: &[u8]) -> (Vec<Value>, String) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.ends_with("\n\n"), "the last frame has no end: {text}");
    let mut frames: Vec<&str> = text
        .split_terminator("\n\n")
        .map(|frame| frame.strip_prefix("data: ").unwrap())
        .collect();
    let last = frames.pop().unwrap().to_owned();
    let documents = frames
        .iter()
        .map(|frame| serde_json::from_str(frame).unwrap());
    (documents.collect(), last)
}

#[tokio::test]
async fn a_completion_has_the_vendor_shape_and_the_metered_usage() {
    let simulator = TestSimulator::instant().await;
    let reply = completion(&simulator, json!({})).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "application/json");
    assert_eq!(reply.headers()["openai-version"], "2020-10-01");
    assert!(
        reply.headers()["openai-processing-ms"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .is_ok()
    );
    let request_id = reply.headers()["x-request-id"].to_str().unwrap().to_owned();
    let document: Value = reply.json().await.unwrap();

    assert!(document["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(document["object"], "chat.completion");
    assert_eq!(document["model"], "gpt-4.1");
    assert!(document["created"].as_u64().unwrap() > 1_767_225_600);
    let choice = &document["choices"][0];
    assert_eq!(
        (&choice["index"], &choice["finish_reason"]),
        (&json!(0), &json!("stop"))
    );
    assert_eq!(choice["message"]["role"], "assistant");
    assert!(!choice["message"]["content"].as_str().unwrap().is_empty());
    assert_eq!(choice["message"]["refusal"], Value::Null);

    let call = simulator.call(1).await;
    assert_eq!(
        (call.outcome, call.status, call.streamed),
        (Outcome::Completed, 200, false)
    );
    assert_eq!(call.request_id, request_id);
    let usage = &document["usage"];
    assert_eq!(usage["prompt_tokens"], PROMPT_TOKENS);
    assert_eq!(usage["completion_tokens"], call.output_tokens);
    assert_eq!(
        usage["total_tokens"],
        call.input_tokens + call.output_tokens
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 0);
}

#[tokio::test]
async fn a_stream_says_what_the_whole_completion_says_and_ends_with_done() {
    let simulator = TestSimulator::instant().await;
    let (_, whole) = json(completion(&simulator, json!({}))).await;
    simulator.control().reset();

    let reply = completion(&simulator, json!({"stream": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let body = pieces(reply, Instant::now()).await;
    assert!(body.whole);
    let (chunks, last) = chunks(&body.bytes);
    assert_eq!(last, "[DONE]");
    for chunk in &chunks {
        assert_eq!(
            (&chunk["id"], &chunk["object"]),
            (&whole["id"], &json!("chat.completion.chunk"))
        );
        assert!(
            chunk.get("usage").is_none(),
            "nobody asked for the usage: {chunk}"
        );
    }
    let (first, rest) = chunks.split_first().unwrap();
    let (end, texts) = rest.split_last().unwrap();
    assert_eq!(
        first["choices"][0]["delta"],
        json!({"role": "assistant", "content": "", "refusal": null})
    );
    let text: String = texts
        .iter()
        .map(|chunk| {
            assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
            chunk["choices"][0]["delta"]["content"].as_str().unwrap()
        })
        .collect();
    assert_eq!(whole["choices"][0]["message"]["content"], text);
    assert_eq!(end["choices"][0]["delta"], json!({}));
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert_eq!(simulator.call(1).await.output_tokens, texts.len() as u64);
}

#[tokio::test]
async fn the_usage_comes_in_a_chunk_of_its_own_for_whoever_asks() {
    let simulator = TestSimulator::instant().await;
    let fields = json!({
        "stream": true, "stream_options": {"include_usage": true}, "max_completion_tokens": 3,
    });
    let reply = completion(&simulator, fields).send().await.unwrap();
    let (chunks, last) = chunks(&pieces(reply, Instant::now()).await.bytes);
    assert_eq!(last, "[DONE]");
    let (usage, others) = chunks.split_last().unwrap();
    for chunk in others {
        assert_eq!(chunk.get("usage"), Some(&Value::Null), "{chunk}");
    }
    assert_eq!(
        others.last().unwrap()["choices"][0]["finish_reason"],
        "length"
    );
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["prompt_tokens"], PROMPT_TOKENS);
    assert_eq!(usage["usage"]["completion_tokens"], 3);
    assert_eq!(usage["usage"]["total_tokens"], PROMPT_TOKENS + 3);
}

#[tokio::test]
async fn keys_come_as_bearer_and_their_lack_is_401() {
    let simulator = TestSimulator::instant().await;
    for path in ["/v1/chat/completions", "/v1/responses"] {
        for authorization in [None, Some("Bearer "), Some("Basic a"), Some("Bearer a b")] {
            let mut request = simulator.post(path, &chat(json!({})));
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let (status, reply) = json(request).await;
            assert_eq!(status, 401, "{path} {authorization:?}");
            assert_eq!(reply["error"]["type"], "invalid_request_error");
            let code = authorization.map(|_| "invalid_api_key");
            assert_eq!(reply["error"]["code"], json!(code), "{authorization:?}");
        }
    }
    assert_eq!(json(simulator.get("/v1/models")).await.0, 401);
    assert_eq!(simulator.call(8).await.status, 401);
}

#[tokio::test]
async fn lm_studio_asks_for_no_key() {
    let simulator = TestSimulator::instant().await;
    let path = "/lmstudio/v1/chat/completions";
    let (status, reply) = json(simulator.post(path, &chat(json!({})))).await;
    assert_eq!((status, &reply["object"]), (200, &json!("chat.completion")));
    let input = json!({"model": "local", "input": "Hello"});
    assert_eq!(
        json(simulator.post("/lmstudio/v1/responses", &input))
            .await
            .0,
        200
    );
    let (status, models) = json(simulator.get("/lmstudio/v1/models")).await;
    assert_eq!((status, &models["object"]), (200, &json!("list")));
    let call = simulator.call(2).await;
    assert_eq!(
        (call.dialect, call.pico_usd()),
        (Dialect::LmStudio, Some(0))
    );
}

#[tokio::test]
async fn bad_requests_name_their_field() {
    let simulator = TestSimulator::instant().await;
    let cases = [
        (json!({"model": null}), "model"),
        (json!({"model": ""}), "model"),
        (json!({"model": 5}), "model"),
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (
            json!({"messages": [{"role": "robot", "content": "x"}]}),
            "messages[0].role",
        ),
        (
            json!({"messages": [{"role": "user"}]}),
            "messages[0].content",
        ),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"max_tokens": "many"}), "max_tokens"),
        (
            json!({"max_tokens": 5, "max_completion_tokens": 5}),
            "max_tokens",
        ),
        (
            json!({"max_completion_tokens": -1}),
            "max_completion_tokens",
        ),
        (json!({"temperature": 2.5}), "temperature"),
        (json!({"top_p": -0.1}), "top_p"),
        (json!({"n": 2}), "n"),
        (
            json!({"stream_options": {"include_usage": true}}),
            "stream_options",
        ),
        (json!({"reasoning_effort": "low"}), "reasoning_effort"),
        (thinking(json!({"max_tokens": 5})), "max_tokens"),
        (thinking(json!({"temperature": 0.5})), "temperature"),
        (
            thinking(json!({"reasoning_effort": "minimal"})),
            "reasoning_effort",
        ),
        (thinking(json!({"tools": [{"type": "function"}]})), "tools"),
    ];
    let count = cases.len() as u64;
    for (fields, param) in cases {
        let (status, reply) = json(completion(&simulator, fields.clone())).await;
        assert_eq!(status, 400, "{fields}");
        let error = &reply["error"];
        assert_eq!(
            (&error["type"], &error["param"]),
            (&json!("invalid_request_error"), &json!(param))
        );
        assert!(error["code"].is_string() && !error["message"].as_str().unwrap().is_empty());
    }
    let allowed = thinking(json!({"max_completion_tokens": 5, "temperature": 1}));
    assert_eq!(json(completion(&simulator, allowed)).await.0, 200);
    let total = simulator.control().meter().total;
    assert_eq!((total.refused, total.completed), (count, 1));
}

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let simulator = TestSimulator::instant().await;
    for path in ["/v1/chat/completions", "/v1/responses"] {
        let send = async |body: String| {
            json(with_bearer(simulator.post(path, &Value::Null)).body(body)).await
        };
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for body in ["", "{", "[]", "\0", "{} {}", &deep] {
            let (status, reply) = send(body.to_owned()).await;
            assert_eq!(
                (status, &reply["error"]["type"]),
                (400, &json!("invalid_request_error"))
            );
        }
        let (status, reply) = send(" ".repeat(MAX_REQUEST_BYTES + 1)).await;
        assert_eq!(
            (status, &reply["error"]["type"]),
            (413, &json!("invalid_request_error"))
        );
        let (status, reply) = json(simulator.get(path)).await;
        assert_eq!(
            (status, &reply["error"]["code"]),
            (405, &json!("method_not_supported"))
        );
    }
}

#[tokio::test]
async fn faults_have_this_vendors_shape() {
    let simulator = TestSimulator::instant().await;
    for (code, kind) in [
        (429, "requests"),
        (500, "server_error"),
        (503, "server_error"),
    ] {
        let fault = json!({"status": {"code": code, "retryAfter": "7"}});
        let rules = json!({"rules": [{"dialect": "openai", "fault": fault}]});
        assert_eq!(json(simulator.put("/control/faults", &rules)).await.0, 200);
        let reply = completion(&simulator, json!({"stream": true}))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()["retry-after"]),
            (code, &"7".parse().unwrap())
        );
        assert!(reply.headers().contains_key("x-request-id"));
        let document: Value = reply.json().await.unwrap();
        assert_eq!(document["error"]["type"], kind);
    }
    let rules = json!({"rules": [{"fault": {"streamError": {"afterTokens": 2}}}]});
    json(simulator.put("/control/faults", &rules)).await;
    let reply = completion(&simulator, json!({"stream": true}))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let (chunks, last) = chunks(&pieces(reply, Instant::now()).await.bytes);
    assert_eq!(chunks.len(), 3);
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["error"]["type"], "server_error");

    let rules = json!({"rules": [{"fault": {"cut": {"afterTokens": 4}}}]});
    json(simulator.put("/control/faults", &rules)).await;
    let reply = completion(&simulator, json!({"stream": true}))
        .send()
        .await
        .unwrap();
    let body = pieces(reply, Instant::now()).await;
    assert!(!body.whole);
    assert!(!body.bytes.ends_with(b"[DONE]\n\n"));
}

#[tokio::test]
async fn models_of_two_vendors_share_an_address() {
    let simulator = TestSimulator::instant().await;
    let (status, list) = json(with_bearer(simulator.get("/v1/models"))).await;
    assert_eq!((status, &list["object"]), (200, &json!("list")));
    let first = &list["data"][0];
    assert_eq!(
        (&first["object"], &first["owned_by"]),
        (&json!("model"), &json!("openai"))
    );
    let (_, anthropic) = json(with_key(simulator.get("/v1/models"))).await;
    assert_eq!(anthropic["data"][0]["type"], "model");
    let id = first["id"].as_str().unwrap();
    let (status, one) = json(with_bearer(simulator.get(&format!("/v1/models/{id}")))).await;
    assert_eq!((status, &one), (200, first));
    let (status, none) = json(with_bearer(simulator.get("/v1/models/none"))).await;
    assert_eq!(
        (status, &none["error"]["code"]),
        (404, &json!("model_not_found"))
    );
}

#[tokio::test]
async fn tools_parts_and_other_roles_count_as_prompt() {
    let simulator = TestSimulator::instant().await;
    let (_, plain) = json(completion(&simulator, json!({}))).await;
    let fields = json!({
        "messages": [
            {"role": "developer", "content": "Be terse."},
            {"role": "user", "content": [{"type": "text", "text": "Hello, world!"}]},
            {"role": "assistant", "tool_calls": []},
        ],
        "tools": [{"type": "function", "function": {"name": "search"}}],
    });
    let (status, rich) = json(completion(&simulator, fields)).await;
    assert_eq!(status, 200);
    let tokens = |reply: &Value| reply["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&rich) > tokens(&plain) + 8, "{rich}");
}
