//! Bedrock's dialect.

mod invoke;

use std::time::Instant;

use llm_simulator::{MAX_REQUEST_BYTES, Outcome};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    client::{DEADLINE, TestSimulator, json, pieces},
    event_stream::{Frame, frames},
    openai::with_bearer,
};

const CLAUDE: &str = "us.anthropic.claude-sonnet-5-5-v1:0";
/// Tokens of the prompt "Hello, world!" with its frame, by the tokenizer's rules.
const PROMPT_TOKENS: u64 = 8;

fn conversation(fields: Value) -> Value {
    let mut body = json!({"messages": [{"role": "user", "content": [{"text": "Hello, world!"}]}]});
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn post(simulator: &TestSimulator, model: &str, action: &str, body: &Value) -> RequestBuilder {
    let model = model.replace(':', "%3A").replace('/', "%2F");
    with_bearer(simulator.post(&format!("/model/{model}/{action}"), body))
}

fn converse(simulator: &TestSimulator, fields: Value) -> RequestBuilder {
    post(simulator, CLAUDE, "converse", &conversation(fields))
}

async fn stream(request: RequestBuilder) -> Vec<Frame> {
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(
        reply.headers()["content-type"],
        "application/vnd.amazon.eventstream"
    );
    let body = pieces(reply, Instant::now()).await;
    assert!(body.whole);
    frames(&body.bytes)
}

#[tokio::test]
async fn a_conversation_has_the_vendor_shape_and_the_metered_usage() {
    let simulator = TestSimulator::instant().await;
    let reply = converse(&simulator, json!({})).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let request_id = reply.headers()["x-amzn-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        request_id.split('-').map(str::len).collect::<Vec<_>>(),
        [8, 4, 4, 4, 12]
    );
    let document: Value = reply.json().await.unwrap();
    let message = &document["output"]["message"];
    assert_eq!(message["role"], "assistant");
    assert!(!message["content"][0]["text"].as_str().unwrap().is_empty());
    assert_eq!(document["stopReason"], "end_turn");
    assert!(document["metrics"]["latencyMs"].is_u64());
    let call = simulator.call(1).await;
    assert_eq!(
        (call.outcome, call.request_id),
        (Outcome::Completed, request_id)
    );
    assert_eq!(call.model, CLAUDE);
    let usage = &document["usage"];
    assert_eq!(usage["inputTokens"], PROMPT_TOKENS);
    assert_eq!(usage["outputTokens"], call.output_tokens);
    assert_eq!(usage["totalTokens"], PROMPT_TOKENS + call.output_tokens);
    assert_eq!(usage["cacheReadInputTokens"], 0);

    let limit = json!({"inferenceConfig": {"maxTokens": 5}});
    let (_, limited) = json(converse(&simulator, limit)).await;
    assert_eq!(
        (&limited["stopReason"], &limited["usage"]["outputTokens"]),
        (&json!("max_tokens"), &json!(5))
    );
}

#[tokio::test]
async fn a_stream_has_right_checksums_and_says_what_the_whole_reply_says() {
    let simulator = TestSimulator::instant().await;
    let (_, whole) = json(converse(&simulator, json!({}))).await;
    simulator.control().reset();
    let frames = stream(post(
        &simulator,
        CLAUDE,
        "converse-stream",
        &conversation(json!({})),
    ))
    .await;
    let mut order: Vec<&str> = frames.iter().map(Frame::kind).collect();
    order.dedup();
    assert_eq!(
        order,
        [
            "messageStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata"
        ]
    );
    for frame in &frames {
        assert_eq!(frame.headers[":message-type"], "event");
        assert_eq!(frame.headers[":content-type"], "application/json");
    }
    let texts: Vec<&str> = frames
        .iter()
        .filter(|frame| frame.kind() == "contentBlockDelta")
        .map(|frame| frame.document["delta"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        whole["output"]["message"]["content"][0]["text"],
        texts.concat()
    );
    assert_eq!(frames[0].document, json!({"role": "assistant"}));
    let [.., stop, metadata] = &frames[..] else {
        panic!("too few frames")
    };
    assert_eq!(stop.document, json!({"stopReason": "end_turn"}));
    assert_eq!(metadata.document["usage"], whole["usage"]);
    assert!(metadata.document["metrics"]["latencyMs"].is_u64());
}

#[tokio::test]
async fn marked_prompts_are_cached_and_shown_as_such() {
    let simulator = TestSimulator::instant().await;
    let system =
        json!([{"text": "word ".repeat(1500)}, {"cachePoint": {"type": "default", "ttl": "1h"}}]);
    let fields = json!({"system": system});
    let (_, first) = json(converse(&simulator, fields.clone())).await;
    let (_, second) = json(converse(&simulator, fields)).await;
    let written = first["usage"]["cacheWriteInputTokens"].as_u64().unwrap();
    assert!(written >= 1500, "{first}");
    assert_eq!(
        first["usage"]["cacheDetails"],
        json!([{"inputTokens": written, "ttl": "1h"}])
    );
    for (reply, read) in [(&first, 0), (&second, written)] {
        let usage = &reply["usage"];
        assert_eq!(usage["cacheReadInputTokens"], read);
        assert_eq!(
            usage["inputTokens"], PROMPT_TOKENS,
            "cached tokens do not count here"
        );
        let output = usage["outputTokens"].as_u64().unwrap();
        assert_eq!(usage["totalTokens"], written + PROMPT_TOKENS + output);
    }
    assert!(
        second["usage"].get("cacheDetails").is_none(),
        "nothing was written"
    );
    let wrong =
        json!({"system": [{"text": "x"}, {"cachePoint": {"type": "default", "ttl": "2h"}}]});
    let (status, reply) = json(converse(&simulator, wrong)).await;
    assert_eq!(status, 400);
    assert!(
        reply["message"].as_str().unwrap().contains("ttl"),
        "{reply}"
    );
}

#[tokio::test]
async fn model_ids_come_encoded_bare_or_as_arns() {
    let simulator = TestSimulator::instant().await;
    let body = conversation(json!({}));
    let bare = with_bearer(simulator.post(&format!("/model/{CLAUDE}/converse"), &body));
    assert_eq!(json(bare).await.0, 200);
    assert_eq!(simulator.call(1).await.model, CLAUDE);
    let arn = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{CLAUDE}");
    assert_eq!(json(post(&simulator, &arn, "converse", &body)).await.0, 200);
    assert_eq!(simulator.call(2).await.model, arn);
    for path in ["/model/a%20b/converse", "/model/%ff/converse"] {
        let (status, reply) = json(with_bearer(simulator.post(path, &body))).await;
        assert_eq!(status, 400, "{path}");
        assert!(reply["message"].is_string());
    }
}

/// The official JavaScript client opens HTTP/2 without asking.
#[tokio::test]
async fn both_versions_of_http_are_served_on_one_port() {
    let simulator = TestSimulator::instant().await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .timeout(DEADLINE)
        .build()
        .unwrap();
    let url = format!("{}/model/{CLAUDE}/converse-stream", simulator.base_url());
    let request = with_bearer(client.post(url)).json(&conversation(json!({})));
    let reply = request.send().await.unwrap();
    assert_eq!(reply.version(), reqwest::Version::HTTP_2);
    let body = pieces(reply, Instant::now()).await;
    assert!(body.whole);
    assert_eq!(frames(&body.bytes).last().unwrap().kind(), "metadata");
    let reply = converse(&simulator, json!({})).send().await.unwrap();
    assert_eq!(reply.version(), reqwest::Version::HTTP_11);
}

#[tokio::test]
async fn credentials_are_signatures_or_keys_and_their_lack_is_403() {
    let simulator = TestSimulator::instant().await;
    let hex = "0123456789abcdef".repeat(4);
    let scope = "Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request";
    let signed = "SignedHeaders=host;x-amz-date";
    let signature = format!("Signature={hex}");
    let other_service = scope.replace("bedrock", "s3");
    let missing = "MissingAuthenticationTokenException";
    let incomplete = "IncompleteSignatureException";
    let cases: [(Vec<&str>, Option<&str>); 7] = [
        (vec![scope, signed, &signature], None),
        (vec![signed, &signature], Some(incomplete)),
        (vec![scope, &signature], Some(incomplete)),
        (vec![scope, signed], Some(incomplete)),
        (vec![scope, signed, "Signature=no"], Some(incomplete)),
        (
            vec![scope, "SignedHeaders=x-amz-date", &signature],
            Some(incomplete),
        ),
        (vec![&other_service, signed, &signature], Some(incomplete)),
    ];
    let send = async |authorization: Option<String>| {
        let path = format!("/model/{CLAUDE}/converse");
        let mut request = simulator.post(&path, &conversation(json!({})));
        request = request.header("x-amz-date", "20261121T120000Z");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let reply = request.send().await.unwrap();
        let kind = reply.headers().get("x-amzn-errortype");
        (
            reply.status().as_u16(),
            kind.map(|kind| kind.to_str().unwrap().to_owned()),
        )
    };
    for (parts, kind) in cases {
        let authorization = format!("AWS4-HMAC-SHA256 {}", parts.join(", "));
        let expected = if kind.is_some() { 403 } else { 200 };
        assert_eq!(
            send(Some(authorization)).await,
            (expected, kind.map(str::to_owned)),
            "{parts:?}"
        );
    }
    assert_eq!(send(None).await, (403, Some(missing.to_owned())));
    for wrong in ["Bearer ", "Basic x"] {
        let kind = "AccessDeniedException".to_owned();
        assert_eq!(
            send(Some(wrong.to_owned())).await,
            (403, Some(kind)),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn bad_requests_name_their_field() {
    let simulator = TestSimulator::instant().await;
    for (fields, named) in [
        (json!({"messages": null}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": 5}), "messages"),
        (
            json!({"messages": [{"role": "robot", "content": [{"text": "x"}]}]}),
            "messages.0.role",
        ),
        (
            json!({"messages": [{"role": "user", "content": []}]}),
            "messages.0",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"text": ""}]}]}),
            "messages.0",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}),
            "user message",
        ),
        (json!({"inferenceConfig": {"maxTokens": 0}}), "maxTokens"),
        (
            json!({"inferenceConfig": {"temperature": 1.5}}),
            "temperature",
        ),
        (json!({"inferenceConfig": {"topP": 0.5}}), "topP"),
    ] {
        let reply = converse(&simulator, fields.clone()).send().await.unwrap();
        assert_eq!(
            reply.headers()["x-amzn-errortype"],
            "ValidationException",
            "{fields}"
        );
        assert_eq!(reply.status(), 400);
        let document: Value = reply.json().await.unwrap();
        assert!(
            document["message"].as_str().unwrap().contains(named),
            "{fields}: {document}"
        );
    }
    let path = format!("/model/{CLAUDE}/converse");
    for (body, status) in [
        (String::new(), 400),
        ("{".to_owned(), 400),
        ("{} x".to_owned(), 400),
        (" ".repeat(MAX_REQUEST_BYTES + 1), 413),
    ] {
        let (got, reply) = json(with_bearer(simulator.post(&path, &Value::Null)).body(body)).await;
        assert_eq!(got, status);
        assert!(reply["message"].is_string());
    }
    let reply = simulator.get(&path).send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
    assert!(reply.headers().contains_key("x-amzn-errortype"));
}

/// Python sends no content type to invoke, JavaScript one of bytes.
#[tokio::test]
async fn a_body_is_read_whatever_its_type() {
    let simulator = TestSimulator::instant().await;
    let body = conversation(json!({})).to_string();
    for content_type in ["application/octet-stream", "text/plain"] {
        let request = post(&simulator, "amazon.nova-lite-v1:0", "invoke", &Value::Null);
        let request = request
            .header("content-type", content_type)
            .body(body.clone());
        assert_eq!(json(request).await.0, 200, "{content_type}");
    }
}

#[tokio::test]
async fn faults_have_this_vendors_shape() {
    let simulator = TestSimulator::instant().await;
    for (code, kind) in [
        (403, "AccessDeniedException"),
        (408, "ModelTimeoutException"),
        (424, "ModelErrorException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ] {
        let fault = json!({"status": {"code": code}});
        let rules = json!({"rules": [{"dialect": "bedrock", "fault": fault}]});
        assert_eq!(json(simulator.put("/control/faults", &rules)).await.0, 200);
        let reply = converse(&simulator, json!({})).send().await.unwrap();
        assert_eq!(
            (
                reply.status().as_u16(),
                &reply.headers()["x-amzn-errortype"]
            ),
            (code, &kind.parse().unwrap())
        );
        assert!(reply.json::<Value>().await.unwrap()["message"].is_string());
    }
    let rules = json!({"rules": [{"fault": {"streamError": {"afterTokens": 2}}}]});
    json(simulator.put("/control/faults", &rules)).await;
    for action in ["converse-stream", "invoke-with-response-stream"] {
        let request = post(
            &simulator,
            "amazon.nova-pro-v1:0",
            action,
            &conversation(json!({})),
        );
        let frames = stream(request).await;
        let last = frames.last().unwrap();
        assert_eq!(
            (frames.len(), last.kind()),
            (4, "modelStreamErrorException")
        );
        assert_eq!(last.headers[":message-type"], "exception");
        assert!(last.document["message"].is_string());
    }
}
