//! Nothing that leads back to an account is in a recorded library.

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing};
use llm_simulator::Library;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::library::Studio;

/// A provider whose answers tell whatever leads back to an account.
async fn indiscreet() -> (String, JoinHandle<()>) {
    let refused = || async {
        let told = "key \"canary-key\" of arn:aws:iam::123456789012:user/canary may not";
        let document = json!({"message": told, "error": {"message": told, "type": "x"}});
        (StatusCode::FORBIDDEN, Json(document)).into_response()
    };
    let thinking = || async {
        let events = concat!(
            "data: {\"type\":\"content_block_delta\",\"delta\":",
            "{\"type\":\"signature_delta\",\"signature\":\"canary+/==\"}}\n\n",
            "data: {\"type\":\"error\",\"error\":{\"type\":\"x\",\"message\":\"canary",
        );
        ([("content-type", "text/event-stream")], events).into_response()
    };
    let page = || async {
        let page = "<html>canary of 123456789012</html>";
        let html = [("content-type", "text/html")];
        (StatusCode::BAD_GATEWAY, html, page).into_response()
    };
    let router = Router::new()
        .route("/model/{*rest}", routing::post(refused))
        .route("/v1/models", routing::get(refused))
        .route("/v1/messages", routing::post(thinking))
        .route("/api/chat", routing::post(page));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        axum::serve(listener, router).await.unwrap();
    });
    (base, serving)
}

#[tokio::test]
async fn nothing_recorded_leads_back_to_an_account() {
    let (upstream, serving) = indiscreet().await;
    let studio = Studio::before_address(&upstream).await;
    let profile = "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fx";
    let model = json!({"model": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x"});
    for path in [
        &format!("/model/{profile}/converse"),
        "/v1/messages",
        "/api/chat",
    ] {
        let request = studio.client.post(format!("{}{path}", studio.base_url));
        let passed_on = request.json(&model).send().await.unwrap();
        let passed_on = passed_on.text().await.unwrap();
        assert!(passed_on.contains("canary"), "{path}: the caller sees all");
    }
    let models = format!("{}/v1/models", studio.base_url);
    let models = studio.client.get(models).send().await.unwrap();
    assert!(models.text().await.unwrap().contains("canary"));
    serving.abort();
    let text = std::fs::read_to_string(&studio.library).unwrap();
    assert_eq!(text.lines().count(), 5);
    for secret in ["canary", "123456789012"] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    assert!(text.contains("000000000000"));
    Library::load(studio.library.to_str().unwrap()).unwrap();
}
