//! Keys that the simulator was told of.

use llm_simulator::SimulatorConfig;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::client::{TestSimulator, json, prompt};

async fn with_keys(keys: &str) -> TestSimulator {
    TestSimulator::start(SimulatorConfig {
        keys: keys.parse().unwrap(),
        ..SimulatorConfig::instant()
    })
    .await
}

fn chat(simulator: &TestSimulator, key: &str) -> RequestBuilder {
    let body = json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello"}]});
    let request = simulator.post("/v1/chat/completions", &body);
    request.header("authorization", format!("Bearer {key}"))
}

#[tokio::test]
async fn a_listed_vendor_takes_its_keys_only_and_others_take_every_key() {
    let simulator = with_keys("openai=sk-1,openai=sk-2,anthropic=ant-1").await;
    for (key, expected) in [("sk-1", 200), ("sk-2", 200), ("sk-3", 401), ("ant-1", 401)] {
        let (status, reply) = json(chat(&simulator, key)).await;
        assert_eq!(status, expected, "{key}");
        if status == 401 {
            assert_eq!(reply["error"]["code"], "invalid_api_key");
            assert!(
                !reply.to_string().contains(key),
                "the key is repeated: {reply}"
            );
        }
        let models = simulator
            .get("/v1/models")
            .header("authorization", format!("Bearer {key}"));
        assert_eq!(json(models).await.0, expected, "{key}");
    }
    for (header, value, expected) in [
        ("x-api-key", "ant-1", 200),
        ("authorization", "Bearer ant-1", 200),
        ("x-api-key", "ant-2", 401),
        ("authorization", "Bearer sk-1", 401),
    ] {
        for path in ["/v1/messages", "/v1/messages/count_tokens"] {
            let request = simulator
                .post(path, &prompt(json!({})))
                .header(header, value);
            let (status, reply) = json(request.header("anthropic-version", "2023-06-01")).await;
            assert_eq!(status, expected, "{header}: {value}");
            if status == 401 {
                assert_eq!(reply["error"]["type"], "authentication_error");
            }
        }
    }
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]});
    let bedrock = simulator.post("/model/amazon.nova-lite-v1:0/converse", &body);
    assert_eq!(
        json(bedrock.header("authorization", "Bearer any")).await.0,
        200
    );
}

#[tokio::test]
async fn signatures_by_listed_keys_are_verified_and_by_others_pass() {
    let simulator = with_keys("bedrock=AKLISTED:secret,bedrock=api-key").await;
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]});
    let send = async |authorization: String| {
        let request = simulator.post("/model/amazon.nova-lite-v1:0/converse", &body);
        let request = request
            .header("authorization", authorization)
            .header("x-amz-date", "20200101T000000Z");
        let reply = request.send().await.unwrap();
        let kind = reply.headers().get("x-amzn-errortype").cloned();
        let status = reply.status().as_u16();
        assert!(
            !reply
                .json::<Value>()
                .await
                .unwrap()
                .to_string()
                .contains("AKLISTED")
        );
        (status, kind.map(|kind| kind.to_str().unwrap().to_owned()))
    };
    let signed = |id: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/20200101/us-east-1/bedrock/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(64)
        )
    };
    let invalid = Some("InvalidSignatureException".to_owned());
    assert_eq!(send(signed("AKLISTED")).await, (403, invalid));
    assert_eq!(send(signed("AKOTHER")).await, (200, None));
    assert_eq!(send("Bearer api-key".to_owned()).await, (200, None));
    let denied = Some("AccessDeniedException".to_owned());
    assert_eq!(send("Bearer other".to_owned()).await, (403, denied));
}
