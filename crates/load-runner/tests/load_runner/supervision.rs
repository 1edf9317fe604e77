//! Who watches over k6, and what happens when one of the three is killed: k6, its supervisor,
//! or who started both.

use std::time::Instant;

use anyhow::{Context, ensure};
use load_analysis::verdict::Level;
use load_runner::exit::K6Exit;
use load_runner::process::ProcessIdentity;
use load_runner::runner::{LoadRunner, StopReason};
use load_runner::sandbox::Limits;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use test_support::process::Program;

use crate::lab::{
    Lab, PROGRAM, STOP_LIMIT, check_end, finish, k6_of, on_both_versions, stopped, until_running,
};

on_both_versions!(
    a_frozen_k6_is_killed,
    a_killed_supervisor_takes_its_k6_along,
    too_many_bytes_stop_the_run,
    too_much_memory_stops_the_run,
    a_directory_without_an_order_is_no_run,
    the_deadline_holds_without_a_service,
    a_killed_k6_leaves_samples_and_an_invalid_verdict,
    a_dropped_handle_stops_the_run,
    a_left_over_process_is_found_and_ended,
);

/// A k6 that was stopped in its tracks hears no SIGINT.
async fn a_frozen_k6_is_killed(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    signal(&k6_of(&handle)[0], Signal::SIGSTOP)?;
    let asked = Instant::now();
    let finished = stopped(&handle, K6Exit::Signal(9)).await?;
    ensure!(asked.elapsed() < STOP_LIMIT, "{:?}", asked.elapsed());
    ensure!(finished.results.metrics["http_reqs"].values["count"] > 0.0);
    ensure!(finished.verdict.level == Level::Invalid);
    Ok(())
}

async fn a_killed_supervisor_takes_its_k6_along(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    let k6 = k6_of(&handle)[0];
    signal(&handle.process, Signal::SIGKILL)?;
    let finished = finish(&handle).await?;
    check_end(&finished.end, K6Exit::Unknown, None)?;
    ensure!(
        finished.verdict.level == Level::Invalid,
        "{:?}",
        finished.verdict
    );
    test_support::wait::until("k6 is gone", STOP_LIMIT, async || {
        ensure!(!k6.is_running(), "it still runs");
        Ok(())
    })
    .await
}

async fn too_many_bytes_stop_the_run(lab: Lab) -> anyhow::Result<()> {
    let lab = lab.with_limits(Limits {
        disk: 10 * 1024,
        ..Limits::default()
    });
    let finished = lab.run(lab.ending("")).await?;
    check_end(
        &finished.end,
        K6Exit::Code(105),
        Some(StopReason::DiskQuota),
    )
}

/// k6 alone needs more than that.
async fn too_much_memory_stops_the_run(lab: Lab) -> anyhow::Result<()> {
    let lab = lab.with_limits(Limits {
        memory: 16 * 1024 * 1024,
        ..Limits::default()
    });
    let finished = lab.run(lab.ending("")).await?;
    check_end(&finished.end, K6Exit::Signal(9), Some(StopReason::Memory))
}

/// Nobody lets this k6 begin, and nobody asks for its end.
async fn the_deadline_holds_without_a_service(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    handle.stop();
    handle.ended().await;
    let directory = &handle.artifacts.directory;
    let order = directory.join("order.json");
    let mut changed: serde_json::Value = serde_json::from_slice(&std::fs::read(&order)?)?;
    changed["deadline"] = serde_json::json!({"secs": 2, "nanos": 0});
    std::fs::write(&order, changed.to_string())?;
    std::fs::remove_file(directory.join("end.json"))?;

    // The shell leads the group that a supervisor leaves.
    let supervisor = Program::new("supervisor", "/bin/sh")?
        .args(["-c", r#""$0" supervise-k6 "$1"; exit"#, PROGRAM])
        .arg(directory)
        .start()?;
    let status = supervisor.wait(STOP_LIMIT + STOP_LIMIT).await?;
    ensure!(status.success(), "{status}");
    let end = lab
        .runner
        .adopt(directory, handle.process)
        .await?
        .ended()
        .await;
    check_end(&end, K6Exit::Code(105), Some(StopReason::Deadline))?;
    // The deadline runs from the supervisor's start, which is before k6's.
    let wall = end.usage.context("what k6 used")?.wall;
    ensure!((1..12).contains(&wall.as_secs()), "{wall:?}");
    ensure!(k6_of(&handle).is_empty());
    Ok(())
}

async fn a_directory_without_an_order_is_no_run(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("crossed")).await?;
    let nothing = tempfile::tempdir()?;
    let unknown = lab.runner.adopt(nothing.path(), handle.process).await;
    ensure!(unknown.is_err());
    Ok(())
}

async fn a_killed_k6_leaves_samples_and_an_invalid_verdict(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    signal(&k6_of(&handle)[0], Signal::SIGKILL)?;
    let finished = finish(&handle).await?;
    check_end(&finished.end, K6Exit::Signal(9), None)?;
    ensure!(finished.results.metrics["http_reqs"].values["count"] > 0.0);
    ensure!(finished.summary.is_none());
    ensure!(finished.verdict.level == Level::Invalid);
    ensure!(
        finished.verdict.reasons[0].contains("signal 9"),
        "{:?}",
        finished.verdict
    );
    Ok(())
}

async fn a_dropped_handle_stops_the_run(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    let process = handle.process;
    until_running(&handle).await?;
    drop(handle);
    test_support::wait::until("k6 is gone", STOP_LIMIT, async || {
        ensure!(!process.is_running(), "it still runs");
        Ok(())
    })
    .await
}

async fn a_left_over_process_is_found_and_ended(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    let stranger = ProcessIdentity {
        start_ticks: handle.process.start_ticks + 1,
        ..handle.process
    };
    ensure!(
        stranger.end(STOP_LIMIT).await && handle.process.is_running(),
        "a stranger was ended"
    );
    ensure!(handle.process.end(STOP_LIMIT).await, "it still runs");
    let end = handle.ended().await;
    check_end(&end, K6Exit::Code(105), Some(StopReason::Requested))
}

fn signal(process: &ProcessIdentity, signal: Signal) -> anyhow::Result<()> {
    Ok(kill(Pid::from_raw(i32::try_from(process.pid)?), signal)?)
}
