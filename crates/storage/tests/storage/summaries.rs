//! Summaries are made once.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use domain::BookId;
use storage::{GenerationError, Level, SummaryKey, SummaryOrigin};

use crate::fixtures::{sqlite, tenant, unique};

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

#[derive(Debug, thiserror::Error)]
#[error("the model said no")]
struct Refusal;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_callers_pay_once() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = sqlite()?.with_redis(redis.url());
    let (storage, key, calls) = (place.open().await?, key()?, Arc::new(AtomicU32::new(0)));
    let (started, gate) = (
        Arc::new(tokio::sync::Semaphore::new(0)),
        Arc::new(tokio::sync::Semaphore::new(0)),
    );
    let ask = || {
        let (summaries, key) = (storage.summaries.clone(), key.clone());
        let (calls, started, gate) = (calls.clone(), started.clone(), gate.clone());
        tokio::spawn(async move {
            let generate = || async move {
                calls.fetch_add(1, Ordering::SeqCst);
                started.add_permits(1);
                drop(gate.acquire().await);
                Ok(Bytes::from_static(b"short"))
            };
            summaries.get_or_generate(&key, generate).await
        })
    };
    let first = ask();
    drop(started.acquire().await?);
    let second = ask();
    // The caller that began it leaves; the generation goes on for the other one.
    first.abort();
    gate.add_permits(100);
    let summary = second
        .await?
        .map_err(|failure| anyhow::anyhow!("{failure}"))?;
    assert_eq!(summary.bytes, "short");
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    let again = ask()
        .await?
        .map_err(|failure| anyhow::anyhow!("{failure}"))?;
    assert_eq!(again.origin, SummaryOrigin::Cached(Level::L1));
    let other = place.open().await?;
    let elsewhere = other.summaries.get(&key).await;
    assert_eq!(
        elsewhere.map(|found| found.origin),
        Some(SummaryOrigin::Cached(Level::L2))
    );
    let changed = SummaryKey {
        fingerprint: 43,
        ..key
    };
    assert_eq!(other.summaries.get(&changed).await, None);
    Ok(())
}

#[tokio::test]
async fn a_failure_keeps_its_type_and_is_not_kept() -> anyhow::Result<()> {
    let (storage, key) = (sqlite()?.open().await?, key()?);
    let refuse = || async { Err(Arc::new(Refusal) as GenerationError) };
    let failure = storage
        .summaries
        .get_or_generate(&key, refuse)
        .await
        .unwrap_err();
    assert!(failure.downcast_ref::<Refusal>().is_some());
    let accept = || async { Ok(Bytes::from_static(b"yes")) };
    let summary = storage.summaries.get_or_generate(&key, accept).await;
    assert_eq!(
        summary.map(|summary| summary.origin).ok(),
        Some(SummaryOrigin::Generated)
    );
    Ok(())
}

#[tokio::test]
async fn a_refresh_replaces_what_is_there() -> anyhow::Result<()> {
    let (storage, key) = (sqlite()?.open().await?, key()?);
    storage
        .summaries
        .put(&key, Bytes::from_static(b"old"))
        .await;
    let fresh = || async { Ok(Bytes::from_static(b"new")) };
    let summary = storage.summaries.generate(&key, fresh).await;
    assert_eq!(
        summary.map(|summary| summary.bytes).ok(),
        Some("new".into())
    );
    let found = storage.summaries.get(&key).await;
    assert_eq!(found.map(|found| found.bytes), Some("new".into()));
    Ok(())
}
