//! What a service removes by itself.

use serde_json::json;
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

#[tokio::test]
async fn raw_files_can_go_with_the_end_of_a_run() -> anyhow::Result<()> {
    let service = TestService::start_with(&[("PERFORMANCE_RAW_KEPT_DAYS", "0")]).await?;
    let body = json!({"testScript": "tests/leaky.js"});
    let id = service.begin(&body).await?;
    service.wait_for_end(&id).await?;
    let directory = service.directory(&id).join("k6-1");
    wait::until("the raw files are gone", RUN_DEADLINE, async || {
        for entry in std::fs::read_dir(&directory)? {
            let path = entry?.path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            anyhow::ensure!(!text.contains("canary"), "{}", path.display());
        }
        Ok(())
    })
    .await?;
    // What was measured stays.
    let family = format!("/api/v1/performancetest/{id}");
    let results = service.get_json(&format!("{family}/results")).await?;
    assert!(results["metrics"].is_object());
    let logs = service.get_text(&format!("{family}/logs")).await?;
    assert!(!logs.is_empty());
    Ok(())
}

/// A run and a directory that the clock has left behind go at the start of the service, and a
/// baseline's runs do not.
#[tokio::test]
async fn what_is_old_goes_at_the_start() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = service
            .begin(&json!({"testScript": "tests/broken.js"}))
            .await?;
        service.wait_for_end(&id).await?;
        ids.push(id);
    }
    service.process.kill();
    let file = service.state.path().join("data/performance.sqlite");
    let connection = rusqlite::Connection::open(file)?;
    connection.execute("UPDATE all_runs SET completed_at_ms = 0", [])?;
    connection.execute(
        "INSERT INTO baseline_runs (tenant, test_name, environment, scenario, run)
         VALUES ('default', 't', 'local', 'Load', ?1)",
        [&ids[1]],
    )?;
    drop(connection);
    let orphan = service.directory(&"0".repeat(32));
    std::fs::create_dir_all(&orphan)?;
    let old = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::open(&orphan)?.set_modified(old)?;
    service.process.start_again()?;
    service.ready().await?;
    wait::until("what is old is gone", RUN_DEADLINE, async || {
        let runs = service.get_json("/api/v1/performancetest/tests").await?;
        anyhow::ensure!(runs.as_array().map(Vec::len) == Some(1), "{runs}");
        anyhow::ensure!(!service.directory(&ids[0]).exists(), "its files are there");
        anyhow::ensure!(!orphan.exists(), "the directory without a run is there");
        let metrics = service.get_text("/metrics").await?;
        let size = "performance_storage_size_bytes{kind=\"database\"}";
        anyhow::ensure!(metrics.contains(size), "{metrics}");
        Ok(())
    })
    .await?;
    let kept = service.run(&ids[1]).await?;
    assert_eq!(kept["number"], 2, "{kept}");
    Ok(())
}

/// The service may end between the mark and the last file.
#[tokio::test]
async fn a_removal_that_was_cut_off_goes_on_at_the_start() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({"testScript": "tests/broken.js"}))
        .await?;
    service.wait_for_end(&id).await?;
    service.process.kill();
    let file = service.state.path().join("data/performance.sqlite");
    let marked = "UPDATE all_runs SET being_removed = 1";
    rusqlite::Connection::open(&file)?.execute(marked, [])?;
    service.process.start_again()?;
    service.ready().await?;
    let run = service
        .get(&format!("/api/v1/performancetest/{id}"))
        .await?;
    assert_eq!(run.status(), 404);
    wait::until("what is left is gone", RUN_DEADLINE, async || {
        let rows = "SELECT count(*) FROM all_runs";
        let rows: u32 = rusqlite::Connection::open(&file)?.query_row(rows, [], |row| row.get(0))?;
        anyhow::ensure!(rows == 0 && !service.directory(&id).exists(), "{rows} runs");
        Ok(())
    })
    .await
}
