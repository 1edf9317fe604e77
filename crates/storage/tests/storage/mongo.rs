//! What only the store on a server has: failures of the server, and bulk inserts that broke off.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use storage::{Level, Storage, StorageConfig, StorageError};
use test_support::{ferretdb, wait};

use crate::fixtures::{ENCODERS, book, mongo, next, tenant};

/// Beyond a call's deadline of a second, for a busy machine.
const SLACK: Duration = Duration::from_millis(700);

/// For what takes a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_costs_no_more_than_the_deadline() -> anyhow::Result<()> {
    let server = ferretdb().await?;
    let mut config = StorageConfig::mongo(server.uri().into(), "frozen");
    config.store.start = DEADLINE;
    let storage = Storage::connect(&config, ENCODERS).await?;
    let tenant = tenant("acme")?;
    let (cached, other) = (book("cached")?, book("other")?);
    wait::until("the first insert", DEADLINE, async || {
        Ok(storage
            .books
            .insert_many(&tenant, &[cached.clone(), other.clone()])
            .await?)
    })
    .await?;
    storage.books.get(&tenant, &cached.id).await?;
    let ending = Storage::connect(&config, ENCODERS).await?;
    server.freeze()?;

    let began = Instant::now();
    let changed = next(&other, "changed")?;
    let write = storage
        .books
        .replace(&tenant, &changed, other.version)
        .await;
    assert_eq!(write, Err(StorageError::Timeout { write: true }));
    assert!(
        began.elapsed() < Duration::from_secs(1) + SLACK,
        "{:?}",
        began.elapsed()
    );
    let began = Instant::now();
    let read = storage.books.get(&tenant, &other.id).await;
    assert_eq!(read, Err(StorageError::Timeout { write: false }));
    assert!(
        began.elapsed() < Duration::from_secs(1) + SLACK,
        "{:?}",
        began.elapsed()
    );
    tokio::time::timeout(DEADLINE, ending.shutdown()).await?;
    // Past its time after five seconds, then in place of the store for a minute.
    let (mut level, mut longest) = (None, Duration::ZERO);
    wait::until("a stale answer", DEADLINE, async || {
        let began = Instant::now();
        let found = storage.books.get(&tenant, &cached.id).await?;
        longest = longest.max(began.elapsed());
        level = found.map(|found| found.level);
        anyhow::ensure!(level == Some(Level::Stale), "{level:?}");
        Ok(())
    })
    .await?;
    assert!(longest < config.cache.stale_patience + SLACK, "{longest:?}");

    server.thaw()?;
    wait::until("the server to answer again", DEADLINE, async || {
        let stored = storage.books.read(&tenant, &other.id).await?;
        anyhow::ensure!(stored == Some(other.clone()) || stored == Some(changed.clone()));
        storage.ping_store().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_is_said_in_time_and_forgotten_when_it_is_back() -> anyhow::Result<()> {
    let server = ferretdb().await?;
    let mut config = StorageConfig::mongo(server.uri().into(), "dead");
    config.store.start = DEADLINE;
    let storage = Storage::connect(&config, ENCODERS).await?;
    let (tenant, given) = (tenant("acme")?, book("x")?);
    wait::until("the first insert", DEADLINE, async || {
        Ok(storage.books.insert(&tenant, &given).await?)
    })
    .await?;
    server.kill();
    for _ in 0..3 {
        let began = Instant::now();
        let failure = storage
            .books
            .insert(&tenant, &book("y")?)
            .await
            .unwrap_err();
        assert!(failure.is_outage(), "{failure:?}");
        assert!(
            began.elapsed() < Duration::from_secs(1) + SLACK,
            "{:?}",
            began.elapsed()
        );
    }
    assert!(storage.ping_store().await.is_err());
    server.restart().await?;
    wait::until("the server to answer again", DEADLINE, async || {
        anyhow::ensure!(storage.books.read(&tenant, &given.id).await? == Some(given.clone()));
        Ok(())
    })
    .await
}

/// What waits for nothing, on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(200);

/// The next probe and its answer, on a busy machine. Before calls were carried to their end, the
/// server was used again after 10 to 40 s.
const USED_AGAIN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hung_under_load_refuses_at_once_and_is_used_again() -> anyhow::Result<()> {
    let server = ferretdb().await?;
    let mut config = StorageConfig::mongo(server.uri().into(), "hung");
    config.store.start = DEADLINE;
    config.cache.level1_ttl = Duration::ZERO;
    let storage = Storage::connect(&config, ENCODERS).await?;
    let (tenant, given) = (tenant("acme")?, book("x")?);
    wait::until("the first insert", DEADLINE, async || {
        Ok(storage.books.insert(&tenant, &given).await?)
    })
    .await?;
    let read = || storage.books.read(&tenant, &given.id);
    assert_eq!(read().await?, Some(given.clone()));

    server.freeze()?;
    let began = Instant::now();
    let failures = join_all((0..200).map(|_| read())).await;
    assert!(failures.iter().all(Result::is_err), "{failures:?}");
    assert!(began.elapsed() < Duration::from_secs(1) + SLACK);
    // From here on nobody waits for it.
    for _ in 0..100 {
        let began = Instant::now();
        assert_eq!(read().await, Err(StorageError::CircuitOpen));
        assert_eq!(storage.ping_store().await, Err(StorageError::CircuitOpen));
        let found = storage.books.get(&tenant, &given.id).await?;
        assert_eq!(found.map(|found| found.level), Some(Level::Stale));
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    }

    server.thaw()?;
    let began = Instant::now();
    wait::until("the server to be used again", DEADLINE, async || {
        let found = join_all((0..50).map(|_| read())).await;
        anyhow::ensure!(
            found
                .iter()
                .all(|found| found.as_ref().ok() == Some(&Some(given.clone())))
        );
        Ok(())
    })
    .await?;
    assert!(began.elapsed() < USED_AGAIN, "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_fails_the_start_in_time() -> anyhow::Result<()> {
    let uri = format!(
        "mongodb://user:hunter2@127.0.0.1:{}/",
        test_support::port::free()?
    );
    let mut config = StorageConfig::mongo(uri.into(), "absent");
    config.store.start = Duration::from_secs(2);
    let began = Instant::now();
    let failure = match Storage::connect(&config, ENCODERS).await {
        Ok(_) => anyhow::bail!("it connected"),
        Err(failure) => failure.to_string(),
    };
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(!failure.contains("hunter2"), "{failure}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_inserts_that_broke_off_are_finished_or_undone_at_the_start() -> anyhow::Result<()> {
    let mut place = mongo().await?;
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let (undone, finished, fresh) = (book("undone")?, book("finished")?, book("fresh")?);
    let all = [undone.clone(), finished.clone(), fresh.clone()];
    storage.books.insert_many(&tenant, &all).await?;
    drop(storage);

    // What a process leaves behind that ended before the decision, or right after it.
    let storage::Backend::Mongo { uri, database } = &place.config.backend else {
        anyhow::bail!("not on a server");
    };
    let client = mongodb::Client::with_uri_str(secrecy::ExposeSecret::expose_secret(uri)).await?;
    let database = client.database(database);
    let (books, batches) = (
        database.collection::<Document>("books"),
        database.collection::<Document>("batches"),
    );
    let long_ago = DateTime::from_millis(0);
    for (book, state, at) in [
        (&undone, "inserting", long_ago),
        (&finished, "committed", long_ago),
        (&fresh, "inserting", DateTime::now()),
    ] {
        let batch = ObjectId::new();
        let id = ObjectId::from_bytes(book.id.bytes());
        books
            .update_one(doc! { "_id": id }, doc! { "$set": { "batch": batch } })
            .await?;
        batches
            .insert_one(
                doc! { "_id": batch, "collection": "books", "state": state, "startedAt": at },
            )
            .await?;
    }
    place.config.store.abandoned_batch = Duration::from_secs(60);
    let storage = place.open().await?;
    assert_eq!(storage.books.read(&tenant, &undone.id).await?, None);
    assert_eq!(
        storage.books.read(&tenant, &finished.id).await?,
        Some(finished)
    );
    // It may still be under way in another process: hidden, but there.
    assert_eq!(storage.books.read(&tenant, &fresh.id).await?, None);
    assert_eq!(books.count_documents(doc! {}).await?, 2);
    assert_eq!(batches.count_documents(doc! {}).await?, 1);
    Ok(())
}
