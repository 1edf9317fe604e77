//! The ways in which a run ends are told apart, and a stop is a stop.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use load_analysis::verdict::Level;
use load_runner::exit::K6Exit;
use load_runner::inspect::InspectError;
use load_runner::runner::{StartError, StopReason};

use crate::lab::{Lab, STOP_LIMIT, check_end, on_both_versions, stopped, until_running};

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
);

async fn crossed_thresholds_end_with_99(lab: Lab) -> anyhow::Result<()> {
    let finished = lab.run(lab.ending("crossed")).await?;
    check_end(&finished.end, K6Exit::Code(99), None)?;
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
    let finished = stopped(&handle, K6Exit::Code(105)).await?;
    let usage = finished.end.usage.context("what k6 used")?;
    ensure!(
        usage.cpu > Duration::ZERO && usage.wall < STOP_LIMIT + STOP_LIMIT,
        "{usage:?}"
    );
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
    check_end(&end, K6Exit::Signal(9), Some(StopReason::Requested))?;
    ensure!(asked.elapsed() < STOP_LIMIT, "{:?}", asked.elapsed());
    Ok(())
}
