//! The journal, the bill and the prompt cache, over HTTP.

use serde_json::{Value, json};

use crate::client::{TestSimulator, chat, json, pieces, prompt};

/// About 2,000 tokens that a caller has cached.
fn long_system() -> Value {
    let text = "A library of many quiet rooms. ".repeat(300);
    json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}])
}

async fn invoice(simulator: &TestSimulator, query: &str) -> Value {
    let (status, invoice) = json(simulator.get(&format!("/control/invoice{query}"))).await;
    assert_eq!(status, 200, "{invoice}");
    invoice
}

#[tokio::test]
async fn a_call_is_charged_by_kind_of_token() {
    let simulator = TestSimulator::instant().await;
    let (_, message) = json(simulator.messages(&prompt(json!({})))).await;
    let output = message["usage"]["output_tokens"].as_u64().unwrap();
    let bill = invoice(&simulator, "").await;
    let line = &bill["lines"][0];
    assert_eq!(line["requestId"].as_str().unwrap().len(), 28);
    assert_eq!(line["charge"]["input"], 8 * 2_000_000);
    assert_eq!(line["charge"]["output"], output * 10_000_000);
    assert_eq!(bill["total"]["picoUsd"], 16_000_000 + output * 10_000_000);
    assert_eq!(bill["unit"], "pico-USD");
    assert_eq!(bill["pricesAsOf"], "2026-11-20");
    assert_eq!(bill["models"][0]["model"], "claude-sonnet-5-5");
    assert_eq!(line["caller"].as_str().unwrap().len(), 8);
    assert!(!bill.to_string().contains("test-key"));
}

#[tokio::test]
async fn a_marked_prompt_is_written_once_and_then_read_from_the_cache() {
    let simulator = TestSimulator::instant().await;
    let body = prompt(json!({"system": long_system()}));
    let mut usages = Vec::new();
    for _ in 0..2 {
        let (_, message) = json(simulator.messages(&body)).await;
        usages.push(message["usage"].clone());
    }
    let written = usages[0]["cache_creation_input_tokens"].as_u64().unwrap();
    assert!(written > 1024, "{usages:?}");
    assert_eq!(
        usages[0]["cache_creation"]["ephemeral_5m_input_tokens"],
        written
    );
    assert_eq!(usages[1]["cache_read_input_tokens"], written);
    assert_eq!(usages[1]["cache_creation_input_tokens"], 0);
    assert_eq!(usages[0]["input_tokens"], usages[1]["input_tokens"]);
    let bill = invoice(&simulator, "").await;
    let charges = |index: usize| &bill["lines"][index]["charge"];
    assert_eq!(charges(0)["cacheWrite5m"], written * 2_500_000);
    assert_eq!(charges(1)["cacheRead"], written * 100_000);
}

#[tokio::test]
async fn a_beginning_that_comes_again_is_found_without_being_asked() {
    let simulator = TestSimulator::instant().await;
    let body = json!({
        "model": "gpt-5.5",
        "messages": [
            {"role": "system", "content": "A library of many quiet rooms. ".repeat(300)},
            {"role": "user", "content": "Hello, world!"},
        ],
    });
    let mut details = Vec::new();
    for _ in 0..2 {
        let request = simulator.post("/v1/chat/completions", &body);
        let (status, reply) = json(request.header("authorization", "Bearer test-key")).await;
        assert_eq!(status, 200, "{reply}");
        details.push(reply["usage"]["prompt_tokens_details"].clone());
    }
    assert_eq!(details[0]["cached_tokens"], 0);
    let read = details[1]["cached_tokens"].as_u64().unwrap();
    assert!(read > 1024 && read.is_multiple_of(128), "{read}");
    // This model's writes have no price, so none are reported.
    assert_eq!(details[0]["cache_write_tokens"], 0);
    let bill = invoice(&simulator, "?model=gpt-5.5&limit=1&offset=1").await;
    assert_eq!(bill["lines"][0]["charge"]["cacheRead"], read * 500_000);
}

#[tokio::test]
async fn an_invoice_is_for_a_test_or_a_time_or_a_dialect() {
    let simulator = TestSimulator::instant().await;
    for baggage in ["test.id=run-7", "test.id=run-8", "test.id=run-7"] {
        let request = simulator.messages(&prompt(json!({})));
        request.header("baggage", baggage).send().await.unwrap();
    }
    json(simulator.post("/api/chat", &chat(json!({"stream": false})))).await;
    let calls = async |query: &str| invoice(&simulator, query).await["total"]["calls"].clone();
    assert_eq!(calls("").await, 4);
    assert_eq!(calls("?testId=run-7").await, 2);
    assert_eq!(calls("?dialect=ollama").await, 1);
    assert_eq!(calls("?from=2020-01-01T00:00:00Z").await, 4);
    assert_eq!(calls("?to=2020-01-01T00:00:00Z").await, 0);
    let (_, journal) = json(simulator.get("/control/calls?testId=run-8")).await;
    assert_eq!(journal["calls"].as_array().unwrap().len(), 1);
    let bill = invoice(&simulator, "").await;
    assert_eq!(bill["lines"][3]["charge"]["output"], 0);
    for (query, field) in [
        ("?from=yesterday", "from"),
        ("?limit=0", "limit"),
        ("?dialect=latin", "dialect"),
        ("?colour=red", "colour"),
    ] {
        let (status, problem) = json(simulator.get(&format!("/control/invoice{query}"))).await;
        assert_eq!(status, 400, "{query}");
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
}

#[tokio::test]
async fn unpriced_and_refused_calls_cost_nothing_and_are_told_apart() {
    let simulator = TestSimulator::instant().await;
    let unknown = prompt(json!({"model": "claude-of-tomorrow"}));
    json(simulator.messages(&unknown)).await;
    let (status, _) = json(simulator.messages(&json!({}))).await;
    assert_eq!(status, 400);
    let bill = invoice(&simulator, "").await;
    assert_eq!(bill["total"]["unpricedCalls"], 1);
    assert_eq!(bill["total"]["picoUsd"], 0);
    assert_eq!(bill["lines"][0]["charge"], Value::Null);
    assert_eq!(bill["lines"][1]["charge"]["input"], 0);
}

#[tokio::test]
async fn the_first_write_of_a_stream_is_noted_at_the_socket() {
    let simulator = TestSimulator::instant().await;
    simulator
        .control()
        .set_profile(llm_simulator::Profile::standard());
    let request = simulator.messages(&prompt(json!({"stream": true})));
    let reply = request.send().await.unwrap();
    let body = pieces(reply, std::time::Instant::now()).await;
    assert!(body.whole);
    let call = simulator.call(1).await;
    let (due, sent) = (
        call.first_token_due_ms.unwrap(),
        call.first_token_sent_ms.unwrap(),
    );
    // A timer may be set a millisecond early.
    assert!(due > 1.0 && sent > due - 1.5, "due {due}, sent {sent}");
}
