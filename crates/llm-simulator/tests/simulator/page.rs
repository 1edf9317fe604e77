//! The page for people.

use serde_json::json;

use crate::client::{TestSimulator, json, prompt};

async fn page(simulator: &TestSimulator) -> String {
    let request = simulator.get("/");
    let reply = request.header("accept", "text/html").send().await.unwrap();
    let policy = reply.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    reply.text().await.unwrap()
}

#[tokio::test]
async fn people_see_a_page_and_clients_a_greeting() {
    let simulator = TestSimulator::instant().await;
    let greeting = simulator.get("/").send().await.unwrap();
    assert_eq!(greeting.text().await.unwrap(), "Ollama is running");
    let empty = page(&simulator).await;
    assert!(empty.contains("Nobody has called") && empty.contains("nothing fails"));
    assert!(!empty.contains("<script") && !empty.contains("style="));

    let model = "claude-<b>bold</b>";
    json(simulator.messages(&prompt(json!({"model": model})))).await;
    let shown = page(&simulator).await;
    assert!(!shown.contains("<b>bold") && shown.contains("claude-&#60;b&#62;bold"));
    assert!(shown.contains("no price") && shown.contains("completed"));
    let style = simulator.get("/page/style.css").send().await.unwrap();
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn buttons_turn_the_controls_without_scripts() {
    let simulator = TestSimulator::instant().await;
    let press = async |path: &str, site: &str| {
        let request = simulator.post(path, &json!({}));
        let reply = request.header("sec-fetch-site", site).send().await.unwrap();
        reply.status().as_u16()
    };
    // The client follows the redirect to the greeting.
    assert_eq!(press("/page/faults/rate-limit", "same-origin").await, 200);
    assert_eq!(press("/page/profile/gpt-like", "same-origin").await, 200);
    let shown = page(&simulator).await;
    assert!(shown.contains("429") && shown.contains("gpt-like: first token"));
    assert_eq!(json(simulator.messages(&prompt(json!({})))).await.0, 429);
    assert!(page(&simulator).await.contains("refused 429, by status"));

    for path in ["/page/reset", "/control/reset"] {
        assert_eq!(press(path, "cross-site").await, 403);
    }
    assert_eq!(simulator.control().meter().total.calls, 1);
    assert_eq!(press("/page/reset", "none").await, 200);
    assert_eq!(simulator.control().meter().total.calls, 0);
    for path in ["/page/faults/everything", "/page/profile/fastest"] {
        assert_eq!(press(path, "same-origin").await, 404);
    }
}
