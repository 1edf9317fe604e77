//! What a run comes to when something below it breaks: k6, the disk, the service beside it, the
//! target. F16, F17, F19 and F20 of the table of faults; F15 is in `killed`.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use test_support::fault_proxy::{Behaviour, Mode};
use test_support::{http, wait};

use crate::small_disk::OnSmallDisk;
use crate::test_service::{RUN_DEADLINE, TestService, processes_of};

/// Beyond this a service that should have refused to start did start.
const REFUSAL_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn f16_a_killed_k6_fails_its_run_and_frees_its_place() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let directory = service.directory(&id).join("k6-1");
    until_written(&directory).await?;
    let k6 = k6_in(&directory)?;
    kill(Pid::from_raw(k6), Signal::SIGKILL)?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["status"], "Failed", "{run}");
    assert_eq!(run["verdict"]["level"], "INVALID");
    let message = run["errorMessage"].as_str().context("a reason")?;
    assert!(message.contains("signal 9"), "{message}");
    let counted = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
    assert!(
        counted.as_f64() > Some(0.0),
        "what was measured is kept: {run}"
    );
    assert!(processes_of(&service.directory(&id)).is_empty(), "a stray");

    let short = json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}});
    let next = service.begin(&short).await?;
    assert_eq!(
        service.wait_for_end(&next).await?["verdict"]["level"],
        "PASS"
    );
    Ok(())
}

/// Until a k6 has written samples of requests.
pub(crate) async fn until_written(directory: &Path) -> anyhow::Result<()> {
    wait::until("samples are written", RUN_DEADLINE, async || {
        let samples = std::fs::read_to_string(directory.join("samples.ndjson"))?;
        ensure!(
            samples.contains(r#""metric":"http_reqs","type":"Point""#),
            "none yet"
        );
        Ok(())
    })
    .await
}

/// The k6 whose working directory this is.
pub(crate) fn k6_in(directory: &Path) -> anyhow::Result<i32> {
    let works_there = |pid: &i32| {
        let link = std::fs::read_link(format!("/proc/{pid}/cwd"));
        link.is_ok_and(|link| link == directory)
    };
    let processes = std::fs::read_dir("/proc")?;
    let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.find(works_there).context("a k6")
}

#[tokio::test]
async fn f17_a_full_disk_costs_the_run_and_not_the_service() -> anyhow::Result<()> {
    let disk = OnSmallDisk::start("size=16m").await?;
    let post = reqwest::Method::POST;
    let (status, run) = disk
        .ask(post.clone(), "start", &json!({"scenario": "Load"}))
        .await?;
    assert_eq!(status, 201, "{run}");
    let id = run["testId"].as_str().context("an id")?.to_owned();
    wait::until("load is on", RUN_DEADLINE, async || {
        ensure!(disk.service.target.requests() > 0, "no request yet");
        Ok(())
    })
    .await?;
    let filler = disk.state()?.join("filler");
    fill(&filler)?;
    let (status, refused) = wait::until("a run is refused", RUN_DEADLINE, async || {
        let body = json!({"scenario": "Smoke"});
        let (status, problem) = disk.ask(post.clone(), "start", &body).await?;
        ensure!(status != 201, "{status}");
        Ok((status, problem))
    })
    .await?;
    assert_eq!(status, 507, "{refused}");
    let live = format!("{}/health/live", disk.service.base_url);
    assert_eq!(http::client()?.get(live).send().await?.status(), 200);

    // k6 writes for a while longer, and its samples are lost.
    wait::until("samples are lost", RUN_DEADLINE, async || {
        let log = disk.state()?.join("runs").join(&id).join("k6-1/k6.log");
        let lost = std::fs::read_to_string(log).unwrap_or_default();
        ensure!(
            lost.contains("no space left") || disk.service.process.log().contains("full"),
            "not yet"
        );
        Ok(())
    })
    .await?;
    std::fs::remove_file(&filler)?;
    disk.ask(post.clone(), &format!("{id}/cancel"), &json!(null))
        .await
        .ok();
    let run = disk.ended(&id).await?;
    assert_eq!(run["verdict"]["level"], "INVALID", "{run}");

    let short = json!({"scenario": "Smoke", "options": {"virtualUsers": 1, "duration": "1s"}});
    let (status, next) = disk.ask(post, "start", &short).await?;
    assert_eq!(status, 201, "works again without a restart: {next}");
    let next = next["testId"].as_str().context("an id")?;
    // What was queued while the disk had a last byte comes first.
    assert_eq!(disk.ended(next).await?["verdict"]["level"], "PASS");
    Ok(())
}

/// Takes all room that there is.
fn fill(path: &Path) -> anyhow::Result<()> {
    let mut file = std::fs::File::create(path)?;
    for size in [1 << 16, 1 << 12, 1] {
        let piece = vec![0; size];
        while file.write_all(&piece).is_ok() {}
    }
    Ok(())
}

/// A state directory has one service. One that is frozen still is that one: nobody takes its runs.
#[tokio::test]
async fn f19_two_services_do_not_share_their_runs() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 1, "duration": "3s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    service.process.freeze()?;
    let state = service.state.path().display().to_string();
    let second = TestService::launch(&[("PERFORMANCE_STATE_DIR", &state)]).await?;
    let ended = second.process.wait(REFUSAL_DEADLINE).await?;
    assert!(!ended.success(), "{ended}");
    let log = second.process.log();
    assert!(log.contains("another performance service uses"), "{log}");
    service.process.thaw()?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "PASS", "{run}");
    let runs = service.get_json("/api/v1/performancetest/tests").await?;
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "one record: {runs}");
    Ok(())
}

#[tokio::test]
async fn f20_a_run_whose_target_dies_does_not_pass() -> anyhow::Result<()> {
    let target = test_support::load_target::LoadTarget::start().await?;
    let upstream = target.base_url.trim_start_matches("http://");
    let proxy = test_support::fault_proxy(upstream)?;
    let targets = format!("local=http://{}", proxy.address());
    let service = TestService::start_with(&[("PERFORMANCE_TARGETS", &targets)]).await?;
    let thresholds = json!({"http_req_failed": ["rate<0.01"]});
    let options = json!({"virtualUsers": 2, "duration": "4s", "thresholds": thresholds});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    wait::until("load is on", RUN_DEADLINE, async || {
        ensure!(target.requests() > 5, "not yet");
        Ok(())
    })
    .await?;
    proxy.set(Behaviour::mode(Mode::Reset));
    let run = service.wait_for_end(&id).await?;
    let level = run["verdict"]["level"].as_str().context("a level")?;
    assert!(["FAIL", "CRITICAL", "INVALID"].contains(&level), "{run}");
    let reasons = run["verdict"]["reasons"].to_string();
    assert!(reasons.contains("http_req_failed"), "{reasons}");
    Ok(())
}
