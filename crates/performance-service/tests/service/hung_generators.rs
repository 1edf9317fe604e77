//! F16 of the table of faults beyond a killed k6: one that runs out of memory, one that hangs at
//! its end, one that hears no signal. Each fails its own run, keeps what was measured, and frees
//! its place.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use test_support::wait;

use crate::faults::{k6_in, until_written};
use crate::test_service::{RUN_DEADLINE, TestService, processes_of};

/// SIGINT, 9 s, SIGKILL, and what the service does after that, on a machine under load.
const STOP_LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn f16_a_k6_out_of_memory_fails_its_run_and_frees_its_place() -> anyhow::Result<()> {
    let service = TestService::start_with(&[("PERFORMANCE_RUN_MEMORY_MIB", "200")]).await?;
    let id = service
        .begin(&json!({"testScript": "tests/hog.js"}))
        .await?;
    let run = service.wait_for_end(&id).await?;
    let message = run["errorMessage"].as_str().context("a reason")?;
    assert!(message.contains("memory"), "{message}");
    over(&service, &run).await?;
    println!("F16, out of memory: {}, {message}", run["status"]);
    Ok(())
}

#[tokio::test]
async fn f16_a_k6_that_hangs_at_its_end_is_killed_when_it_is_told_to_stop() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({"testScript": "tests/hangs.js"}))
        .await?;
    wait::until("k6 hangs", RUN_DEADLINE, async || {
        ensure!(service.target.queries().contains("teardown"), "not yet");
        Ok(())
    })
    .await?;
    let took = stopped(&service, &id).await?;
    println!("F16, hangs at its end: Cancelled after {took:.1?}");
    Ok(())
}

#[tokio::test]
async fn f16_a_k6_that_hears_no_signal_is_killed_when_it_is_told_to_stop() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let directory = service.directory(&id).join("k6-1");
    until_written(&directory).await?;
    let k6 = Pid::from_raw(k6_in(&directory)?);
    // It takes no signal but the one that nobody can ignore.
    kill(k6, Signal::SIGSTOP)?;
    let took = stopped(&service, &id).await?;
    println!("F16, hears no signal: Cancelled after {took:.1?}");
    Ok(())
}

/// Cancels a run whose k6 does nothing about it; how long that takes.
async fn stopped(service: &TestService, id: &str) -> anyhow::Result<Duration> {
    let asked = Instant::now();
    let cancel = format!("/api/v1/performancetest/{id}/cancel");
    let status = service.post(&cancel).await?.status();
    ensure!(status == 204, "{status}");
    let run = service.wait_for_end(id).await?;
    let took = asked.elapsed();
    ensure!(
        run["status"] == "Cancelled" && took < STOP_LIMIT,
        "{took:?}: {run}"
    );
    over(service, &run).await?;
    Ok(took)
}

/// Nothing is left of a run but what it measured, and the next one passes.
async fn over(service: &TestService, run: &Value) -> anyhow::Result<()> {
    ensure!(run["verdict"]["level"] == "INVALID", "{run}");
    let counted = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
    ensure!(
        counted.as_f64() > Some(0.0),
        "what was measured is kept: {run}"
    );
    let id = run["testId"].as_str().context("an id")?;
    let left = processes_of(&service.directory(id));
    ensure!(left.is_empty(), "{left:?}");
    let short = json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}});
    let next = service.begin(&short).await?;
    let next = service.wait_for_end(&next).await?;
    ensure!(next["verdict"]["level"] == "PASS", "{next}");
    Ok(())
}
