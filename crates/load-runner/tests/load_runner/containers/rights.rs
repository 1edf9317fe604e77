//! What a k6 in a container may do, and which containers are refused before they are made.

use anyhow::{Context, ensure};
use load_runner::binary::MajorVersion;
use load_runner::container::{ContainerConfig, ContainerRunner};
use load_runner::exit::K6Exit;
use load_runner::options::RequestedOptions;
use load_runner::runner::{LoadRunner, StartError};
use load_runner::script::Origin;
use serde_json::{Value, json};
use test_support::wait;

use super::engine::{LIMITS, config, open, open_with, shared};
use crate::lab::{STOP_LIMIT, check_end, environment, finish, until_running, users_and_duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_script_reads_nothing_of_this_machine() -> anyhow::Result<()> {
    let lab = open(MajorVersion::V2).await?;
    let secret = tempfile::NamedTempFile::new()?;
    std::fs::write(secret.path(), "secret")?;
    let secret = secret.path().display().to_string();
    let mut plan = lab.plan("hostile.js", &RequestedOptions::default());
    plan.environment = environment(&[("SEED", "1"), ("PROVIDER", &secret)]);
    let handle = lab.start(plan).await?;
    let gap = handle.gap.context("what a container leaves open")?;
    ensure!(gap.contains("every port"), "{gap}");
    finish(&handle).await?;

    let reports = lab.target.reports();
    let report = reports.first().context("the target is reached")?;
    for file in ["/etc/passwd", &secret] {
        let outcome = report["read"][file].as_str().unwrap_or_default();
        ensure!(outcome.contains("no such file"), "{file}: {report}");
    }
    ensure!(report["own"].as_u64() > Some(0), "its own data: {report}");
    let given = json!(["BASE_URL", "PROVIDER", "SEED"]);
    ensure!(report["environment"] == given, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_has_no_more_than_it_needs() -> anyhow::Result<()> {
    let lab = open(MajorVersion::V2).await?;
    let engine = shared().await?;
    let handle = lab.start(lab.ending("")).await?;
    until_running(&handle).await?;
    let run = handle.artifacts.directory.clone();
    let runs = lab.runs.path().display().to_string();
    let listed = engine.labelled("bookstore.runs", &runs).await?;
    ensure!(listed.len() == 1, "{listed:?}");
    let id = listed[0]["Id"].as_str().context("an id")?;
    let container = engine.get(&format!("/containers/{id}/json")).await?;
    handle.stop();
    handle.ended().await;
    let host = &container["HostConfig"];
    let expected = json!({
        "NetworkMode": "host",
        "IpcMode": "none",
        "ReadonlyRootfs": true,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": false,
        "Memory": LIMITS.memory,
        "MemorySwap": LIMITS.memory,
        "NanoCpus": 2_000_000_000_u64,
        "PidsLimit": LIMITS.processes,
    });
    for (name, value) in expected.as_object().context("names")? {
        ensure!(&host[name] == value, "{name}: {}", host[name]);
    }
    ensure!(host["LogConfig"]["Type"] == "none", "{host}");
    let writable: Vec<&Value> = container["Mounts"]
        .as_array()
        .context("mounts")?
        .iter()
        .filter(|mount| mount["RW"] == true)
        .map(|mount| &mount["Source"])
        .collect();
    ensure!(writable == [&json!(run.join("k6-1"))], "{writable:?}");
    let left = engine.labelled("bookstore.runs", &runs).await?;
    ensure!(left.is_empty(), "it is removed: {left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploaded_scripts_are_refused() -> anyhow::Result<()> {
    let lab = open(MajorVersion::V2).await?;
    let mut plan = lab.plan("default.js", &users_and_duration(1, "1s"));
    plan.script.origin = Origin::Upload;
    let refused = lab.start(plan).await.err().context("an error")?;
    ensure!(matches!(refused, StartError::Unconfined(_)), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_there_and_hold_the_right_k6() -> anyhow::Result<()> {
    let lab = open(MajorVersion::V2).await?;
    let engine = shared().await?;
    let right = config(&engine, LIMITS).await?;
    let swapped = ContainerConfig {
        images: [(MajorVersion::V2, right.images[&MajorVersion::V1].clone())].into(),
        ..right.clone()
    };
    let missing = ContainerConfig {
        images: [(
            MajorVersion::V2,
            format!("sha256:{}", "0".repeat(64)).parse()?,
        )]
        .into(),
        ..right
    };
    for (config, reason) in [(swapped, "1.8.1"), (missing, "docker pull")] {
        let runner = ContainerRunner::new(
            config,
            test_support::http::client()?,
            crate::lab::PROGRAM.into(),
        );
        let plan = lab.plan("default.js", &users_and_duration(1, "1s"));
        let refused = runner.start(plan).await.err().context("an error")?;
        let text = refused.to_string();
        ensure!(
            matches!(refused, StartError::Image { .. }) && text.contains(reason),
            "{text}"
        );
    }
    let runs = lab.runs.path().display().to_string();
    wait::until("nothing is left", STOP_LIMIT, async || {
        let left = engine.labelled("bookstore.runs", &runs).await?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_k6_beyond_its_memory_is_killed_and_says_so() -> anyhow::Result<()> {
    let lab = open_with(shared().await?, MajorVersion::V2, LIMITS).await?;
    let finished = lab
        .run(lab.plan("hog.js", &RequestedOptions::default()))
        .await?;
    check_end(&finished.end, K6Exit::Signal(9), None)?;
    let told = finished
        .log
        .iter()
        .any(|line| line.contains("limit of memory"));
    ensure!(told, "{:?}", finished.log);
    Ok(())
}
