//! The store lost: reads of what is cached go on, the rest is refused in time.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http::Method;
use serde_json::json;
use test_support::{FerretDb, ferretdb, wait};

use crate::{
    caller::{BOOKS, Caller, NO_ID},
    test_api::{Setup, TestApi},
};

/// The API's own limit of a call is a second; the rest is room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(4);

/// Checks run once a second, and a lost connection is made anew.
const RECOVERY: Duration = Duration::from_secs(40);

async fn open() -> anyhow::Result<(FerretDb, TestApi, Caller)> {
    let store = ferretdb().await?;
    let api = Setup::default()
        .with("MONGODB_URI", store.uri())
        .start()
        .await?;
    let caller = api.caller()?;
    Ok((store, api, caller))
}

async fn readiness(caller: &Caller, status: u16) -> anyhow::Result<()> {
    wait::until(
        &format!("readiness answers {status}"),
        RECOVERY,
        async || {
            let reply = caller.get("/health/ready").await?;
            ensure!(
                reply.status == status,
                "it answers {}: {}",
                reply.status,
                reply.text()
            );
            Ok(())
        },
    )
    .await
}

/// Everything that needs the store is refused, each in time.
async fn refused(caller: &Caller, cached: &str) -> anyhow::Result<()> {
    let book = json!({"title": "T", "author": "A"});
    for (method, path, statuses) in [
        (Method::GET, format!("{BOOKS}/{NO_ID}"), &[503][..]),
        (Method::GET, BOOKS.to_owned(), &[503]),
        (Method::GET, format!("{BOOKS}/search?query=x"), &[503]),
        // It fails in its read, so nothing was changed.
        (Method::PATCH, cached.to_owned(), &[503]),
        // Once the store is left alone, writes are not tried any more.
        (Method::POST, BOOKS.to_owned(), &[503, 504]),
        (Method::DELETE, cached.to_owned(), &[503, 504]),
    ] {
        let began = Instant::now();
        let body = if method == Method::PATCH {
            json!({"genre": "G"})
        } else {
            book.clone()
        };
        let reply = caller.send_json(method.clone(), &path, &body).await?;
        let case = || format!("{method} {path}: {}", reply.text());
        ensure!(statuses.contains(&reply.status), "{}", case());
        reply.problem(reply.status).with_context(case)?;
        let unknown = reply.text().contains("outcome-unknown");
        ensure!(unknown == (reply.status == 504), "{}", case());
        ensure!(
            unknown == reply.header("retry-after").is_empty(),
            "{}",
            case()
        );
        ensure!(
            began.elapsed() < PATIENCE,
            "{:?}: {}",
            began.elapsed(),
            case()
        );
    }
    let alive = caller.get("/health/live").await?;
    alive.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_killed_store_is_told_and_comes_back() -> anyhow::Result<()> {
    let (store, _api, caller) = open().await?;
    let cached = caller.create_book("Cached").await?;
    caller.read(&cached).await?;
    store.kill();
    readiness(&caller, 503).await?;
    assert_eq!(
        caller.get("/health").await?.expect(503)?.text(),
        "Unhealthy"
    );
    refused(&caller, &cached).await?;
    caller.get("/health/startup").await?.expect(200)?;
    store.restart().await?;
    readiness(&caller, 200).await?;
    caller.create_book("After").await?;
    Ok(())
}

#[tokio::test]
async fn a_frozen_store_keeps_nobody_waiting() -> anyhow::Result<()> {
    let (store, _api, caller) = open().await?;
    let cached = caller.create_book("Cached").await?;
    caller.read(&cached).await?;
    store.freeze()?;
    refused(&caller, &cached).await?;
    readiness(&caller, 503).await?;
    store.thaw()?;
    readiness(&caller, 200).await?;
    caller.create_book("After").await?;
    Ok(())
}

#[tokio::test]
async fn what_is_cached_is_read_without_the_store() -> anyhow::Result<()> {
    let (store, _api, caller) = open().await?;
    let cached = caller.create_book("Cached").await?;
    let before = caller.read(&cached).await?;
    store.kill();
    for _ in 0..10 {
        assert_eq!(caller.read(&cached).await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_store_that_comes_late_is_waited_for() -> anyhow::Result<()> {
    let store = ferretdb().await?;
    store.kill();
    let api = Setup::default().with("MONGODB_URI", store.uri()).launch()?;
    store.restart().await?;
    api.ready().await?;
    api.caller()?.create_book("T").await?;
    Ok(())
}

#[tokio::test]
async fn a_store_that_never_comes_ends_the_start() -> anyhow::Result<()> {
    let store = ferretdb().await?;
    store.kill();
    let secret = store.uri().replace("mongodb://", "mongodb://ana:canary-7@");
    let api = Setup::default().with("MONGODB_URI", secret).launch()?;
    let status = api.process().wait(RECOVERY).await?;
    let log = api.process().log();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("MONGODB_URI"), "{log}");
    assert!(!log.contains("canary-7"), "{log}");
    Ok(())
}
