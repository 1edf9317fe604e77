//! What k6 writes its samples as makes no difference to what a run says, and the run tells.

use std::path::Path;

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService, end_processes_of, processes_of};

#[tokio::test]
async fn a_run_tells_what_its_samples_were_written_as() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (asked, format) in [(json!(null), "json"), (json!("CSV"), "csv")] {
        let options = json!({"virtualUsers": 2, "duration": "2s", "outputFormat": asked});
        let body = json!({"scenario": "Smoke", "options": options});
        let before = service.target.requests();
        let id = service.begin(&body).await?;
        let run = service.wait_for_end(&id).await?;
        check_whole(&run, format, service.target.requests() - before);
        let files = service.directory(&id).join("k6-1");
        assert_eq!(files.join("samples.csv").exists(), format == "csv");
        let page = service.get_text(&format!("/runs/{id}")).await?;
        assert!(page.contains(&format!("written as {format}")), "{page}");
    }
    Ok(())
}

#[tokio::test]
async fn samples_as_csv_are_read_on_after_a_kill() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 2, "duration": "5s", "outputFormat": "csv"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    wait::until("load is on", RUN_DEADLINE, async || {
        anyhow::ensure!(service.target.requests() > 20, "not yet");
        Ok(())
    })
    .await?;
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    let run = service.wait_for_end(&id).await?;
    check_whole(&run, "csv", service.target.requests());
    assert!(service.process.log().contains("goes on"), "it was adopted");
    Ok(())
}

/// F15: the supervisor is killed, k6 with it, while the service goes on.
#[tokio::test]
async fn f15_a_run_with_csv_whose_supervisor_was_killed_has_all_that_was_written()
-> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = begin_counted(&service).await?;
    let directory = service.directory(&id);
    let supervisor = processes_of(&directory).into_iter().find(|pid| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe"));
        program.is_ok_and(|it| it.ends_with("performance-service"))
    });
    let supervisor = i32::try_from(supervisor.context("a supervisor")?)?;
    kill(Pid::from_raw(supervisor), Signal::SIGKILL)?;
    let run = service.wait_for_end(&id).await?;
    check_interrupted(&run, &directory)
}

/// What k6 told of a metric is known to the next life of the service, in which no k6 can be asked.
#[tokio::test]
async fn f15_a_run_with_csv_that_died_with_its_service_has_all_that_was_written()
-> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = begin_counted(&service).await?;
    let directory = service.directory(&id);
    service.process.kill();
    end_processes_of(&directory);
    service.process.start_again()?;
    service.ready().await?;
    let run = service.wait_for_end(&id).await?;
    check_interrupted(&run, &directory)
}

/// A long run with a metric of its own, of which some samples are read.
async fn begin_counted(service: &TestService) -> anyhow::Result<String> {
    let options = json!({"virtualUsers": 2, "duration": "60s", "outputFormat": "csv"});
    let body = json!({"testScript": "tests/counted.js", "options": options});
    let id = service.begin(&body).await?;
    let directory = service.directory(&id);
    wait::until("the metric is read", RUN_DEADLINE, async || {
        ensure!(
            directory.join("k6-1.metrics.json").exists(),
            "its kind is not known"
        );
        ensure!(written(&directory, "pages")? > 20.0, "too few");
        Ok(())
    })
    .await?;
    Ok(id)
}

/// Whole records of a metric.
fn written(run: &Path, metric: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(run.join("k6-1/samples.csv"))?;
    let begin = format!("{metric},");
    let whole = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let count = whole.filter(|line| line.starts_with(&begin)).count();
    Ok(f64::from(u32::try_from(count)?))
}

fn check_interrupted(run: &Value, directory: &Path) -> anyhow::Result<()> {
    ensure!(run["status"] == "Failed", "{run}");
    ensure!(run["verdict"]["level"] == "INVALID", "{run}");
    let message = run["errorMessage"].as_str().unwrap_or_default();
    ensure!(message.contains("interrupted"), "{message}");
    for metric in ["http_reqs", "pages"] {
        let counted = run["results"]["metrics"][metric]["values"]["count"].as_f64();
        let written = written(directory, metric)?;
        ensure!(
            counted == Some(written),
            "{metric}: {counted:?} of {written}"
        );
    }
    Ok(())
}

/// Every request of the target is in the results.
fn check_whole(run: &Value, format: &str, requests: u64) {
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    let results = &run["results"];
    assert_eq!(results["coverage"]["sampleFormat"], format, "{results}");
    let counted = results["metrics"]["http_reqs"]["values"]["count"].as_f64();
    let requests = u32::try_from(requests).map(f64::from);
    assert_eq!(counted, requests.ok(), "{results}");
    let checks = results["checks"].as_array().map(Vec::len);
    assert_eq!(checks, Some(2), "{results}");
}
