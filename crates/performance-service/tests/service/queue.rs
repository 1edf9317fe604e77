//! Runs that wait.

use serde_json::{Value, json};

use crate::test_service::TestService;

#[tokio::test]
async fn the_queue_is_bounded_and_kept_in_order() -> anyhow::Result<()> {
    let service = TestService::start_with(&[("PERFORMANCE_QUEUE_LIMIT", "2")]).await?;
    let long = service.begin_long().await?;
    let short = json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}});
    let second = service.begin(&short).await?;
    let third = service.begin(&short).await?;
    let refused = service.ask(&short).await?;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let metrics = service.get_text("/metrics").await?;
    assert!(metrics.contains("performance_queue_depth 2"), "{metrics}");

    let path = format!("/api/v1/performancetest/{long}/cancel");
    assert_eq!(service.post(&path).await?.status(), 204);
    let second = service.wait_for_end(&second).await?;
    let third = service.wait_for_end(&third).await?;
    for run in [&second, &third] {
        assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    }
    // One at a time.
    assert!(time(&third, "startedAt")? >= time(&second, "completedAt")?);
    let tests = service.get_json("/api/v1/performancetest/tests").await?;
    let numbers: Vec<u64> = tests
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    Ok(())
}

#[tokio::test]
async fn old_runs_and_their_files_are_removed() -> anyhow::Result<()> {
    let service = TestService::start_with(&[("PERFORMANCE_RUNS_KEPT", "1")]).await?;
    let broken = json!({"testScript": "tests/broken.js"});
    let first = service.begin(&broken).await?;
    service.wait_for_end(&first).await?;
    let second = service.begin(&broken).await?;
    service.wait_for_end(&second).await?;
    let cleaned: Value = service
        .post("/api/v1/performancetest/cleanup")
        .await?
        .json()
        .await?;
    assert!(cleaned["message"].as_str().unwrap().contains("leanup"));
    let gone = service
        .get(&format!("/api/v1/performancetest/{first}"))
        .await?;
    assert_eq!(gone.status(), 404);
    assert!(!service.directory(&first).exists());
    assert!(service.directory(&second).exists());
    Ok(())
}

/// Texts do not compare like times: the fraction has as many digits as it needs.
fn time(run: &Value, field: &str) -> anyhow::Result<jiff::Timestamp> {
    Ok(run[field].as_str().unwrap().parse()?)
}
