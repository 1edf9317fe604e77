//! `Idempotency-Key`: what is sent twice happens once.

use anyhow::Context;
use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};

use crate::test_service::TestService;

pub(crate) const FAMILY: &str = "/api/v1/performancetest";
pub(crate) const START: &str = "/api/v1/performancetest/start";
const RUNS: &str = "/api/v1/performancetest/tests";

impl TestService {
    pub(crate) async fn keyed(
        &self,
        key: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.base_url);
        let request = self.client.post(url).header("idempotency-key", key);
        Ok(request.json(body).send().await?)
    }

    /// How many were asked for, and not by a search.
    pub(crate) async fn count_runs(&self) -> anyhow::Result<usize> {
        let runs = self.get_json(RUNS).await?;
        let asked = |run: &&Value| run["trigger"].is_null();
        let runs = runs
            .as_array()
            .map(|runs| runs.iter().filter(asked).count());
        Ok(runs.unwrap_or(0))
    }
}

pub(crate) fn smoke() -> Value {
    json!({"scenario": "Smoke", "vus": 1, "duration": "1s"})
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_also_after_a_restart() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let first = service.keyed("k-1", START, &smoke()).await?;
    assert_eq!(first.status(), 201);
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let location = first.headers()["location"].clone();
    let first: Value = first.json().await?;
    for round in 0..2 {
        let again = service.keyed("k-1", START, &smoke()).await?;
        assert_eq!(again.status(), 201, "{round}");
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        assert_eq!(again.headers()["location"], location);
        assert_eq!(again.json::<Value>().await?, first);
        if round == 0 {
            service.process.kill();
            service.process.start_again()?;
            service.ready().await?;
        }
    }
    assert_eq!(service.count_runs().await?, 1);
    let other = service
        .keyed("k-1", START, &json!({"scenario": "Load"}))
        .await?;
    assert_eq!(other.status(), 422);
    let problem: Value = other.json().await?;
    assert!(
        problem["type"]
            .as_str()
            .unwrap()
            .ends_with("idempotency-key-reused")
    );
    // The address belongs to the request.
    let quick = "/api/v1/performancetest/quick-start/smoke";
    assert_eq!(service.keyed("k-1", quick, &smoke()).await?.status(), 422);
    // Another user's key is another one, as is another tenant's.
    for (header, name) in [("x-user-id", "bob"), ("x-tenant-name", "other")] {
        let url = format!("{}{START}", service.base_url);
        let request = service.client.post(url).header("idempotency-key", "k-1");
        let reply = request.header(header, name).json(&smoke()).send().await?;
        assert_eq!(reply.status(), 201);
        assert!(!reply.headers().contains_key("idempotent-replayed"));
    }
    Ok(())
}

#[tokio::test]
async fn requests_that_cross_each_other_start_one_run() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let body = smoke();
    let replies = join_all((0..12).map(|_| service.keyed("k", START, &body))).await;
    let mut ids = Vec::new();
    for reply in replies {
        let reply = reply?;
        let status = reply.status();
        let told: Value = reply.json().await?;
        match status.as_u16() {
            201 => ids.push(told["testId"].to_string()),
            409 => assert!(
                told["type"]
                    .as_str()
                    .unwrap()
                    .ends_with("request-in-flight")
            ),
            _ => panic!("{status}: {told}"),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(service.count_runs().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let refused = service.keyed("k", START, &json!({"vus": 0})).await?;
    assert_eq!(refused.status(), 400);
    assert_eq!(service.keyed("k", START, &smoke()).await?.status(), 201);
    for key in ["", " ", "a b", &"x".repeat(129)] {
        let reply = service.keyed(key, START, &smoke()).await?;
        assert_eq!(reply.status(), 400, "{key:?}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"]["Idempotency-Key"].is_array(), "{problem}");
    }
    assert_eq!(service.count_runs().await?, 1);
    Ok(())
}

#[tokio::test]
async fn each_route_that_makes_something_takes_a_key() -> anyhow::Result<()> {
    let service = webhook_service().await?;
    for (path, body, status) in makers() {
        let first = service.keyed(&path, &path, &body).await?;
        assert_eq!(first.status(), status, "{path}");
        let mut first: Value = first.json().await?;
        let again = service.keyed(&path, &path, &body).await?;
        assert_eq!(again.status(), status, "{path}");
        assert_eq!(again.headers()["idempotent-replayed"], "true", "{path}");
        let again: Value = again.json().await?;
        // A secret is told once, and so is what a script looks like that is saved.
        if let Some(members) = first.as_object_mut() {
            for once in ["signingSecret", "script", "data"] {
                members.remove(once);
            }
        }
        assert_eq!(first, again, "{path}");
    }
    let file = service.state.path().join("data/performance.sqlite");
    let kept = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
    assert!(!kept.contains("whsec_"));
    Ok(())
}

#[tokio::test]
async fn a_script_that_is_not_saved_takes_no_key() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let (path, mut body, _) = makers()
        .into_iter()
        .find(|(path, ..)| path.ends_with("/generate"))
        .context("a route")?;
    body["save"] = Value::Null;
    for round in 0..2 {
        let reply = service.keyed("k", &path, &body).await?;
        assert_eq!(reply.status(), 200, "{round}");
        assert!(!reply.headers().contains_key("idempotent-replayed"));
        let told: Value = reply.json().await?;
        assert!(told["script"].is_string(), "{told}");
    }
    Ok(())
}

/// A service that has somebody to tell.
pub(crate) async fn webhook_service() -> anyhow::Result<TestService> {
    let target = ("PERFORMANCE_WEBHOOK_TARGETS", "team=http://127.0.0.1:9/");
    let secret = (
        "PERFORMANCE_WEBHOOK_SECRET",
        "0123456789-0123456789-0123456789",
    );
    TestService::start_with(&[target, secret]).await
}

/// Each route that makes something, what it is sent, and its status.
pub(crate) fn makers() -> Vec<(String, Value, u16)> {
    let execute = json!({"testType": "load", "environment": "staging", "configuration": smoke()});
    let search = json!({
        "testScript": "tests/smoke.js",
        "fromRate": 10,
        "toRate": 20,
        "options": {"thresholds": {"http_req_failed": ["rate<0.01"]}},
    });
    let schedule = json!({"name": "a", "cron": "0 2 * * *"});
    let webhook = json!({"name": "a", "target": "team"});
    let generated = json!({
        "from": "configuration",
        "document": {
            "title": "Work, and nothing else",
            "load": {"model": "open", "stages": [{"seconds": 1, "to": 1}]},
            "journey": [{"name": "worker", "step": [{"path": "/work"}]}],
        },
        "save": "work",
    });
    vec![
        (START.to_owned(), smoke(), 201),
        (format!("{FAMILY}/quick-start/smoke"), json!({}), 201),
        ("/quick-setup".to_owned(), json!({}), 200),
        (format!("{FAMILY}/schedules"), schedule, 201),
        (format!("{FAMILY}/schedules/a/run"), json!({}), 201),
        (format!("{FAMILY}/webhooks"), webhook, 201),
        (format!("{FAMILY}/webhooks/a/test"), json!({}), 202),
        (format!("{FAMILY}/generate"), generated, 201),
        ("/api/performance/tests/execute".to_owned(), execute, 202),
        (format!("{FAMILY}/capacity"), search, 201),
    ]
}
