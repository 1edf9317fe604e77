//! What one tenant may ask for: the answer names the limit, what is used and what is allowed.

use performance_store::MAX_WEBHOOKS;
use reqwest::Response;
use serde_json::{Value, json};

use crate::test_service::TestService;

/// Checks a refusal and gives its `Retry-After`, if it has one.
async fn refused(
    reply: Response,
    status: u16,
    limit: &str,
    (used, allowed): (u64, u64),
) -> anyhow::Result<Option<u64>> {
    assert_eq!(reply.status(), status, "{limit}");
    let retry = reply.headers().get("retry-after").cloned();
    let problem: Value = reply.json().await?;
    assert_eq!(problem["type"], "/problems/tenant-limit", "{problem}");
    let told = (&problem["limit"], &problem["used"], &problem["allowed"]);
    assert_eq!(told, (&json!(limit), &json!(used), &json!(allowed)));
    retry.map(|value| Ok(value.to_str()?.parse()?)).transpose()
}

#[tokio::test]
async fn a_run_that_is_too_large_is_forbidden() -> anyhow::Result<()> {
    let service = TestService::start_with(&[
        ("PERFORMANCE_TENANT_VIRTUAL_USERS", "3"),
        ("PERFORMANCE_TENANT_RUN_MINUTES", "1"),
    ])
    .await?;
    let users = service.ask(&json!({"vus": 4, "duration": "1s"})).await?;
    let retry = refused(users, 403, "virtualUsers", (4, 3)).await?;
    assert_eq!(retry, None);
    let long = service.ask(&json!({"vus": 1, "duration": "61s"})).await?;
    refused(long, 403, "runMinutes", (2, 1)).await?;
    // What the script asks for by itself is found before it starts.
    let by_script = json!({"testScript": "tests/crowd.js"});
    let id = service.begin(&by_script).await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["status"], "Failed");
    let reason = run["errorMessage"].as_str().unwrap();
    assert!(
        reason.contains("4 virtual users, allowed are 3"),
        "{reason}"
    );
    assert_eq!(service.target.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn the_load_of_a_day_is_bounded() -> anyhow::Result<()> {
    let service = TestService::start_with(&[("PERFORMANCE_TENANT_DAILY_VU_MINUTES", "2")]).await?;
    let hour = service.ask(&json!({"vus": 2, "duration": "61s"})).await?;
    let retry = refused(hour, 429, "virtualUserMinutesPerDay", (0, 2)).await?;
    assert!(retry.is_some_and(|seconds| (1..=86_400).contains(&seconds)));
    let long = service
        .begin(&json!({"scenario": "Smoke", "vus": 2, "duration": "60s"}))
        .await?;
    let next = service.ask(&json!({"scenario": "Smoke"})).await?;
    refused(next, 429, "virtualUserMinutesPerDay", (2, 2)).await?;
    // Another tenant has its own.
    let url = format!("{}/api/v1/performancetest/start", service.base_url);
    let other = service.client.post(url).header("x-tenant-name", "other");
    let other = other
        .json(&json!({"testScript": "tests/broken.js"}))
        .send()
        .await?;
    assert_eq!(other.status(), 201);
    let cancel = format!("/api/v1/performancetest/{long}/cancel");
    assert_eq!(service.post(&cancel).await?.status(), 204);
    Ok(())
}

#[tokio::test]
async fn waiting_runs_and_triggers_are_bounded() -> anyhow::Result<()> {
    let service = TestService::start_with(&[
        ("PERFORMANCE_TENANT_QUEUED", "1"),
        ("PERFORMANCE_TENANT_TRIGGERS_PER_MINUTE", "4"),
    ])
    .await?;
    service.begin_long().await?;
    let load = json!({"scenario": "Load"});
    service.begin(&load).await?;
    let full = service.ask(&load).await?;
    refused(full, 429, "queuedRuns", (1, 1)).await?;
    assert_eq!(service.ask(&json!({"vus": 0})).await?.status(), 400);
    let often = service.ask(&load).await?;
    let retry = refused(often, 429, "triggersPerMinute", (4, 4)).await?;
    assert!(retry.is_some_and(|seconds| (1..=60).contains(&seconds)));
    let forecast = service.ask_forecast(&load).await?;
    refused(forecast, 429, "triggersPerMinute", (4, 4)).await?;
    for (path, body) in [
        (
            "schedules",
            json!({"name": "a", "cron": "0 2 * * *", "run": {}}),
        ),
        ("generate", json!({"from": "har", "document": {}})),
    ] {
        let url = format!("{}/api/v1/performancetest/{path}", service.base_url);
        let often = service.client.post(url).json(&body).send().await?;
        refused(often, 429, "triggersPerMinute", (4, 4)).await?;
    }
    Ok(())
}

/// Waiting would not help, so that nothing tells when to try again.
#[tokio::test]
async fn no_more_webhooks_are_kept_than_a_tenant_may_have() -> anyhow::Result<()> {
    let service = TestService::start_with(&[
        ("PERFORMANCE_WEBHOOK_TARGETS", "team=http://127.0.0.1:9/x"),
        (
            "PERFORMANCE_WEBHOOK_SECRET",
            "0123456789abcdef0123456789abcdef",
        ),
    ])
    .await?;
    let url = format!("{}/api/v1/performancetest/webhooks", service.base_url);
    let make = async |name: String| {
        let body = json!({"name": name, "target": "team"});
        service.client.post(&url).json(&body).send().await
    };
    for number in 0..MAX_WEBHOOKS {
        assert_eq!(make(format!("hook-{number}")).await?.status(), 201);
    }
    let refused = make("one-more".to_owned()).await?;
    let kept = (MAX_WEBHOOKS, MAX_WEBHOOKS);
    let retry = self::refused(refused, 429, "webhooks", kept).await?;
    assert_eq!(retry, None);
    Ok(())
}
