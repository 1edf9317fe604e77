//! Replies that are spoiled after their dialect has finished them.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use llm_simulator::Outcome;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{DEADLINE, Pieces, TestSimulator, chat, events, json, pieces, prompt};

/// How long nothing must arrive to call it silence.
const QUIET: Duration = Duration::from_millis(300);

/// An instant simulator under one rule.
async fn ruled(rule: Value) -> TestSimulator {
    let simulator = TestSimulator::instant().await;
    let (status, shown) = json(simulator.put("/control/faults", &json!({"rules": [rule]}))).await;
    assert_eq!(status, 200, "{shown}");
    simulator
}

async fn broken(fault: Value) -> TestSimulator {
    ruled(json!({"fault": fault})).await
}

/// Claude streamed and not, Ollama streamed and not.
fn four_calls(simulator: &TestSimulator) -> [RequestBuilder; 4] {
    [
        simulator.messages(&prompt(json!({"stream": true}))),
        simulator.messages(&prompt(json!({}))),
        simulator.post("/api/chat", &chat(json!({}))),
        simulator.post("/api/chat", &chat(json!({"stream": false}))),
    ]
}

async fn read(request: RequestBuilder) -> Pieces {
    pieces(request.send().await.unwrap(), Instant::now()).await
}

/// The last document that the stream began, without its end.
fn torn_document(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    &bytes[start..]
}

#[tokio::test]
async fn a_cut_can_tear_a_character_a_document_and_a_frame() {
    for (within, request) in [("utf8", 0), ("utf8", 1), ("utf8", 2), ("utf8", 3)]
        .into_iter()
        .chain([
            ("json", 0),
            ("json", 1),
            ("json", 2),
            ("json", 3),
            ("frame", 0),
        ])
    {
        let simulator = broken(json!({"cut": {"afterTokens": 4, "within": within}})).await;
        let request = four_calls(&simulator)[request].try_clone().unwrap();
        let body = read(request).await;
        assert!(!body.whole, "{within}");
        let text = std::str::from_utf8(&body.bytes);
        match within {
            "utf8" => assert_eq!(text.unwrap_err().error_len(), None),
            "json" => assert!(torn_document(&body.bytes).contains(&b'{')),
            _ => assert!(text.unwrap().ends_with("\n\neve")),
        }
        let call = simulator.call(1).await;
        assert_eq!((call.outcome, call.fault), (Outcome::Broken, Some("cut")));
    }
}

#[tokio::test]
async fn a_silent_body_has_a_head() {
    let simulator = broken(json!({"silence": {"afterHead": true}})).await;
    for request in four_calls(&simulator) {
        let mut reply = timeout(DEADLINE, request.send()).await.unwrap().unwrap();
        assert_eq!(reply.status(), 200);
        assert!(timeout(QUIET, reply.chunk()).await.is_err(), "not silent");
    }
}

#[tokio::test]
async fn garbage_and_huge_lines_come_between_good_frames() {
    let simulator = broken(json!({"garbage": {"afterTokens": 2}})).await;
    let [claude, claude_whole, ollama, ollama_whole] = four_calls(&simulator);
    let text = String::from_utf8(read(claude).await.bytes).unwrap();
    assert!(text.contains("event: content_block_delta\ndata: {\"delta\": {\"text\": \"\\q\n\n"));
    assert!(text.ends_with("{\"type\":\"message_stop\"}\n\n"), "{text}");
    let text = String::from_utf8(read(ollama).await.bytes).unwrap();
    let senseless = |line: &&str| serde_json::from_str::<Value>(line).is_err();
    assert_eq!(text.lines().filter(senseless).count(), 1);
    assert!(senseless(&text.lines().nth(2).unwrap()));
    for request in [claude_whole, ollama_whole] {
        let body = read(request).await;
        assert!(body.whole && serde_json::from_slice::<Value>(&body.bytes).is_err());
    }
    assert_eq!(simulator.call(4).await.outcome, Outcome::Completed);

    let simulator = broken(json!({"hugeLine": {"afterTokens": 1}})).await;
    for request in four_calls(&simulator) {
        let body = read(request).await;
        let longest = body
            .bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::len)
            .max();
        assert!(
            body.whole && longest > Some(10 * 1024 * 1024),
            "{longest:?}"
        );
    }
}

#[tokio::test]
async fn a_page_and_a_wrong_type_come_with_status_200() {
    let simulator = broken(json!({"html": {}})).await;
    for request in four_calls(&simulator) {
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["content-type"], "text/html; charset=utf-8");
        assert!(reply.text().await.unwrap().starts_with("<!doctype html>"));
    }
    let call = simulator.call(4).await;
    assert_eq!((call.outcome, call.status), (Outcome::Broken, 200));
    assert_eq!(simulator.control().meter().total.input_tokens, 0);

    let simulator = broken(json!({"wrongContentType": {"contentType": "text/csv"}})).await;
    let reply = simulator.messages(&prompt(json!({}))).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/csv");
    assert_eq!(reply.json::<Value>().await.unwrap()["type"], "message");
}

#[tokio::test]
async fn usage_is_missing_negative_or_absurd_in_the_reply_and_right_in_the_accounts() {
    for (reported, expected) in [
        ("missing", Value::Null),
        ("negative", json!(-8)),
        ("absurd", json!(1_000_000_000_000_000_u64)),
    ] {
        let simulator = broken(json!({"usage": {"reported": reported}})).await;
        let [claude, claude_whole, ollama, _] = four_calls(&simulator);
        let events = events(&read(claude).await.bytes);
        assert_eq!(events[0].1["message"]["usage"]["input_tokens"], expected);
        let (_, message) = json(claude_whole).await;
        assert_eq!(message["usage"]["input_tokens"], expected);
        assert!(message["content"][0]["text"].is_string());
        let lines = crate::client::lines(&read(ollama).await.bytes);
        assert_eq!(lines.last().unwrap()["prompt_eval_count"], expected);
        let call = simulator.call(3).await;
        assert_eq!((call.outcome, call.input_tokens), (Outcome::Completed, 8));
    }
}

#[tokio::test]
async fn milliseconds_stand_beside_seconds() {
    let status = json!({"code": 429, "retryAfter": "garbage", "retryAfterMs": "1500"});
    let simulator = broken(json!({"status": status})).await;
    for request in four_calls(&simulator) {
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 429);
        assert_eq!(reply.headers()["retry-after"], "garbage");
        assert_eq!(reply.headers()["retry-after-ms"], "1500");
    }
}

#[tokio::test]
async fn a_slow_answer_takes_the_time_that_the_rule_adds() {
    let simulator = ruled(json!({
        "streamed": false,
        "fault": {"slow": {"firstTokenMs": 200, "gapMs": 1}},
    }))
    .await;
    let [streamed, whole, ..] = four_calls(&simulator);
    let started = Instant::now();
    read(whole).await;
    assert!(
        started.elapsed() >= Duration::from_millis(260),
        "{:?}",
        started.elapsed()
    );
    let slow = simulator.call(1).await;
    assert!(slow.time_to_first_token_ms >= Some(200.0), "{slow:?}");
    read(streamed).await;
    assert!(simulator.call(2).await.duration_ms < slow.duration_ms);
}

#[tokio::test]
async fn a_rule_can_ask_for_a_header() {
    let simulator = ruled(json!({
        "header": {"name": "baggage", "contains": "test.id=run-7"},
        "fault": {"status": {"code": 503}},
    }))
    .await;
    let ask = async |baggage: &'static str| {
        let request = simulator.messages(&prompt(json!({})));
        let reply = request.header("baggage", baggage).send().await.unwrap();
        reply.status().as_u16()
    };
    assert_eq!(
        (ask("test.id=run-7").await, ask("test.id=run-8").await),
        (503, 200)
    );
    let call = simulator.call(2).await;
    assert_eq!(call.test_id.as_deref(), Some("run-8"));
}

/// Whether the operating system reports this kind of error at the bottom.
fn is_io(error: &reqwest::Error, kind: std::io::ErrorKind) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == kind)
}

async fn failure(request: RequestBuilder) -> reqwest::Error {
    let reply: Result<Response, _> = timeout(DEADLINE, request.send()).await.unwrap();
    reply.unwrap_err()
}

#[tokio::test]
async fn a_connection_is_reset_after_the_request_or_at_once() {
    let simulator = broken(json!({"reset": {"at": "request"}})).await;
    for request in four_calls(&simulator) {
        let error = failure(request).await;
        assert!(
            is_io(&error, std::io::ErrorKind::ConnectionReset),
            "{error:?}"
        );
    }
    let call = simulator.call(4).await;
    assert_eq!((call.outcome, call.fault), (Outcome::Broken, Some("reset")));

    let at_accept = json!({"times": 1, "fault": {"reset": {"at": "accept"}}});
    let simulator = TestSimulator::instant().await;
    let rules = vec![serde_json::from_value(at_accept).unwrap()];
    simulator.control().set_faults(rules).unwrap();
    let [first, second, ..] = four_calls(&simulator);
    assert!(failure(first).await.status().is_none());
    assert_eq!(second.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn connections_are_refused_for_a_while_and_then_taken_again() {
    let simulator = TestSimulator::instant().await;
    let refused = json!({"window": {"toMs": 400}, "fault": {"refused": {}}});
    let rules = vec![serde_json::from_value(refused).unwrap()];
    simulator.control().set_faults(rules).unwrap();
    let retried = async {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        let mut refusals = 0;
        loop {
            interval.tick().await;
            // A kept connection would not meet the listener.
            let request = simulator.get("/api/version").header("connection", "close");
            match request.send().await {
                Ok(reply) if refusals > 0 => return reply.status(),
                Ok(_) => {}
                Err(error) if is_io(&error, std::io::ErrorKind::ConnectionRefused) => refusals += 1,
                // What had been accepted by the kernel when the socket was closed.
                Err(error) => assert!(error.is_connect() || error.is_request(), "{error:?}"),
            }
        }
    };
    assert_eq!(timeout(DEADLINE, retried).await.unwrap(), 200);
}
