//! Calls that go wrong on purpose, and clients that leave.

use std::time::{Duration, Instant};

use llm_simulator::{Outcome, SimulatorConfig};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{TestSimulator, chat, events, json, lines, pieces, prompt};

/// How long nothing must arrive to call it silence.
const QUIET: Duration = Duration::from_millis(300);
/// How soon a client's leaving must be seen; generous, as the machine may be compiling
/// meanwhile. The outcome shows that it was before the answer's end.
const CANCELLATION: Duration = Duration::from_secs(5);

/// An instant simulator in which every call goes wrong.
async fn broken(fault: Value) -> TestSimulator {
    let simulator = TestSimulator::instant().await;
    let rules = json!({"rules": [{"fault": fault}]});
    let (status, _) = json(simulator.put("/control/faults", &rules)).await;
    assert_eq!(status, 200);
    simulator
}

#[tokio::test]
async fn a_status_comes_with_its_retry_after_as_written() {
    for retry_after in ["1", "3600", "Sat, 21 Nov 2026 12:00:00 GMT", "soon"] {
        let fault = json!({"status": {"code": 429, "retryAfter": retry_after}});
        let simulator = broken(fault).await;
        for stream in [true, false] {
            let request = simulator.messages(&prompt(json!({"stream": stream})));
            let reply = request.send().await.unwrap();
            assert_eq!(reply.status(), 429);
            assert_eq!(reply.headers()["retry-after"], retry_after);
            let document: Value = reply.json().await.unwrap();
            assert_eq!(document["error"]["type"], "rate_limit_error");
        }
        let reply = simulator
            .post("/api/chat", &chat(json!({})))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()["retry-after"]),
            (429, &retry_after.parse().unwrap())
        );
        assert!(reply.json::<Value>().await.unwrap()["error"].is_string());
        let call = simulator.call(3).await;
        assert_eq!(
            (call.outcome, call.fault),
            (Outcome::Refused, Some("status"))
        );
        assert_eq!(simulator.control().meter().total.input_tokens, 0);
    }
}

#[tokio::test]
async fn a_cut_stream_ends_without_its_terminator_after_the_agreed_tokens() {
    let simulator = broken(json!({"cut": {"afterTokens": 5}})).await;
    let reply = simulator
        .messages(&prompt(json!({"stream": true})))
        .send()
        .await
        .unwrap();
    let body = pieces(reply, Instant::now()).await;
    assert!(!body.whole);
    let events = events(&body.bytes);
    let deltas = events
        .iter()
        .filter(|(name, _)| name == "content_block_delta")
        .count();
    assert_eq!(
        (deltas, events.last().unwrap().0.as_str()),
        (5, "content_block_delta")
    );

    let reply = simulator
        .post("/api/chat", &chat(json!({})))
        .send()
        .await
        .unwrap();
    let body = pieces(reply, Instant::now()).await;
    assert!(!body.whole);
    assert_eq!(lines(&body.bytes).len(), 5);
    let call = simulator.call(2).await;
    assert_eq!((call.outcome, call.output_tokens), (Outcome::Broken, 5));
}

#[tokio::test]
async fn a_cut_reply_breaks_in_the_middle_of_its_body() {
    let simulator = broken(json!({"cut": {}})).await;
    let whole = [
        simulator.messages(&prompt(json!({}))),
        simulator.post("/api/chat", &chat(json!({"stream": false}))),
    ];
    for request in whole {
        let reply = request.send().await.unwrap();
        let announced = reply.content_length().unwrap();
        let body = pieces(reply, Instant::now()).await;
        assert!(!body.whole);
        assert_eq!(body.bytes.len() as u64, announced / 2);
    }
    assert_eq!(simulator.call(2).await.outcome, Outcome::Broken);
}

#[tokio::test]
async fn silence_before_the_head_is_noticed_to_end_when_the_client_leaves() {
    let simulator = broken(json!({"silence": {}})).await;
    for (calls, stream) in [(1, true), (2, false)] {
        let request = simulator.messages(&prompt(json!({"stream": stream})));
        assert!(timeout(QUIET, request.send()).await.is_err(), "not silent");
        let left = Instant::now();
        let call = simulator.call(calls).await;
        assert!(left.elapsed() < CANCELLATION, "{:?}", left.elapsed());
        assert_eq!((call.outcome, call.output_tokens), (Outcome::Cancelled, 0));
    }
}

#[tokio::test]
async fn silence_within_a_stream_sends_nothing_more() {
    let simulator = broken(json!({"silence": {"afterTokens": 3}})).await;
    let mut reply = simulator
        .post("/api/chat", &chat(json!({})))
        .send()
        .await
        .unwrap();
    let mut bytes = Vec::new();
    while let Ok(piece) = timeout(QUIET, reply.chunk()).await {
        bytes.extend_from_slice(&piece.unwrap().unwrap());
    }
    assert_eq!(lines(&bytes).len(), 3);
    drop(reply);
    assert_eq!(simulator.call(1).await.output_tokens, 3);
}

#[tokio::test]
async fn a_stream_can_report_an_error_after_its_200() {
    let simulator = broken(json!({"streamError": {"afterTokens": 2}})).await;
    let reply = simulator
        .messages(&prompt(json!({"stream": true})))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let events = events(&pieces(reply, Instant::now()).await.bytes);
    let (name, document) = events.last().unwrap();
    assert_eq!(name, "error");
    assert_eq!(document["error"]["type"], "overloaded_error");

    let reply = simulator
        .post("/api/chat", &chat(json!({})))
        .send()
        .await
        .unwrap();
    let lines = lines(&pieces(reply, Instant::now()).await.bytes);
    assert_eq!(lines.len(), 3);
    assert!(lines[2]["error"].is_string() && lines[2].get("done").is_none());

    let (status, _) = json(simulator.messages(&prompt(json!({})))).await;
    assert_eq!(status, 529);
    let (status, _) = json(simulator.post("/api/chat", &chat(json!({"stream": false})))).await;
    assert_eq!(status, 503);
}

#[tokio::test]
async fn a_rule_leaves_the_answers_of_other_calls_as_they_were() {
    let simulator = TestSimulator::instant().await;
    let third = async || {
        for _ in 0..2 {
            drop(simulator.messages(&prompt(json!({}))).send().await.unwrap());
        }
        json(simulator.messages(&prompt(json!({})))).await.1
    };
    let undisturbed = third().await;
    simulator.control().reset();
    let rules = json!({"rules": [{"nth": 2, "probability": 1, "fault": {"cut": {}}}]});
    json(simulator.put("/control/faults", &rules)).await;
    assert_eq!(third().await, undisturbed);
    assert_eq!(simulator.control().meter().total.broken, 1);
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_noticed_and_billed_for_what_was_sent() {
    let simulator = TestSimulator::start(SimulatorConfig::standard()).await;
    for (calls, request) in [
        (1, simulator.messages(&prompt(json!({"stream": true})))),
        (2, simulator.post("/api/chat", &chat(json!({})))),
    ] {
        let mut reply = request.send().await.unwrap();
        for _ in 0..4 {
            reply.chunk().await.unwrap().unwrap();
        }
        drop(reply);
        let left = Instant::now();
        let call = simulator.call(calls).await;
        assert!(left.elapsed() < CANCELLATION, "{:?}", left.elapsed());
        assert_eq!(call.outcome, Outcome::Cancelled);
        assert!(
            call.output_tokens >= 1 && call.input_tokens == 8,
            "{call:?}"
        );
    }
    assert_eq!(simulator.control().meter().total.cancelled, 2);
}
