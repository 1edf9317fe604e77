//! From the request to the verdict.

use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService, processes_of};

#[tokio::test]
async fn a_run_is_carried_out_and_passes() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let reply = service
        .ask(&json!({
            "testName": "first",
            "scenario": "smoke",
            "environment": {"COUNT": 7},
            "options": {"virtualUsers": 3, "duration": "3s", "outputFormat": "json"},
            "userEmail": "ana@example.test",
            "unknownMember": {"is": "ignored"},
        }))
        .await?;
    let location = reply.headers()["location"].to_str()?.to_owned();
    let begun: Value = reply.json().await?;
    let id = begun["testId"].as_str().unwrap();
    assert_eq!(location, format!("/api/v1/performancetest/{id}"));
    assert_eq!(begun["status"], "Queued");
    assert_eq!(begun["number"], 1);

    let run = service.wait_for_end(id).await?;
    assert_eq!(run["status"], "Completed", "{run}");
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    assert_eq!(run["verdict"]["exitCode"], 0);
    assert_eq!(run["options"]["virtualUsers"], 3);
    assert_eq!(run["environment"]["COUNT"], "7");
    let sent: Vec<String> = (1..=3)
        .map(|user| format!("vu={user}&scenario=smoke&count=7"))
        .collect();
    assert_eq!(
        service.target.queries().into_iter().collect::<Vec<_>>(),
        sent
    );

    check_figures(&service, &location, &run).await?;
    let logs = service.get_text(&format!("{location}/logs")).await?;
    assert!(logs.contains("scenario smoke"), "{logs}");
    let metrics = service.get_text("/metrics").await?;
    assert!(
        metrics.contains(r#"performance_runs_total{scenario="smoke",verdict="pass"} 1"#),
        "{metrics}"
    );
    Ok(())
}

/// Results and timeline against what the target counted.
async fn check_figures(service: &TestService, location: &str, run: &Value) -> anyhow::Result<()> {
    let results = service.get_json(&format!("{location}/results")).await?;
    assert_eq!(results, run["results"]);
    let requests = &results["metrics"]["http_reqs"];
    assert_eq!(requests["type"], "counter");
    assert_eq!(
        requests["values"]["count"],
        as_float(service.target.requests())
    );
    let durations = &results["metrics"]["http_req_duration"]["values"];
    for stat in ["avg", "min", "med", "max", "p(90)", "p(95)", "p(99)"] {
        assert!(durations[stat].as_f64() > Some(0.0), "{stat}: {durations}");
    }
    assert_eq!(results["checks"][0]["name"], "status is 200");
    assert_eq!(results["checks"][0]["successRate"], 1.0);
    assert_eq!(results["thresholds"]["allPassed"], true);
    assert_eq!(
        results["thresholds"]["results"]["http_reqs: count>0"]["ok"],
        true
    );

    let timeline = service.get_json(&format!("{location}/timeline")).await?;
    let counted: u64 = timeline
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, service.target.requests());
    Ok(())
}

#[tokio::test]
async fn a_crossed_threshold_fails_with_its_reason() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({
            "scenario": 0,
            "vus": 1,
            "duration": "2s",
            "options": {"thresholds": {"http_req_duration": "p(95)<0.0001"}},
        }))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["testName"], "Smoke test");
    assert_eq!(run["status"], "Completed");
    assert_eq!(run["verdict"]["level"], "FAIL");
    assert_eq!(run["verdict"]["exitCode"], 2);
    let reason = run["verdict"]["reasons"][0].as_str().unwrap();
    assert!(
        reason.contains("http_req_duration: p(95)<0.0001"),
        "{reason}"
    );
    assert_eq!(run["results"]["thresholds"]["allPassed"], false);
    Ok(())
}

/// A store that fails for some seconds just at the end.
#[tokio::test]
async fn a_store_that_is_locked_at_the_end_costs_nothing() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 1, "duration": "3s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    service.wait_for(&id, "Running").await?;
    let file = service.state.path().join("data/performance.sqlite");
    let other = rusqlite::Connection::open(file)?;
    other.busy_timeout(RUN_DEADLINE)?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    wait::until("the last seconds wait", RUN_DEADLINE, async || {
        let log = service.process.log();
        anyhow::ensure!(log.matches("the last measurements are not stored").count() >= 3);
        Ok(())
    })
    .await?;
    assert!(processes_of(&service.directory(&id)).is_empty());
    assert_eq!(service.run(&id).await?["status"], "Running");
    other.execute_batch("ROLLBACK")?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    assert_eq!(
        run["verdict"]["reasons"].as_array().map(Vec::len),
        Some(1),
        "{run}"
    );
    let location = format!("/api/v1/performancetest/{id}");
    check_figures(&service, &location, &run).await
}

/// One that fails when k6 is let loose: there is load that no record of the run tells of.
#[tokio::test]
async fn a_start_that_cannot_be_recorded_hides_no_load() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 1, "duration": "60s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    service.wait_for(&id, "Starting").await?;
    let file = service.state.path().join("data/performance.sqlite");
    let other = rusqlite::Connection::open(file)?;
    other.busy_timeout(RUN_DEADLINE)?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    let samples = service.directory(&id).join("k6-1/samples.ndjson");
    wait::until("load is put on and ended", RUN_DEADLINE, async || {
        anyhow::ensure!(std::fs::metadata(&samples)?.len() > 0, "no load yet");
        anyhow::ensure!(processes_of(&service.directory(&id)).is_empty(), "k6 runs");
        Ok(())
    })
    .await?;
    other.execute_batch("ROLLBACK")?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["status"], "Failed");
    assert_eq!(run["verdict"]["level"], "INVALID");
    let reason = run["errorMessage"].as_str().unwrap_or_default();
    assert!(reason.contains("could not be recorded"), "{run}");
    let requests = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
    assert!(requests.as_f64() > Some(0.0), "what it did is told: {run}");
    Ok(())
}

#[tokio::test]
async fn the_older_k6_does_the_same() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({
            "scenario": "Smoke",
            "options": {"k6Version": "v1", "virtualUsers": 2, "duration": "2s"},
        }))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    assert!(service.process.log().contains(r#""k6.version":"1."#));
    Ok(())
}

#[tokio::test]
async fn a_script_that_cannot_run_is_invalid_not_failing() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (script, word) in [
        ("tests/broken.js", "this script is broken"),
        ("tests/aborts.js", "aborted"),
    ] {
        let id = service.begin(&json!({"testScript": script})).await?;
        let run = service.wait_for_end(&id).await?;
        assert_eq!(run["status"], "Failed", "{run}");
        assert_eq!(run["verdict"]["level"], "INVALID", "{run}");
        assert_eq!(run["verdict"]["exitCode"], 2);
        let message = run["errorMessage"].as_str().unwrap();
        assert!(message.contains(word), "{script}: {message}");
    }
    Ok(())
}

#[tokio::test]
async fn quick_starts_take_no_body_and_any_case() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let reply = service
        .client
        .post(format!(
            "{}/api/v1/PerformanceTest/quick-start/SMOKE",
            service.base_url
        ))
        .header("content-type", "application/json")
        .body("{not json")
        .send()
        .await?;
    assert_eq!(reply.status(), 201);
    let run: Value = reply.json().await?;
    assert_eq!(run["options"]["virtualUsers"], 2);
    assert_eq!(run["options"]["duration"], "2m");
    assert_eq!(
        run["options"]["thresholds"]["http_req_duration"],
        json!(["p(95)<3000", "p(99)<5000"])
    );
    let setup: Value = service.post("/quick-setup").await?.json().await?;
    assert!(setup["message"].as_str().unwrap().contains("Smoke"));
    let second = service.run(setup["testId"].as_str().unwrap()).await?;
    assert_eq!(second["status"], "Queued");
    assert_eq!(second["number"], 2);
    Ok(())
}

fn as_float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
