//! Summaries that were made are found again, in this process and in others.

use std::time::Duration;

use bytes::Bytes;
use domain::BookId;
use storage::{Level, Summary, SummaryKey};
use test_support::wait;

use crate::fixtures::{sqlite, tenant, unique};

/// For what takes milliseconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(20);

fn key() -> anyhow::Result<SummaryKey> {
    let mut book = [7; 12];
    book[..8].copy_from_slice(&unique().to_be_bytes());
    Ok(SummaryKey {
        tenant: tenant("acme")?,
        book: BookId::from_bytes(book),
        provider: "ollama".into(),
        model: "llama3.2:1b".into(),
        prompt_version: "summary-1".into(),
        fingerprint: 42,
    })
}

fn at(bytes: &'static str, level: Level) -> Option<Summary> {
    let bytes = bytes.into();
    Some(Summary { bytes, level })
}

#[tokio::test]
async fn another_process_finds_it_in_redis() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = sqlite()?.with_redis(redis.url());
    let (storage, key) = (place.open().await?, key()?);
    assert_eq!(storage.summaries.get(&key).await, None);
    let bytes = Bytes::from_static(b"short");
    storage.summaries.put(&key, bytes);
    assert_eq!(storage.summaries.get(&key).await, at("short", Level::L1));
    let other = place.open().await?;
    assert_eq!(other.summaries.look_again(&key), None);
    wait::until("the copy in Redis", DEADLINE, async || {
        let found = other.summaries.get(&key).await;
        anyhow::ensure!(found == at("short", Level::L2));
        Ok(())
    })
    .await?;
    assert_eq!(other.summaries.look_again(&key), Some("short".into()));
    let changed = SummaryKey {
        fingerprint: 43,
        ..key
    };
    assert_eq!(other.summaries.get(&changed).await, None);
    Ok(())
}

#[tokio::test]
async fn a_newer_one_replaces_what_is_there() -> anyhow::Result<()> {
    let (storage, key) = (sqlite()?.open().await?, key()?);
    for text in ["old", "new"] {
        storage.summaries.put(&key, text.into());
        assert_eq!(storage.summaries.get(&key).await, at(text, Level::L1));
    }
    Ok(())
}
