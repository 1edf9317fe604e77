//! What happens to runs when the service ends under them.

use std::time::Duration;

use serde_json::json;
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService, end_processes_of, processes_of};

#[tokio::test]
async fn after_a_kill_the_run_goes_on_and_is_followed_again() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let waiting = service.begin(&short()).await?;
    let directory = service.directory(&id);
    service.process.kill();
    more_load(&service).await?;

    service.process.start_again()?;
    service.ready().await?;
    assert_eq!(service.run(&id).await?["status"], "Running");
    assert_eq!(service.run(&waiting).await?["status"], "Queued");
    let cancel = format!("/api/v1/performancetest/{id}/cancel");
    assert_eq!(service.post(&cancel).await?.status(), 204);
    let run = service.run(&id).await?;
    assert_eq!(run["status"], "Cancelled");
    assert_eq!(run["verdict"]["level"], "INVALID");
    assert!(processes_of(&directory).is_empty(), "nothing is left");

    // What was measured while the service was away is there, and each second was told once.
    let counted = run["results"]["metrics"]["http_reqs"]["values"]["count"].as_f64();
    assert!(counted > Some(20.0), "{run}");
    let times = told_seconds(&service, &id).await?;
    assert!(
        !times.is_empty() && times.is_sorted_by(|one, next| one < next),
        "{times:?}"
    );

    let run = service.wait_for_end(&waiting).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    Ok(())
}

/// A whole machine that is reset: nobody watched the end.
#[tokio::test]
async fn a_run_whose_supervisor_died_is_interrupted_with_what_it_measured() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let directory = service.directory(&id);
    more_load(&service).await?;
    service.process.kill();
    end_processes_of(&directory);

    service.process.start_again()?;
    service.ready().await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["status"], "Failed");
    assert_eq!(run["verdict"]["level"], "INVALID");
    let message = run["errorMessage"].as_str().unwrap();
    assert!(message.contains("interrupted"), "{message}");
    assert!(run["results"]["metrics"]["http_reqs"].is_object(), "{run}");
    Ok(())
}

/// Waits for a second of load, after which some samples are in their file.
async fn more_load(service: &TestService) -> anyhow::Result<()> {
    let before = service.target.requests();
    wait::until("load goes on", RUN_DEADLINE, async || {
        anyhow::ensure!(service.target.requests() > before + 20);
        Ok(())
    })
    .await
}

fn short() -> serde_json::Value {
    json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}})
}

/// The times of all seconds that a watcher is told of, in that order.
async fn told_seconds(service: &TestService, id: &str) -> anyhow::Result<Vec<u64>> {
    let url = format!("{}/performance-hub?test={id}", service.base_url);
    let request = service.client.get(url).header("last-event-id", "0");
    let text = request.send().await?.error_for_status()?.text().await?;
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let times = events.flat_map(|data| {
        let data: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
        let points = data["points"].as_array().cloned();
        let points = points.unwrap_or_else(|| vec![data]);
        points
            .into_iter()
            .filter_map(|point| point["t"].as_u64())
            .collect::<Vec<_>>()
    });
    Ok(times.collect())
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
