//! The second family of clients: tests that are configured once and executed.

use reqwest::Method;
use serde_json::{Value, json};
use test_support::access::{ADMIN, COLLEAGUE, ENGINEER, STRANGER};
use test_support::load_target::LoadTarget;
use test_support::wait;

use crate::access::Guarded;
use crate::test_service::{RUN_DEADLINE, TestService};

const TESTS: &str = "/api/performance/tests";

fn load() -> Value {
    json!({
        "testType": "load",
        "configuration": {"testName": "checkout", "vus": 1, "duration": "2s"},
        "environment": "staging",
    })
}

#[tokio::test]
async fn a_test_is_executed_configured_and_removed() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let execute = format!("{TESTS}/execute");
    let begun = guarded.post(ENGINEER, &execute, &load()).await?;
    assert_eq!(begun.status(), 202);
    let begun: Value = begun.json().await?;
    assert_eq!(begun["status"], "queued", "{begun}");
    assert!(begun["estimatedCompletion"].is_string(), "{begun}");
    let id = begun["testId"].as_str().unwrap().to_owned();
    let one = format!("{TESTS}/{id}");
    let test = wait::until("the test is completed", RUN_DEADLINE, async || {
        let test: Value = guarded.get(ENGINEER, &one).await?.json().await?;
        anyhow::ensure!(test["latest"]["status"] == "completed", "{test}");
        Ok(test)
    })
    .await?;
    assert!(test["latest"]["results"]["metrics"].is_object(), "{test}");
    assert_eq!(test["verdict"]["level"], "PASS", "{test}");
    assert_eq!(test["configuration"]["options"]["virtualUsers"], 1);
    assert!(test["latest"].get("estimatedCompletion").is_none());
    // The run is one of the first family as well.
    let run = test["latest"]["runId"].as_str().unwrap();
    let run = guarded
        .get(ENGINEER, &format!("/api/v1/performancetest/{run}"))
        .await?;
    assert_eq!(run.json::<Value>().await?["scenario"], "Load");

    let again = guarded.post(ENGINEER, &execute, &load()).await?;
    assert_eq!(
        again.json::<Value>().await?["testId"],
        id,
        "one test, one id"
    );
    // Who takes its name takes it over, which is a change as well.
    let taken = guarded.post(COLLEAGUE, &execute, &load()).await?;
    assert_eq!(taken.status(), 403);
    let config = format!("{one}/config");
    let changed = json!({"vus": 2, "duration": "1s"});
    for (token, status) in [(STRANGER, 404), (COLLEAGUE, 403), (ENGINEER, 200)] {
        let reply = guarded
            .ask(token, Method::PUT, &config, Some(&changed))
            .await?;
        assert_eq!(reply.status(), status, "{token}");
    }
    let renamed = json!({"testName": "other"});
    let reply = guarded
        .ask(ENGINEER, Method::PUT, &config, Some(&renamed))
        .await?;
    assert_eq!(reply.status(), 400);
    let all: Value = guarded.get(ENGINEER, TESTS).await?.json().await?;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    assert_eq!(all[0]["configuration"]["options"]["virtualUsers"], 2);
    assert_eq!(all[0]["testName"], "checkout");
    for (token, status) in [
        (STRANGER, 404),
        (COLLEAGUE, 403),
        (ADMIN, 204),
        (ADMIN, 404),
    ] {
        let reply = guarded.ask(token, Method::DELETE, &one, None).await?;
        assert_eq!(reply.status(), status, "{token}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_named() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (change, status, field) in [
        (json!({"testType": "chaos"}), 400, "testType"),
        (json!({"environment": "moon"}), 400, "environment"),
        (json!({"environment": 1}), 400, "environment"),
        (json!({"environment": "production"}), 403, ""),
        (
            json!({"configuration": {"vus": 0}}),
            400,
            "configuration.options.virtualUsers",
        ),
        (
            json!({"configuration": {"testScript": "../x"}}),
            400,
            "configuration.testScript",
        ),
        (
            json!({"configuration": {"environment": {"BASE_URL": "http://127.0.0.1:1"}}}),
            400,
            "configuration.environment.BASE_URL",
        ),
    ] {
        let mut body = load();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let url = format!("{}{TESTS}/execute", service.base_url);
        let reply = service.client.post(url).json(&body).send().await?;
        assert_eq!(reply.status(), status, "{change}");
        let problem: Value = reply.json().await?;
        let named = field.is_empty() || problem["errors"][field].is_array();
        assert!(named, "{change}: {problem}");
    }
    assert_eq!(service.get_json(TESTS).await?, json!([]));
    Ok(())
}

#[tokio::test]
async fn production_is_a_target_that_asks_for_its_grant() -> anyhow::Result<()> {
    let (local, shop) = (LoadTarget::start().await?, LoadTarget::start().await?);
    let targets = format!("local={},shop={}", local.base_url, shop.base_url);
    let guarded = Guarded::start(&[
        ("PERFORMANCE_TARGETS", &targets),
        ("PERFORMANCE_PRODUCTION_TARGETS", "shop"),
        ("PERFORMANCE_ENVIRONMENTS", "production=shop"),
    ])
    .await?;
    let execute = format!("{TESTS}/execute");
    let mut body = load();
    body["environment"] = json!("production");
    assert_eq!(guarded.post(ADMIN, &execute, &body).await?.status(), 403);
    body["configuration"]["confirmProduction"] = json!("shop");
    assert_eq!(guarded.post(ENGINEER, &execute, &body).await?.status(), 403);
    let begun = guarded.post(ADMIN, &execute, &body).await?;
    assert_eq!(begun.status(), 202);
    wait::until("load reaches the shop", RUN_DEADLINE, async || {
        anyhow::ensure!(shop.requests() > 0, "no request yet");
        Ok(())
    })
    .await?;
    assert_eq!(local.requests(), 0);
    Ok(())
}

/// One trigger and one decision: what is refused has changed nothing, and what is done has a record
/// of the test and one of its run.
#[tokio::test]
async fn an_execution_that_is_refused_leaves_the_test_as_it_was() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[("PERFORMANCE_TENANT_TRIGGERS_PER_MINUTE", "2")]).await?;
    let execute = format!("{TESTS}/execute");
    for users in [1, 2] {
        let mut body = load();
        body["configuration"]["vus"] = json!(users);
        let begun = guarded.post(ENGINEER, &execute, &body).await?;
        assert_eq!(begun.status(), 202, "{}", begun.text().await?);
    }
    let mut body = load();
    body["configuration"]["vus"] = json!(3);
    let refused = guarded.post(ENGINEER, &execute, &body).await?;
    assert_eq!(refused.status(), 429);
    let all: Value = guarded.get(ENGINEER, TESTS).await?.json().await?;
    let users = &all[0]["configuration"]["options"]["virtualUsers"];
    assert_eq!(users, 2, "{all}");

    let audit = "/api/v1/performancetest/audit";
    let page: Value = guarded.get(ADMIN, audit).await?.json().await?;
    let records = page["records"].as_array().unwrap();
    let told = |record: &Value| {
        let has = |name: &str| record[name].is_string();
        let action = record["action"].as_str().unwrap_or_default().to_owned();
        let status = record["status"].as_u64().unwrap_or_default();
        (action, status, has("objectBefore"), has("objectAfter"))
    };
    let call = format!("POST {execute}");
    let run = "test checkout".to_owned();
    let expected = [
        (call.clone(), 429, false, false),
        (call.clone(), 202, true, true),
        (run.clone(), 202, false, true),
        (call, 202, false, true),
        (run, 202, false, true),
    ];
    let all: Vec<_> = records.iter().map(told).collect();
    assert_eq!(all, expected, "{page}");
    assert_eq!(
        records[1]["objectBefore"], records[3]["objectAfter"],
        "{page}"
    );
    assert_eq!(records[2]["requestId"], records[1]["requestId"]);
    Ok(())
}
