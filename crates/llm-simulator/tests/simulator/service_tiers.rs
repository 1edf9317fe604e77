//! Classes of service: asked for in each vendor's words, said in the reply, and charged.

use std::time::Instant;

use llm_simulator::ServiceTier;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    client::{TestSimulator, json, pieces, prompt, with_key},
    openai::with_bearer,
};

const CONVERSE: &str = "/model/amazon.nova-pro-v1%3A0/converse";

/// Who is asked, and how.
#[derive(Debug, Clone, Copy)]
enum Way {
    Messages,
    Chat,
    Responses,
    LmStudio,
    Converse,
    Invoke,
}

/// A request for a class of service, whole or streamed.
fn asking(simulator: &TestSimulator, way: Way, tier: &str, streamed: bool) -> RequestBuilder {
    let chat = || {
        let mut body = prompt(json!({"model": "gpt-6.1-terra", "service_tier": tier}));
        body["stream"] = json!(streamed);
        body["max_tokens"] = Value::Null;
        body
    };
    let content = json!([{"text": "Hello, world!"}]);
    let nova = json!({"messages": [{"role": "user", "content": content}]});
    let stream = |path: &str, suffix: &str| match streamed {
        true => format!("{path}{suffix}"),
        false => path.to_owned(),
    };
    match way {
        Way::Messages => {
            let body = prompt(json!({"service_tier": tier, "stream": streamed}));
            with_key(simulator.post("/v1/messages", &body))
        }
        Way::Chat => with_bearer(simulator.post("/v1/chat/completions", &chat())),
        Way::LmStudio => simulator.post("/lmstudio/v1/chat/completions", &chat()),
        Way::Responses => {
            let body = json!({"model": "gpt-6.1-terra", "input": "Hello, world!",
                "service_tier": tier, "stream": streamed});
            with_bearer(simulator.post("/v1/responses", &body))
        }
        Way::Converse => {
            let mut body = nova;
            body["serviceTier"] = json!({"type": tier});
            with_bearer(simulator.post(&stream(CONVERSE, "-stream"), &body))
        }
        Way::Invoke => {
            let path = CONVERSE.replace("converse", "invoke");
            let path = stream(&path, "-with-response-stream");
            let request = with_bearer(simulator.post(&path, &nova));
            request.header("x-amzn-bedrock-service-tier", tier)
        }
    }
}

/// Who is asked for which class, which one answers, and pico-dollars for a token of output.
const CLASSES: [(Way, &str, &str, Option<u64>); 12] = [
    (Way::Messages, "auto", "standard", Some(10_000_000)),
    (Way::Messages, "standard_only", "standard", Some(10_000_000)),
    (Way::Chat, "auto", "default", Some(5_000_000)),
    (Way::Chat, "flex", "flex", Some(2_500_000)),
    (Way::Chat, "priority", "priority", Some(10_000_000)),
    (Way::Chat, "scale", "scale", None),
    (Way::Responses, "flex", "flex", Some(2_500_000)),
    (Way::LmStudio, "default", "default", Some(0)),
    (Way::Converse, "default", "default", Some(3_200_000)),
    (Way::Converse, "flex", "flex", Some(1_600_000)),
    (Way::Converse, "priority", "priority", Some(5_600_000)),
    (Way::Converse, "reserved", "reserved", None),
];

#[tokio::test]
async fn the_class_that_was_asked_for_answers_and_is_charged() {
    for (way, tier, answers, price) in CLASSES {
        let said = match way {
            Way::Converse => format!(r#""serviceTier":{{"type":"{answers}"}}"#),
            _ => format!(r#""service_tier":"{answers}""#),
        };
        for streamed in [false, true] {
            let simulator = TestSimulator::instant().await;
            let reply = asking(&simulator, way, tier, streamed).send().await;
            let reply = reply.unwrap();
            assert_eq!(reply.status(), 200, "{way:?} {tier}");
            let body = pieces(reply, Instant::now()).await.bytes;
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains(&said), "{way:?} {tier}: {body}");
            let call = simulator.call(1).await;
            let expected = price.map(|price| call.output_tokens * price);
            let charged = call.charge.map(|charge| charge.output);
            assert_eq!(charged, expected, "{way:?} {tier}");
        }
    }
}

#[tokio::test]
async fn a_response_says_what_it_was_asked_for_until_it_has_answered() {
    let simulator = TestSimulator::instant().await;
    let request = asking(&simulator, Way::Responses, "auto", true);
    let body = pieces(request.send().await.unwrap(), Instant::now()).await;
    let body = String::from_utf8_lossy(&body.bytes).into_owned();
    let (created, completed) = body.split_once("response.completed").unwrap();
    assert!(created.contains(r#""service_tier":"auto""#), "{created}");
    assert!(
        completed.contains(r#""service_tier":"default""#),
        "{completed}"
    );
}

#[tokio::test]
async fn invoke_has_it_in_a_header_and_the_bill_is_told_apart_by_it() {
    let simulator = TestSimulator::instant().await;
    for tier in ["flex", "priority", "default"] {
        for streamed in [false, true] {
            let reply = asking(&simulator, Way::Invoke, tier, streamed).send().await;
            let reply = reply.unwrap();
            assert_eq!(reply.headers()["x-amzn-bedrock-service-tier"], tier);
            assert!(pieces(reply, Instant::now()).await.whole);
        }
    }
    simulator.call(6).await;
    let rows = simulator.control().meter().rows;
    let tiers: Vec<_> = rows.iter().map(|row| row.service_tier).collect();
    let expected = [
        ServiceTier::Standard,
        ServiceTier::Flex,
        ServiceTier::Priority,
    ];
    assert_eq!(tiers, expected);
    let (_, bill) = json(simulator.get("/control/invoice")).await;
    let sums = bill["models"].as_array().unwrap().iter();
    let charged = |bill: &Value| bill["charge"]["input"].as_u64().unwrap();
    let inputs: Vec<u64> = sums.map(charged).collect();
    assert_eq!(inputs[1] * 2, inputs[0]);
    assert_eq!(inputs[2] * 4, inputs[0] * 7);
    assert_eq!(bill["lines"][0]["serviceTier"], "flex");
}

#[tokio::test]
async fn words_that_the_vendor_does_not_know_are_refused() {
    let simulator = TestSimulator::instant().await;
    for (way, tier) in [
        (Way::Messages, "priority"),
        (Way::Chat, "standard"),
        (Way::Responses, "reserved"),
        (Way::Converse, "auto"),
        (Way::Invoke, "scale"),
    ] {
        let (status, error) = json(asking(&simulator, way, tier, false)).await;
        assert_eq!(status, 400, "{way:?} {error}");
        let text = error.to_string().to_lowercase();
        assert!(text.contains("tier"), "{way:?} {error}");
    }
}
