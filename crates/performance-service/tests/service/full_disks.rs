//! F17 of the table of faults beyond a full disk: a directory of runs that is read-only, and a file
//! system that has no more files to give. Starts are refused with 507, what is under way is INVALID,
//! what was measured before stays, and all is well again without a restart.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use test_support::wait;

use crate::small_disk::OnSmallDisk;
use crate::test_service::RUN_DEADLINE;

#[tokio::test]
async fn f17_a_read_only_directory_of_runs_refuses_starts_until_it_takes_files()
-> anyhow::Result<()> {
    let disk = OnSmallDisk::start("size=64m").await?;
    let before = passes(&disk).await?;
    disk.remount_runs("ro").await?;
    refused(&disk, "Read-only file system").await?;
    disk.remount_runs("rw").await?;
    passes(&disk).await?;
    unaffected(&disk, &before).await?;
    println!("F17, read-only: 507, and a run passes when it is over");
    Ok(())
}

/// What is open stays so: k6 goes on, but how it ended cannot be written.
#[tokio::test]
async fn f17_a_directory_of_runs_that_turns_read_only_under_a_run_costs_the_run()
-> anyhow::Result<()> {
    let disk = OnSmallDisk::start("size=64m").await?;
    let before = passes(&disk).await?;
    let begun = disk.service.target.requests();
    let options = json!({"virtualUsers": 2, "duration": "4s"});
    let id = begin(&disk, &json!({"scenario": "Smoke", "options": options})).await?;
    wait::until("load is on", RUN_DEADLINE, async || {
        ensure!(disk.service.target.requests() > begun + 5, "not yet");
        Ok(())
    })
    .await?;
    disk.cover_runs().await?;
    refused(&disk, "Read-only file system").await?;
    let run = disk.ended(&id).await?;
    ensure!(run["status"] == "Failed", "{run}");
    ensure!(run["verdict"]["level"] == "INVALID", "{run}");
    let message = run["errorMessage"].as_str().unwrap_or_default();
    ensure!(message.contains("Read-only file system"), "{message}");
    let counted = &run["results"]["metrics"]["http_reqs"]["values"]["count"];
    ensure!(
        counted.as_f64() > Some(5.0),
        "what was measured is kept: {run}"
    );
    ensure!(disk.lives().await?);
    disk.uncover_runs().await?;
    passes(&disk).await?;
    unaffected(&disk, &before).await?;
    println!("F17, read-only during a run: 507 meanwhile, the run INVALID, {message}");
    Ok(())
}

#[tokio::test]
async fn f17_a_disk_without_files_to_give_costs_the_run_and_not_the_service() -> anyhow::Result<()>
{
    let disk = OnSmallDisk::start("size=64m,nr_inodes=300").await?;
    let before = passes(&disk).await?;
    let begun = disk.service.target.requests();
    let options = json!({"virtualUsers": 2, "duration": "8s"});
    let id = begin(&disk, &json!({"scenario": "Smoke", "options": options})).await?;
    wait::until("load is on", RUN_DEADLINE, async || {
        ensure!(disk.service.target.requests() > begun + 5, "not yet");
        Ok(())
    })
    .await?;
    let taken = take_all(&disk.state()?.join("taken"))?;
    refused(&disk, "No space left on device").await?;
    let run = disk.ended(&id).await?;
    ensure!(run["verdict"]["level"] == "INVALID", "{run}");
    ensure!(disk.lives().await?);
    let count = taken.len();
    for file in taken {
        std::fs::remove_file(file)?;
    }
    passes(&disk).await?;
    unaffected(&disk, &before).await?;
    let reasons = &run["verdict"]["reasons"];
    println!("F17, no inode (the last {count} of 300 taken): 507, the run INVALID, {reasons}");
    Ok(())
}

/// Makes files until there is no more to be had.
fn take_all(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir(directory)?;
    let files = (0..).map(|number| directory.join(number.to_string()));
    let made = files.take_while(|file| File::create(file).is_ok());
    let made: Vec<_> = made.collect();
    ensure!(!made.is_empty(), "no file was left");
    Ok(made)
}

async fn begin(disk: &OnSmallDisk, body: &Value) -> anyhow::Result<String> {
    let (status, run) = disk.ask(Method::POST, "start", body).await?;
    ensure!(status == 201, "{status}: {run}");
    Ok(run["testId"].as_str().context("an id")?.to_owned())
}

/// A short run passes.
async fn passes(disk: &OnSmallDisk) -> anyhow::Result<String> {
    let options = json!({"virtualUsers": 1, "duration": "1s"});
    let id = begin(disk, &json!({"scenario": "Smoke", "options": options})).await?;
    let run = disk.ended(&id).await?;
    ensure!(run["verdict"]["level"] == "PASS", "{run}");
    Ok(id)
}

async fn refused(disk: &OnSmallDisk, reason: &str) -> anyhow::Result<()> {
    let (status, problem) = disk
        .ask(Method::POST, "start", &json!({"scenario": "Smoke"}))
        .await?;
    let detail = problem["detail"].as_str().unwrap_or_default();
    ensure!(
        status == 507 && detail.contains(reason),
        "{status}: {problem}"
    );
    ensure!(disk.lives().await?);
    Ok(())
}

/// A run that was over before has its verdict still.
async fn unaffected(disk: &OnSmallDisk, id: &str) -> anyhow::Result<()> {
    let (_, run) = disk.ask(Method::GET, id, &json!(null)).await?;
    ensure!(run["verdict"]["level"] == "PASS", "{run}");
    Ok(())
}
