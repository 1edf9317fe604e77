//! Ollama's dialect.

use std::time::Instant;

use llm_simulator::{MAX_REQUEST_BYTES, Operation};
use serde_json::{Value, json};

use crate::client::{TestSimulator, chat, json, lines, pieces};

#[tokio::test]
async fn a_chat_streams_by_default_and_ends_with_its_counts() {
    let simulator = TestSimulator::instant().await;
    let reply = simulator
        .post("/api/chat", &chat(json!({})))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["content-type"], "application/x-ndjson");
    let body = pieces(reply, Instant::now()).await;
    assert!(body.whole);
    let lines = lines(&body.bytes);

    let (last, tokens) = lines.split_last().unwrap();
    for line in tokens {
        assert_eq!(
            (&line["done"], &line["model"]),
            (&json!(false), &json!("llama3.2"))
        );
        assert_eq!(line["message"]["role"], "assistant");
        assert!(line.get("eval_count").is_none());
    }
    assert_eq!(
        (&last["done"], &last["done_reason"]),
        (&json!(true), &json!("stop"))
    );
    assert_eq!(last["message"]["content"], "");
    assert_eq!(last["eval_count"], tokens.len());
    for duration in ["total_duration", "prompt_eval_duration", "eval_duration"] {
        assert!(last[duration].is_u64(), "{duration}: {last}");
    }
    let call = simulator.call(1).await;
    assert_eq!(last["prompt_eval_count"], call.input_tokens);
    assert_eq!(call.output_tokens, tokens.len() as u64);

    simulator.control().reset();
    let (_, whole) = json(simulator.post("/api/chat", &chat(json!({"stream": false})))).await;
    let text: String = tokens
        .iter()
        .map(|line| line["message"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(whole["message"]["content"], text);
    assert_eq!(
        (&whole["done"], &whole["eval_count"]),
        (&json!(true), &last["eval_count"])
    );
}

#[tokio::test]
async fn a_completion_carries_its_text_bare() {
    let simulator = TestSimulator::instant().await;
    let body = json!({"model": "llama3.2", "prompt": "Hello", "options": {"num_predict": 4}});
    let reply = simulator.post("/api/generate", &body).send().await.unwrap();
    let lines = lines(&pieces(reply, Instant::now()).await.bytes);
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["response"], "The");
    assert!(lines[0].get("message").is_none());
    assert_eq!(
        (&lines[4]["done_reason"], &lines[4]["eval_count"]),
        (&json!("length"), &json!(4))
    );
    assert_eq!(simulator.call(1).await.operation, Operation::TextCompletion);
}

#[tokio::test]
async fn a_request_without_a_prompt_only_loads_the_model() {
    let simulator = TestSimulator::instant().await;
    for path in ["/api/chat", "/api/generate"] {
        let (status, reply) = json(simulator.post(path, &json!({"model": "llama3.2"}))).await;
        assert_eq!(status, 200);
        assert_eq!(
            (&reply["done"], &reply["done_reason"]),
            (&json!(true), &json!("load"))
        );
    }
    assert_eq!(simulator.control().meter().total.calls, 0);
}

#[tokio::test]
async fn bad_requests_are_refused_in_the_dialect() {
    let simulator = TestSimulator::instant().await;
    let send =
        async |path: &str, body: String| json(simulator.post(path, &Value::Null).body(body)).await;
    for path in ["/api/chat", "/api/generate", "/api/show"] {
        for body in ["", "{", "[]", "{}", r#"{"model":5}"#] {
            let (status, reply) = send(path, body.to_owned()).await;
            assert_eq!(status, 400, "{path} {body}");
            assert!(
                reply["error"]
                    .as_str()
                    .is_some_and(|error| !error.is_empty())
            );
        }
        let (status, _) = send(path, " ".repeat(MAX_REQUEST_BYTES + 1)).await;
        assert_eq!(status, 413);
    }
    let robot = json!({"model": "m", "messages": [{"role": "robot", "content": "x"}]});
    let (status, reply) = json(simulator.post("/api/chat", &robot)).await;
    assert_eq!(status, 400);
    assert!(reply["error"].as_str().unwrap().contains("robot"));
    let (status, reply) = json(simulator.post("/api/show", &json!({"model": "none"}))).await;
    assert_eq!(
        (status, &reply["error"]),
        (404, &json!("model 'none' not found"))
    );
    let (status, reply) = json(simulator.get("/api/chat")).await;
    assert_eq!(status, 405);
    assert!(reply["error"].is_string());
}

#[tokio::test]
async fn questions_about_the_server_and_its_models_are_answered() {
    let simulator = TestSimulator::instant().await;
    let greeting = simulator
        .get("/")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(greeting, "Ollama is running");
    let head = simulator.head("/").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.bytes().await.unwrap().is_empty());
    let (_, version) = json(simulator.get("/api/version")).await;
    assert!(version["version"].is_string());
    let (_, tags) = json(simulator.get("/api/tags")).await;
    let model = &tags["models"][0];
    assert_eq!(model["name"], "llama3.2:latest");
    assert_eq!(model["digest"].as_str().unwrap().len(), 64);
    assert_eq!(model["details"]["format"], "gguf");
    let (_, running) = json(simulator.get("/api/ps")).await;
    assert!(running["models"][0]["expires_at"].is_string());
    for name in ["model", "name"] {
        let (status, shown) = json(simulator.post("/api/show", &json!({name: "llama3.2"}))).await;
        assert_eq!(
            (status, &shown["capabilities"]),
            (200, &json!(["completion"]))
        );
    }
}
