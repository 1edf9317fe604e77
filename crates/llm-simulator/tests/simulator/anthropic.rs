//! Anthropic's dialect.

use std::time::Instant;

use llm_simulator::{MAX_REQUEST_BYTES, Outcome, SimulatorConfig};
use serde_json::{Value, json};

use crate::client::{TestSimulator, events, json, pieces, prompt, with_key};

/// Tokens of the prompt "Hello, world!" with its frame, by the tokenizer's rules.
const PROMPT_TOKENS: u64 = 8;

#[tokio::test]
async fn a_message_has_the_vendor_shape_and_the_metered_usage() {
    let simulator = TestSimulator::instant().await;
    let reply = simulator.messages(&prompt(json!({}))).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "application/json");
    let request_id = reply.headers()["request-id"].to_str().unwrap().to_owned();
    let message: Value = reply.json().await.unwrap();

    assert!(message["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(message["type"], "message");
    assert_eq!(message["role"], "assistant");
    assert_eq!(message["model"], "claude-sonnet-5-5");
    assert_eq!(message["content"][0]["type"], "text");
    assert!(!message["content"][0]["text"].as_str().unwrap().is_empty());
    assert_eq!(message["stop_reason"], "end_turn");
    assert_eq!(message["stop_sequence"], Value::Null);
    let usage = &message["usage"];
    assert_eq!(usage["input_tokens"], PROMPT_TOKENS);
    assert_eq!(usage["cache_read_input_tokens"], 0);
    assert_eq!(usage["cache_creation"]["ephemeral_1h_input_tokens"], 0);

    let call = simulator.call(1).await;
    assert_eq!(
        (call.outcome, call.status, call.streamed),
        (Outcome::Completed, 200, false)
    );
    assert_eq!(call.request_id, request_id);
    assert_eq!(call.input_tokens, PROMPT_TOKENS);
    assert_eq!(usage["output_tokens"], call.output_tokens);
    assert!((60..=120).contains(&call.output_tokens));
}

#[tokio::test]
async fn a_stream_has_the_vendor_order_and_says_what_the_whole_message_says() {
    let simulator = TestSimulator::instant().await;
    let (_, whole) = json(simulator.messages(&prompt(json!({})))).await;
    simulator.control().reset();

    let reply = simulator
        .messages(&prompt(json!({"stream": true})))
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    let body = pieces(reply, Instant::now()).await;
    assert!(body.whole);
    let events = events(&body.bytes);

    let mut order: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    order.dedup();
    assert_eq!(
        order,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    assert!(events.iter().all(|(name, data)| data["type"] == *name));
    let start = &events[0].1["message"];
    assert_eq!(
        (&start["id"], &start["content"]),
        (&whole["id"], &json!([]))
    );
    assert_eq!(start["usage"]["input_tokens"], PROMPT_TOKENS);
    let deltas = events
        .iter()
        .filter(|(name, _)| name == "content_block_delta");
    let texts: Vec<&str> = deltas
        .map(|(_, data)| data["delta"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(whole["content"][0]["text"], texts.concat());
    let end = &events[events.len() - 2].1;
    assert_eq!(
        end["usage"]["output_tokens"],
        whole["usage"]["output_tokens"]
    );
    assert_eq!(end["usage"]["output_tokens"], texts.len());
    assert_eq!(end["delta"]["stop_reason"], "end_turn");
    assert_eq!(simulator.call(1).await.output_tokens, texts.len() as u64);
}

#[tokio::test]
async fn every_token_arrives_by_itself_and_none_before_it_is_due() {
    let simulator = TestSimulator::start(SimulatorConfig::standard()).await;
    let started = Instant::now();
    let request = simulator.messages(&prompt(json!({"stream": true, "max_tokens": 20})));
    let body = pieces(request.send().await.unwrap(), started).await;
    let call = simulator.call(1).await;
    let (first, last) = (body.arrivals[1], *body.arrivals.last().unwrap());
    // The server's clock starts later than the client's and stops earlier.
    let server_first = call.time_to_first_token_ms.unwrap();
    assert!(
        first.as_secs_f64() * 1000.0 >= server_first,
        "{first:?} {server_first}"
    );
    assert!(last.as_secs_f64() * 1000.0 >= call.duration_ms);
    // Tokens that are due within one tick of the timer may arrive together.
    assert!(
        body.arrivals.len() > 10,
        "{} reads for 20 tokens",
        body.arrivals.len()
    );
}

#[tokio::test]
async fn the_limit_of_the_caller_is_kept_and_named() {
    let simulator = TestSimulator::instant().await;
    let (_, message) = json(simulator.messages(&prompt(json!({"max_tokens": 5})))).await;
    assert_eq!(message["usage"]["output_tokens"], 5);
    assert_eq!(message["stop_reason"], "max_tokens");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers_and_another_does_not() {
    let simulator = TestSimulator::instant().await;
    let answers = async || {
        simulator.control().reset();
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(json(simulator.messages(&prompt(json!({})))).await.1);
        }
        answers
    };
    let first = answers().await;
    assert_eq!(first, answers().await);
    assert_ne!(first[0], first[1]);
    simulator.control().reset();
    simulator.control().set_seed(2);
    assert_ne!(
        first[0],
        json(simulator.messages(&prompt(json!({})))).await.1
    );
}

#[tokio::test]
async fn credentials_come_as_key_or_bearer_and_their_lack_is_401() {
    let simulator = TestSimulator::instant().await;
    for (header, value, status) in [
        ("x-api-key", "k", 200),
        ("authorization", "Bearer k", 200),
        ("x-api-key", " ", 401),
        ("authorization", "Bearer ", 401),
        ("authorization", "Basic a", 401),
        ("x-nothing", "k", 401),
    ] {
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            let request = simulator.post(path, &prompt(json!({})));
            let request = request
                .header(header, value)
                .header("anthropic-version", "2026-10-21");
            let (got, reply) = json(request).await;
            assert_eq!(got, status, "{header}: {value}");
            if status == 401 {
                assert_eq!(reply["type"], "error");
                assert_eq!(reply["error"]["type"], "authentication_error");
                assert!(reply["request_id"].as_str().unwrap().starts_with("req_"));
            }
        }
    }
    let unversioned = simulator
        .post("/v1/messages", &prompt(json!({})))
        .header("x-api-key", "k");
    let (status, reply) = json(unversioned).await;
    assert_eq!(
        (status, &reply["error"]["type"]),
        (400, &json!("invalid_request_error"))
    );
}

/// A block that is marked for the cache.
fn marked(ttl: &str) -> Value {
    json!({"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": ttl}})
}

#[tokio::test]
async fn bad_requests_name_their_field() {
    let simulator = TestSimulator::instant().await;
    let cases = [
        (json!({"model": null}), "model"),
        (json!({"model": ""}), "model"),
        (json!({"model": 5}), "model"),
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"max_tokens": "many"}), "invalid type"),
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (
            json!({"messages": [{"role": "robot", "content": "x"}]}),
            "messages.0.role",
        ),
        (
            json!({"messages": [{"role": "user", "content": ""}]}),
            "messages.0",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": "x"}]}),
            "first message",
        ),
        (
            json!({"model": "claude-opus-5-5", "temperature": 1.5}),
            "temperature",
        ),
        (json!({"temperature": 0.5}), "temperature"),
        (json!({"top_k": 3}), "top_k"),
    ];
    for (fields, named) in cases {
        let (status, reply) = json(simulator.messages(&prompt(fields.clone()))).await;
        let message = reply["error"]["message"].as_str().unwrap();
        assert_eq!(status, 400, "{fields}");
        assert!(
            message.contains(named) || named == "model",
            "{fields}: {message}"
        );
        assert_eq!(reply["error"]["type"], "invalid_request_error");
    }
    let other_model = json!({"model": "claude-opus-5-5", "temperature": 0.5});
    assert_eq!(json(simulator.messages(&prompt(other_model))).await.0, 200);
    assert_eq!(simulator.call(15).await.outcome, Outcome::Completed);
    let usage = simulator.control().meter().total;
    assert_eq!(
        (usage.refused, usage.completed, usage.input_tokens),
        (14, 1, PROMPT_TOKENS)
    );
}

#[tokio::test]
async fn marks_and_choices_are_checked_as_the_vendor_does() {
    let simulator = TestSimulator::instant().await;
    for (fields, named) in [
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
            "thinking",
        ),
        (json!({"tool_choice": {"type": "any"}}), "tool_choice"),
        (json!({"system": [marked("2h")]}), "system.0.cache_control"),
        (
            json!({"messages": [{"role": "user", "content": [marked("")]}]}),
            "messages.0.content.0.cache_control",
        ),
        (
            json!({"tools": [marked("5m"), marked("1h")], "system": vec![marked("5m"); 3]}),
            "Found 5",
        ),
    ] {
        let (status, reply) = json(simulator.messages(&prompt(fields.clone()))).await;
        let message = reply["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{fields}");
        assert!(message.contains(named), "{fields}: {message}");
    }
    let right = json!({"system": vec![marked("1h"); 4], "tool_choice": {"type": "auto"}});
    assert_eq!(json(simulator.messages(&prompt(right))).await.0, 200);
}

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let simulator = TestSimulator::instant().await;
    let send = async |body: String| {
        json(with_key(simulator.post("/v1/messages", &Value::Null)).body(body)).await
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "\0".to_owned(),
        deep,
    ] {
        let (status, reply) = send(body).await;
        assert_eq!(
            (status, &reply["error"]["type"]),
            (400, &json!("invalid_request_error"))
        );
    }
    let (status, reply) = send(" ".repeat(MAX_REQUEST_BYTES + 1)).await;
    assert_eq!(
        (status, &reply["error"]["type"]),
        (413, &json!("request_too_large"))
    );
}

#[tokio::test]
async fn counted_tokens_are_those_that_a_message_uses() {
    let simulator = TestSimulator::instant().await;
    let blocks = json!({
        "system": "You are terse.",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Summarise 1984, please."}]},
            {"role": "assistant", "content": "Sure:"},
        ],
    });
    let body = prompt(blocks);
    let (_, counted) = json(with_key(simulator.post("/v1/messages/count_tokens", &body))).await;
    let (_, message) = json(simulator.messages(&body)).await;
    assert_eq!(counted["input_tokens"], message["usage"]["input_tokens"]);
    assert!(counted["input_tokens"].as_u64().unwrap() > PROMPT_TOKENS);
    assert_eq!(simulator.call(1).await.number, 1, "counting is no call");
}

#[tokio::test]
async fn models_are_listed_in_pages_and_described() {
    let simulator = TestSimulator::instant().await;
    let mut seen = Vec::new();
    let mut path = "/v1/models?limit=2".to_owned();
    loop {
        let (status, page) = json(with_key(simulator.get(&path))).await;
        assert_eq!(status, 200);
        let ids = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].clone());
        seen.extend(ids);
        assert_eq!(page["last_id"], *seen.last().unwrap());
        if page["has_more"] == false {
            break;
        }
        path = format!(
            "/v1/models?limit=2&after_id={}",
            page["last_id"].as_str().unwrap()
        );
    }
    let (_, all) = json(with_key(simulator.get("/v1/models"))).await;
    assert_eq!(all["data"].as_array().unwrap().len(), seen.len());
    let (_, before) = json(with_key(simulator.get(&format!(
        "/v1/models?limit=1&before_id={}",
        seen[2].as_str().unwrap()
    ))))
    .await;
    assert_eq!(
        (&before["first_id"], &before["has_more"]),
        (&seen[1], &json!(true))
    );
    let (_, one) = json(with_key(simulator.get("/v1/models/claude-sonnet-5-5"))).await;
    assert_eq!(
        (&one["type"], &one["lifecycle"]),
        (&json!("model"), &json!("active"))
    );
    for wrong in ["?limit=0", "?limit=x", "?after_id=none"] {
        let (status, _) = json(with_key(simulator.get(&format!("/v1/models{wrong}")))).await;
        assert_eq!(status, 400, "{wrong}");
    }
    let (status, reply) = json(with_key(simulator.get("/v1/models/none"))).await;
    assert_eq!(
        (status, &reply["error"]["type"]),
        (404, &json!("not_found_error"))
    );
    assert_eq!(json(simulator.get("/v1/models")).await.0, 401);
}

#[tokio::test]
async fn a_wrong_method_is_refused_in_the_dialect() {
    let simulator = TestSimulator::instant().await;
    let reply = simulator.get("/v1/messages").send().await.unwrap();
    assert_eq!(reply.status(), 405);
    assert_eq!(reply.headers()["allow"], "POST");
    let document: Value = reply.json().await.unwrap();
    assert_eq!(document["type"], "error");
}
