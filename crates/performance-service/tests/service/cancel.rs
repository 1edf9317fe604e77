//! Stopping runs.

use std::time::Instant;

use serde_json::json;

use crate::test_service::{TestService, processes_of};

#[tokio::test]
async fn a_run_is_stopped_within_ten_seconds() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let running = service.get_json("/api/v1/performancetest/running").await?;
    assert_eq!(running[0]["testId"], *id);
    assert_eq!(
        processes_of(&service.directory(&id)).len(),
        2,
        "k6 and its supervisor"
    );

    let cancel = format!("/api/v1/performancetest/{id}/cancel");
    let asked = Instant::now();
    assert_eq!(service.post(&cancel).await?.status(), 204);
    assert!(asked.elapsed().as_secs() < 10);
    assert!(processes_of(&service.directory(&id)).is_empty());
    let run = service.run(&id).await?;
    assert_eq!(run["status"], "Cancelled");
    assert_eq!(run["verdict"]["level"], "INVALID");
    assert!(run["results"]["metrics"]["http_reqs"].is_object());

    let again = service.post(&cancel).await?;
    assert_eq!(again.status(), 409);
    assert_eq!(again.headers()["content-type"], "application/problem+json");
    let running = service.get_json("/api/v1/performancetest/running").await?;
    assert_eq!(running, json!([]));
    Ok(())
}

#[tokio::test]
async fn a_run_that_waits_is_taken_out_of_the_queue() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let first = service.begin_long().await?;
    let second = service.begin(&json!({"scenario": "Smoke"})).await?;
    let path = |id: &str| format!("/api/v1/performancetest/{id}/cancel");
    assert_eq!(service.post(&path(&second)).await?.status(), 204);
    assert_eq!(service.run(&second).await?["status"], "Cancelled");
    assert!(!service.directory(&second).exists());
    assert_eq!(service.run(&first).await?["status"], "Running");
    assert_eq!(service.post(&path(&first)).await?.status(), 204);
    Ok(())
}

#[tokio::test]
async fn an_unknown_run_cannot_be_stopped() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for id in ["0190a0b0c0d0e0f000112233445566ff", "nonsense", "..%2f.."] {
        let path = format!("/api/v1/performancetest/{id}/cancel");
        assert_eq!(service.post(&path).await?.status(), 404, "{id}");
    }
    Ok(())
}
