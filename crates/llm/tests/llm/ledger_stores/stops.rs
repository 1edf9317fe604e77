//! A clean stop while the store is away, and the start after it.

use std::{collections::HashSet, fs, path::PathBuf};

use llm::{Ledger, LedgerFilter};

use super::place::{ALL, Place, call, tokens};

/// More than one batch of the writer.
const ROWS: usize = 300;

/// Books rows that nobody writes, and ends the ledger, which must not fail.
async fn stop(place: &Place) -> anyhow::Result<PathBuf> {
    let request = call("a", None)?;
    for _ in 0..ROWS {
        place.book(false, tokens(1, 1), &request).await;
    }
    place.ledger.close().await?;
    let file = place.path().with_extension("unwritten.jsonl");
    let lines = fs::read_to_string(&file)?.lines().count();
    assert!((1..=ROWS).contains(&lines), "{lines}");
    Ok(file)
}

/// The rows after a start, each of which is there once.
async fn started(place: &Place) -> anyhow::Result<Ledger> {
    let ledger = place.connect_again().await?;
    ledger.flush().await?;
    let rows = ledger.rows(LedgerFilter::default(), ALL).await?;
    assert_eq!(rows.len(), ROWS);
    let ids: HashSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), ROWS);
    assert!(rows.iter().all(|row| row.cost.is_some()));
    Ok(ledger)
}

/// The file is gone after a start, and written once though it is there again.
async fn restart_twice(place: &Place, file: PathBuf) -> anyhow::Result<()> {
    let kept = fs::read(&file)?;
    started(place).await?.close().await?;
    assert!(!file.exists(), "{}", file.display());
    fs::write(&file, kept)?;
    started(place).await?.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_without_the_server_leaves_its_rows_to_the_next_start() -> anyhow::Result<()> {
    let server = test_support::ferretdb().await?;
    let place = Place::on(server.uri(), "stopped".to_owned()).await?;
    server.freeze()?;
    let file = stop(&place).await?;
    server.thaw()?;
    restart_twice(&place, file).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_without_the_file_leaves_its_rows_to_the_next_start() -> anyhow::Result<()> {
    let place = Place::sqlite()?;
    let other = rusqlite::Connection::open(place.path())?;
    other.execute_batch("BEGIN IMMEDIATE")?;
    let file = stop(&place).await?;
    other.execute_batch("ROLLBACK")?;
    restart_twice(&place, file).await
}
