//! `Idempotency-Key`: what is sent twice happens once.

use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};

use crate::test_service::TestService;

const FAMILY: &str = "/api/v1/performancetest";
const START: &str = "/api/v1/performancetest/start";
const RUNS: &str = "/api/v1/performancetest/tests";

impl TestService {
    async fn keyed(&self, key: &str, path: &str, body: &Value) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.base_url);
        let request = self.client.post(url).header("idempotency-key", key);
        Ok(request.json(body).send().await?)
    }

    /// How many were asked for, and not by a search.
    async fn count_runs(&self) -> anyhow::Result<usize> {
        let runs = self.get_json(RUNS).await?;
        let asked = |run: &&Value| run["trigger"].is_null();
        let runs = runs
            .as_array()
            .map(|runs| runs.iter().filter(asked).count());
        Ok(runs.unwrap_or(0))
    }
}

fn smoke() -> Value {
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
        // A secret is told once.
        if let Some(members) = first.as_object_mut() {
            members.remove("signingSecret");
        }
        assert_eq!(first, again, "{path}");
    }
    let file = service.state.path().join("data/performance.sqlite");
    let kept = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
    assert!(!kept.contains("whsec_"));
    Ok(())
}

/// Kills of the service at moments that nobody chose, while it carries a request out.
const KILLS: u32 = 10;

/// What a request takes on an idle machine; on a busy one the kills come earlier in it.
const WHOLE_REQUEST: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_request_whose_service_is_killed_makes_one_thing() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut random = fastrand::Rng::with_seed(7);
    let (mut answered, mut made) = (0, 0);
    for number in 1..=u64::from(KILLS) {
        let key = format!("k-{number}");
        let body = smoke();
        let moment = WHOLE_REQUEST.mul_f64(random.f64());
        let kill = async {
            until(moment).await;
            service.process.kill();
        };
        let (first, ()) = tokio::join!(service.keyed(&key, START, &body), kill);
        service.process.start_again()?;
        service.ready().await?;
        made += u64::from(service.count_runs().await? == usize::try_from(number)?);
        let id = again(&service, &key, START, &body).await?["testId"].take();
        // A connection may be cut in the middle of its answer.
        if let Ok(first) = first
            && let Ok(told) = first.json::<Value>().await
        {
            assert_eq!(told["testId"], id, "killed after {moment:?}");
            answered += 1;
        }
        assert_eq!(
            service.count_runs().await?,
            usize::try_from(number)?,
            "killed after {moment:?}"
        );
        let id = id.as_str().context("an id")?;
        service
            .post(&format!("/api/v1/performancetest/{id}/cancel"))
            .await?;
    }
    println!("{KILLS} kills: {made} runs were made before, {answered} of them told");
    Ok(())
}

/// What each route makes is found again where the service was killed between making it and keeping
/// the answer: a moment that no kill hits for sure.
#[tokio::test]
async fn what_was_made_before_the_kill_is_found() -> anyhow::Result<()> {
    let service = webhook_service().await?;
    let mut first = Vec::new();
    for (path, body, status) in makers() {
        let reply = service.keyed(&path, &path, &body).await?;
        assert_eq!(reply.status(), status, "{path}");
        first.push(reply.json::<Value>().await?);
    }
    service.process.kill();
    let file = service.state.path().join("data/performance.sqlite");
    let forgotten = rusqlite::Connection::open(file)?.execute(
        "UPDATE idempotency_keys SET state = 'open', status = NULL, body = NULL",
        [],
    )?;
    assert_eq!(forgotten, first.len());
    service.process.start_again()?;
    service.ready().await?;
    let runs = service.count_runs().await?;
    for ((path, body, status), first) in makers().into_iter().zip(&first) {
        let reply = service.keyed(&path, &path, &body).await?;
        assert_eq!(reply.status(), status, "{path}");
        assert!(
            !reply.headers().contains_key("idempotent-replayed"),
            "{path}"
        );
        let again: Value = reply.json().await?;
        for name in [
            "testId",
            "searchId",
            "name",
            "createdAt",
            "changedAt",
            "signingSecret",
        ] {
            assert_eq!(first[name], again[name], "{path}: {name}");
        }
        // From then on the answer is kept.
        let kept = service.keyed(&path, &path, &body).await?;
        assert_eq!(kept.headers()["idempotent-replayed"], "true", "{path}");
    }
    assert_eq!(service.count_runs().await?, runs);
    for list in ["schedules", "webhooks", "capacity"] {
        let list = service.get_json(&format!("{FAMILY}/{list}")).await?;
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    }
    Ok(())
}

/// A service that has somebody to tell.
async fn webhook_service() -> anyhow::Result<TestService> {
    let target = ("PERFORMANCE_WEBHOOK_TARGETS", "team=http://127.0.0.1:9/");
    let secret = (
        "PERFORMANCE_WEBHOOK_SECRET",
        "0123456789-0123456789-0123456789",
    );
    TestService::start_with(&[target, secret]).await
}

/// Each route that makes something, what it is sent, and its status.
fn makers() -> Vec<(String, Value, u16)> {
    let execute = json!({"testType": "load", "environment": "staging", "configuration": smoke()});
    let search = json!({
        "testScript": "tests/smoke.js",
        "fromRate": 10,
        "toRate": 20,
        "options": {"thresholds": {"http_req_failed": ["rate<0.01"]}},
    });
    let schedule = json!({"name": "a", "cron": "0 2 * * *"});
    let webhook = json!({"name": "a", "target": "team"});
    vec![
        (START.to_owned(), smoke(), 201),
        (format!("{FAMILY}/quick-start/smoke"), json!({}), 201),
        ("/quick-setup".to_owned(), json!({}), 200),
        (format!("{FAMILY}/schedules"), schedule, 201),
        (format!("{FAMILY}/webhooks"), webhook, 201),
        ("/api/performance/tests/execute".to_owned(), execute, 202),
        (format!("{FAMILY}/capacity"), search, 201),
    ]
}

/// The answer to a request that is sent again after a restart.
async fn again(
    service: &TestService,
    key: &str,
    path: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let reply = service.keyed(key, path, body).await?;
    let status = reply.status();
    let told: Value = reply.json().await?;
    anyhow::ensure!(status == 201, "{status}: {told}");
    Ok(told)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of a crash is no event that could be awaited"
)]
async fn until(moment: Duration) {
    tokio::time::sleep(moment).await;
}
