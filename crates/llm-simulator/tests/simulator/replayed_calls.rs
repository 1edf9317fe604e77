//! Replayed answers in the journal and on the invoice.

use std::time::Duration;

use llm_simulator::{
    CallFilter, CallRecord, Fault, FaultRule, Invoice, Miss, Outcome, SimulatorConfig,
};
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use crate::{
    client::{TestSimulator, prompt, with_key},
    library::{Studio, calls, read},
};

/// About 2,000 tokens, which the second of two calls reads from the cache.
fn long_prompt() -> serde_json::Value {
    let text = "A library of many quiet rooms. ".repeat(300);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    prompt(json!({"system": [{"type": "text", "text": text, "cache_control": mark}]}))
}

/// Calls of every kind, for one load test.
fn requests(client: &Client, base: &str) -> Vec<RequestBuilder> {
    let mut requests = calls(client, base);
    for _ in 0..2 {
        let request = client.post(format!("{base}/v1/messages"));
        requests.push(with_key(request).json(&long_prompt()));
    }
    let generate = json!({"model": "llama3.2", "prompt": "Hello"});
    let generated = client.post(format!("{base}/api/generate"));
    requests.push(generated.json(&generate));
    let refused = client.post(format!("{base}/v1/messages"));
    requests.push(with_key(refused).json(&json!({})));
    requests
        .into_iter()
        .map(|request| request.header("baggage", "test.id=run-7"))
        .collect()
}

fn invoice(simulator: &TestSimulator) -> Invoice {
    simulator.control().invoice(&CallFilter::default())
}

/// What a provider bills a call by.
fn billed(call: &CallRecord) -> String {
    let tokens = (
        call.input_tokens,
        call.cache_read_tokens,
        call.cache_write_5m_tokens,
        call.cache_write_1h_tokens,
        call.output_tokens,
        call.reasoning_tokens,
    );
    let kind = (call.dialect, call.operation, call.streamed, &call.caller);
    let end = (call.outcome, call.status, &call.test_id);
    format!(
        "{} {kind:?} {end:?} {tokens:?} {:?}",
        call.model, call.charge
    )
}

#[tokio::test]
async fn a_replay_is_invoiced_as_the_recorded_calls_were() {
    let simulator = TestSimulator::instant().await;
    let studio = Studio::before(&simulator).await;
    for request in requests(&studio.client, &studio.base_url) {
        read(request).await;
    }
    let replay = studio.replayed(1000.0, Miss::Error).await;
    for request in requests(&studio.client, &replay.base_url()) {
        read(request).await;
    }
    let (recorded, replayed) = (invoice(&simulator), invoice(&replay));
    assert_eq!((recorded.lines.len(), replayed.lines.len()), (16, 16));
    let mut unmetered = 0;
    for (recorded, replayed) in recorded.lines.iter().zip(&replayed.lines) {
        assert!(replayed.replayed && !recorded.replayed);
        assert_eq!(recorded.number, replayed.number);
        if replayed.unmetered {
            assert_eq!((replayed.input_tokens, replayed.charge), (0, None));
            unmetered += 1;
            continue;
        }
        let (mut expected, mut found) = (recorded.clone(), replayed.clone());
        // Of a refused request nothing is understood when it is simulated.
        if expected.outcome == Outcome::Refused {
            (expected.caller, found.caller) = (String::new(), String::new());
        }
        assert_eq!(billed(&found), billed(&expected));
    }
    // OpenAI's chat streams tell their tokens only to who asks for it.
    assert_eq!(
        (unmetered, replayed.total.unpriced_calls),
        (1, recorded.total.unpriced_calls + 1)
    );
    assert!(
        replayed
            .lines
            .iter()
            .any(|line| line.cache_read_tokens > 1024)
    );
    assert!(
        replayed
            .lines
            .iter()
            .any(|line| line.cache_write_1h_tokens > 1024)
    );
}

#[tokio::test]
async fn a_replay_that_its_client_leaves_is_billed_for_a_part() {
    let simulator = TestSimulator::start(SimulatorConfig::standard()).await;
    let studio = Studio::before(&simulator).await;
    for request in [0, 4] {
        read(calls(&studio.client, &studio.base_url).swap_remove(request)).await;
    }
    let [whole, _] = &invoice(&simulator).lines[..] else {
        panic!("two calls were recorded")
    };
    // Ten times slower: whoever leaves at once has not seen the end.
    let replay = studio.replayed(0.1, Miss::Error).await;
    let mut reply = calls(&studio.client, &replay.base_url())
        .swap_remove(0)
        .send()
        .await
        .unwrap();
    let mut bytes = 0;
    while bytes < 2_000 {
        bytes += reply.chunk().await.unwrap().unwrap().len();
    }
    drop(reply);
    let left = replay.call(1).await;
    assert_eq!(left.outcome, Outcome::Cancelled);
    assert_eq!(left.input_tokens, whole.input_tokens);
    assert!(
        left.output_tokens > 0 && left.output_tokens < whole.output_tokens,
        "{left:?}"
    );
    let sent: u64 = left.sent_last.iter().map(|step| step.tokens).sum();
    assert!(
        left.tokens_in_last_250_ms <= sent && sent <= left.output_tokens,
        "{left:?}"
    );

    let document = calls(&studio.client, &replay.base_url()).swap_remove(4);
    let document = document.timeout(Duration::from_millis(500)).send().await;
    assert!(document.is_err() || document.unwrap().bytes().await.is_err());
    let left = replay.call(2).await;
    assert_eq!((left.outcome, left.streamed), (Outcome::Cancelled, false));
    assert!(
        left.output_tokens < whole.output_tokens.max(100),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_broken_recording_is_booked_as_broken() {
    let simulator = TestSimulator::instant().await;
    let studio = Studio::before(&simulator).await;
    let cut = Fault::Cut {
        after_tokens: 3,
        within: None,
    };
    let rules = vec![FaultRule::always(cut)];
    simulator.control().set_faults(rules).unwrap();
    let request = |base: &str| calls(&studio.client, base).swap_remove(0);
    assert!(!read(request(&studio.base_url)).await.2.whole);
    let replay = studio.replayed(1000.0, Miss::Error).await;
    assert!(!read(request(&replay.base_url())).await.2.whole);
    let call = replay.call(1).await;
    assert_eq!(
        (call.outcome, call.fault, call.replayed),
        (Outcome::Broken, None, true)
    );
    assert_eq!(call.input_tokens, invoice(&simulator).lines[0].input_tokens);
    assert_eq!(replay.control().meter().total.broken, 1);
}
