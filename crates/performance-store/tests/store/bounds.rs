//! What the store refuses to hold, and that it says so.

use std::time::Duration;

use jiff::Timestamp;
use performance_store::{
    LogLine, MAX_LOG_LINE_BYTES, MAX_LOG_LINES_PER_RUN, RunFilter, RunId, RunStatus, SecondsPart,
    StoreError,
};

use crate::test_store::{TestStore, buckets, event};

#[tokio::test]
async fn the_queue_is_bounded() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.queue_limit = 2).await?;
    test.enqueue().await?;
    test.enqueue().await?;
    assert!(matches!(
        test.enqueue().await,
        Err(StoreError::QueueFull {
            waiting: 2,
            limit: 2
        })
    ));
    assert_eq!(test.store.queue_depth().await?, 2);
    Ok(())
}

#[tokio::test]
async fn old_runs_go_with_all_that_belongs_to_them() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 2).await?;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let run = test.running().await?;
        let buckets = buckets(&[(1, 12.0)]);
        test.record(&run, 1, buckets).await?;
        test.finish(&run, RunStatus::Completed).await?;
        ids.push(run.id);
    }
    let waiting = test.enqueue().await?;

    let removed = test.remove_expired(Timestamp::now()).await?;
    assert_eq!(removed, [ids[0], ids[1]]);
    assert!(test.remove_expired(Timestamp::now()).await?.is_empty());
    let left: Vec<RunId> = test
        .store
        .list(&test.tenant, RunFilter::All, 10)
        .await?
        .iter()
        .map(|run| run.id)
        .collect();
    assert_eq!(left, [waiting.id, ids[3], ids[2]]);
    assert_eq!(waiting.number, 5, "numbers are never given twice");
    Ok(())
}

#[tokio::test]
async fn events_count_without_a_gap() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    for number in 1..=3 {
        let part = SecondsPart {
            number,
            seconds: vec![],
            told: vec![event("second"), event("second")],
        };
        let address = run.address();
        let stored = test.store.record_seconds(&address, run.fence, part);
        assert_eq!(stored.await?.len(), 2);
    }
    test.finish(&run, RunStatus::Completed).await?;
    let all = test.store.events_after(&run.address(), 0).await?;
    let ids: Vec<u64> = all.iter().map(|event| event.id).collect();
    assert_eq!(ids, (1..=8).collect::<Vec<u64>>());
    assert_eq!(test.store.last_event(&run.address()).await?, 8);
    assert_eq!(all.last().map(|event| event.kind.as_str()), Some("end"));
    let after = test.store.events_after(&run.address(), 7).await?;
    assert_eq!(after.len(), 1);
    let beyond = test.store.events_after(&run.address(), u64::MAX).await?;
    assert!(beyond.is_empty());
    Ok(())
}

#[tokio::test]
async fn log_lines_are_cut_and_counted() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    let line = |text: String| LogLine {
        at: Timestamp::UNIX_EPOCH,
        source: "k6".to_owned(),
        text,
    };
    let long = "ä".repeat(MAX_LOG_LINE_BYTES);
    test.store
        .append_logs(&run.address(), run.fence, vec![line(long)])
        .await?;
    for _ in 0..11 {
        let lines = vec![line("x".to_owned()); 1_000];
        test.store
            .append_logs(&run.address(), run.fence, lines)
            .await?;
    }
    let lines = test.store.logs(&run.address()).await?;
    assert_eq!(lines[0].text.len(), MAX_LOG_LINE_BYTES);
    assert_eq!(lines.len() as u64, MAX_LOG_LINES_PER_RUN + 1);
    assert!(
        lines
            .last()
            .is_some_and(|line| line.text.contains("not kept"))
    );
    Ok(())
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ended() -> anyhow::Result<()> {
    let limit = Duration::from_millis(50);
    let test = TestStore::open_with(|config| config.call_timeout = limit).await?;
    let file = test.directory.path().join("data/performance.sqlite");
    let other = rusqlite::Connection::open(file)?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    assert!(matches!(test.enqueue().await, Err(StoreError::Timeout)));
    // Reading goes on beside a writer that is stuck.
    assert_eq!(test.store.queue_depth().await?, 0);
    other.execute_batch("ROLLBACK")?;
    Ok(())
}
