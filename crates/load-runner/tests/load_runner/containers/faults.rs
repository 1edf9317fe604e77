//! What is left of a run in containers when somebody dies: its supervisor, its service, k6 or the
//! engine. Nothing that puts on load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use load_analysis::verdict::Level;
use load_runner::binary::MajorVersion;
use load_runner::exit::K6Exit;
use load_runner::process::ProcessIdentity;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use test_support::{container_engine, wait};

use super::engine::{LIMITS, open, open_with};
use crate::lab::{
    STOP_LIMIT, check_end, finish, k6_of, stopped, until_running, users_and_duration,
};

/// An engine that is gone is asked for this long, and a bit.
const LOST_LIMIT: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_supervisor_leaves_no_container() -> anyhow::Result<()> {
    let engine = Arc::new(container_engine().await?);
    let lab = open_with(Arc::clone(&engine), MajorVersion::V2, LIMITS).await?;
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    kill_one(&handle.process)?;
    let finished = finish(&handle).await?;
    check_end(&finished.end, K6Exit::Unknown, None)?;
    ensure!(finished.verdict.level == Level::Invalid);
    ensure!(k6_of(&handle).is_empty() && engine.containers().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_handle_and_a_dropped_start_leave_no_container() -> anyhow::Result<()> {
    let engine = Arc::new(container_engine().await?);
    let lab = open_with(Arc::clone(&engine), MajorVersion::V2, LIMITS).await?;
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    drop(handle);
    let begun = lab.ending("");
    let entry = begun.directory.join("order.json");
    let ordered = wait::until("k6 is ordered", LOST_LIMIT, async || {
        ensure!(entry.exists(), "not yet");
        Ok(())
    });
    tokio::select! {
        started = lab.start(begun) => ensure!(started.is_ok()),
        given = ordered => given?,
    }
    wait::until("nothing is left", LOST_LIMIT, async || {
        let left = engine.containers().await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_k6_is_killed() -> anyhow::Result<()> {
    let lab = open(MajorVersion::V2).await?;
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    let k6 = k6_of(&handle);
    let k6 = k6.first().context("a k6")?;
    kill(Pid::from_raw(i32::try_from(k6.pid)?), Signal::SIGSTOP)?;
    let asked = Instant::now();
    stopped(&handle, K6Exit::Signal(9)).await?;
    ensure!(
        asked.elapsed() < STOP_LIMIT + Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_dies_ends_the_run() -> anyhow::Result<()> {
    let engine = Arc::new(container_engine().await?);
    let lab = open_with(Arc::clone(&engine), MajorVersion::V2, LIMITS).await?;
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    let died = Instant::now();
    engine.kill();
    let finished = finish(&handle).await?;
    ensure!(died.elapsed() < LOST_LIMIT, "{:?}", died.elapsed());
    ensure!(
        finished.verdict.level == Level::Invalid,
        "{:?}",
        finished.verdict
    );
    ensure!(k6_of(&handle).is_empty(), "k6 goes on");
    let refused = lab
        .start(lab.plan("default.js", &users_and_duration(1, "1s")))
        .await;
    let text = refused.err().context("an error")?.to_string();
    ensure!(text.contains("does not answer"), "{text}");

    engine.start_again().await?;
    let finished = lab
        .run(lab.plan("default.js", &users_and_duration(1, "1s")))
        .await?;
    ensure!(
        finished.verdict.level == Level::Pass,
        "{:?}",
        finished.verdict
    );
    Ok(())
}

/// The service died with the supervisors of its runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_start_of_a_service_removes_its_own_orphans() -> anyhow::Result<()> {
    let engine = Arc::new(container_engine().await?);
    let lab = open_with(Arc::clone(&engine), MajorVersion::V2, LIMITS).await?;
    let image = engine.import(&test_support::tools::k6()?).await?;
    let own = ProcessIdentity::of(std::process::id()).context("this process")?;
    let alive = format!("{}/{}", own.pid, own.start_ticks);
    let dead = format!("{}/{}", own.pid, own.start_ticks + 1);
    let runs = lab.runs.path().display().to_string();
    for (runs, watcher) in [
        (runs.as_str(), alive.as_str()),
        (runs.as_str(), dead.as_str()),
        (runs.as_str(), "gone"),
        ("/elsewhere/runs", dead.as_str()),
    ] {
        let labels =
            json!({"bookstore.runs": runs, "bookstore.run": "1", "bookstore.watcher": watcher});
        let described = json!({"Image": image, "Cmd": ["version"], "Labels": labels});
        engine.create(&described).await?;
    }
    ensure!(lab.runner.sweep(lab.runs.path()).await? == 2);
    ensure!(lab.runner.sweep(lab.runs.path()).await? == 0);
    ensure!(
        engine.containers().await?.len() == 2,
        "one watched, one of another service"
    );
    Ok(())
}

fn kill_one(process: &ProcessIdentity) -> anyhow::Result<()> {
    Ok(kill(
        Pid::from_raw(i32::try_from(process.pid)?),
        Signal::SIGKILL,
    )?)
}
