//! The ways in which a run ends are told apart, and a stop is a stop.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use load_analysis::verdict::Level;
use load_runner::exit::K6Exit;
use load_runner::inspect::InspectError;
use load_runner::runner::{RunEnd, RunHandle, StartError, StopReason};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, finish, on_both_versions};

/// A stopped run is gone within this.
const STOP_LIMIT: Duration = Duration::from_secs(10);

on_both_versions!(
    crossed_thresholds_end_with_99,
    exceptions_end_with_107,
    an_abort_ends_with_108,
    bad_options_are_refused_before_the_start,
    a_run_that_measures_nothing_is_invalid,
    dropped_iterations_make_a_run_invalid,
    a_run_that_only_throws_is_invalid,
    more_load_than_allowed_is_refused,
    a_stop_ends_with_105,
    a_stop_ends_a_hanging_teardown,
    a_killed_k6_leaves_samples_and_an_invalid_verdict,
    a_dropped_handle_stops_the_run,
    a_left_over_process_is_found_and_ended,
);

async fn crossed_thresholds_end_with_99(lab: Lab) -> anyhow::Result<()> {
    let finished = lab.run(lab.ending("crossed")).await?;
    ensure!(
        finished.end
            == RunEnd {
                exit: K6Exit::Code(99),
                stopped: None
            },
        "{:?}",
        finished.end
    );
    ensure!(
        finished.verdict.level == Level::Fail,
        "{:?}",
        finished.verdict
    );
    Ok(())
}

/// k6 ends with 0 and without a crossed threshold in both cases.
async fn dropped_iterations_make_a_run_invalid(lab: Lab) -> anyhow::Result<()> {
    doubted(&lab, "too-slow", "dropped").await
}

async fn a_run_that_only_throws_is_invalid(lab: Lab) -> anyhow::Result<()> {
    doubted(&lab, "throw-always", "iterations threw").await
}

async fn doubted(lab: &Lab, scenario: &str, reason: &str) -> anyhow::Result<()> {
    let finished = lab.run(lab.ending(scenario)).await?;
    let verdict = &finished.verdict;
    ensure!(finished.end.exit == K6Exit::Code(0), "{:?}", finished.end);
    ensure!(verdict.level == Level::Invalid, "{verdict:?}");
    ensure!(verdict.reasons[0].contains(reason), "{verdict:?}");
    Ok(())
}

async fn exceptions_end_with_107(lab: Lab) -> anyhow::Result<()> {
    let finished = lab.run(lab.ending("throw-in-setup")).await?;
    ensure!(finished.end.exit == K6Exit::Code(107), "{:?}", finished.end);
    ensure!(
        finished.verdict.level == Level::Invalid,
        "{:?}",
        finished.verdict
    );
    ensure!(
        finished.verdict.reasons[0].contains("107"),
        "{:?}",
        finished.verdict
    );
    ensure!(
        finished
            .log
            .iter()
            .any(|line| line.contains("thrown in setup")),
        "{:?}",
        finished.log
    );

    let error = lab
        .start(lab.ending("throw-at-init"))
        .await
        .err()
        .context("an error")?;
    let StartError::Inspect(InspectError::Refused { exit, log }) = error else {
        anyhow::bail!("{error}");
    };
    ensure!(
        exit == K6Exit::Code(107) && log.contains("thrown at init"),
        "{log}"
    );
    Ok(())
}

async fn an_abort_ends_with_108(lab: Lab) -> anyhow::Result<()> {
    let finished = lab.run(lab.ending("abort")).await?;
    ensure!(finished.end.exit == K6Exit::Code(108), "{:?}", finished.end);
    ensure!(finished.verdict.level == Level::Invalid && finished.verdict.exit_code == 2);
    Ok(())
}

async fn bad_options_are_refused_before_the_start(lab: Lab) -> anyhow::Result<()> {
    let error = lab
        .start(lab.ending("unknown-metric"))
        .await
        .err()
        .context("an error")?;
    let text = error.to_string();
    let refused = matches!(
        error,
        StartError::Inspect(InspectError::Refused {
            exit: K6Exit::Code(104),
            ..
        }) | StartError::Ended {
            exit: K6Exit::Code(104),
            ..
        }
    );
    ensure!(refused, "{text}");
    ensure!(
        text.contains("options are not valid") && text.contains("nothing"),
        "{text}"
    );
    Ok(())
}

async fn a_run_that_measures_nothing_is_invalid(lab: Lab) -> anyhow::Result<()> {
    let finished = lab.run(lab.ending("silent")).await?;
    ensure!(
        finished.end.exit == K6Exit::Code(0),
        "k6 is content: {:?}",
        finished.end
    );
    ensure!(
        finished.verdict.level == Level::Invalid,
        "{:?}",
        finished.verdict
    );
    Ok(())
}

async fn more_load_than_allowed_is_refused(lab: Lab) -> anyhow::Result<()> {
    for (scenario, expected) in [
        ("too-many", "1001 virtual users"),
        ("too-long", "18030 s of load"),
    ] {
        let error = lab
            .start(lab.ending(scenario))
            .await
            .err()
            .context("an error")?;
        let text = error.to_string();
        ensure!(
            matches!(error, StartError::TooLarge(_)) && text.contains(expected),
            "{text}"
        );
    }
    Ok(())
}

async fn a_stop_ends_with_105(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    let asked = Instant::now();
    handle.stop();
    handle.stop();
    let finished = finish(&handle).await?;
    let expected = RunEnd {
        exit: K6Exit::Code(105),
        stopped: Some(StopReason::Requested),
    };
    ensure!(finished.end == expected, "{:?}", finished.end);
    ensure!(asked.elapsed() < STOP_LIMIT, "{:?}", asked.elapsed());
    ensure!(
        finished.summary.is_some(),
        "a second SIGINT would have cost the summary"
    );
    ensure!(finished.verdict.level == Level::Invalid);
    Ok(())
}

async fn a_stop_ends_a_hanging_teardown(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("slow-teardown")).await?;
    until_running(&handle).await?;
    let asked = Instant::now();
    handle.stop();
    let end = handle.ended().await;
    let expected = RunEnd {
        exit: K6Exit::Signal(9),
        stopped: Some(StopReason::Requested),
    };
    ensure!(end == expected, "{end:?}");
    ensure!(asked.elapsed() < STOP_LIMIT, "{:?}", asked.elapsed());
    Ok(())
}

async fn a_killed_k6_leaves_samples_and_an_invalid_verdict(lab: Lab) -> anyhow::Result<()> {
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    kill(
        Pid::from_raw(i32::try_from(handle.process.pid)?),
        Signal::SIGKILL,
    )?;
    let finished = finish(&handle).await?;
    ensure!(
        finished.end
            == RunEnd {
                exit: K6Exit::Signal(9),
                stopped: None
            },
        "{:?}",
        finished.end
    );
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
    let stranger = load_runner::process::ProcessIdentity {
        start_ticks: handle.process.start_ticks + 1,
        ..handle.process
    };
    ensure!(
        stranger.end(STOP_LIMIT).await && handle.process.is_running(),
        "a stranger was ended"
    );
    ensure!(handle.process.end(STOP_LIMIT).await, "it still runs");
    ensure!(
        handle.ended().await
            == RunEnd {
                exit: K6Exit::Code(105),
                stopped: None
            }
    );
    Ok(())
}

/// Until k6 has put load on the target.
async fn until_running(handle: &RunHandle) -> anyhow::Result<()> {
    let samples = &handle.artifacts.samples;
    test_support::wait::until("samples of requests", STOP_LIMIT, async || {
        let text = std::fs::read_to_string(samples)?;
        ensure!(
            text.contains(r#""metric":"http_reqs","type":"Point""#),
            "none yet"
        );
        Ok(())
    })
    .await
}
