//! What happens to runs when the service ends under them.

use std::time::Duration;

use serde_json::json;
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService, processes_of};

#[tokio::test]
async fn after_a_kill_the_run_is_marked_and_its_k6_ended() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let interrupted = service.begin_long().await?;
    let waiting = service
        .begin(&json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}}))
        .await?;
    let directory = service.directory(&interrupted);
    service.process.kill();

    service.process.start_again()?;
    service.ready().await?;
    let run = service.run(&interrupted).await?;
    assert_eq!(run["status"], "Failed");
    assert_eq!(run["verdict"]["level"], "INVALID");
    let message = run["errorMessage"].as_str().unwrap();
    assert!(message.contains("interrupted"), "{message}");
    assert!(processes_of(&directory).is_empty(), "no k6 is left");

    // What waited is carried out now, and the interrupted run is not begun again.
    let run = service.wait_for_end(&waiting).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    assert_eq!(service.run(&interrupted).await?["status"], "Failed");
    Ok(())
}

#[tokio::test]
async fn a_shutdown_stops_the_run_and_says_so() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let directory = service.directory(&id);
    let status = service.process.terminate(Duration::from_secs(20)).await?;
    assert!(status.success(), "{status}");
    wait::until("k6 is gone", RUN_DEADLINE, async || {
        anyhow::ensure!(processes_of(&directory).is_empty());
        Ok(())
    })
    .await?;

    service.process.start_again()?;
    service.ready().await?;
    let run = service.run(&id).await?;
    assert_eq!(run["status"], "Failed");
    let message = run["errorMessage"].as_str().unwrap();
    assert!(message.contains("interrupted"), "{message}");
    assert!(run["results"]["metrics"]["http_reqs"].is_object(), "{run}");
    Ok(())
}
