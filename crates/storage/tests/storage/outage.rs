//! Redis in trouble: no call fails, none waits for it longer than 100 ms.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool_redis::redis::cmd;
use domain::{Book, Version};
use storage::{Level, RedisState, Storage, StorageError};
use tenancy::TenantId;
use test_support::{redis, redis_with, wait};

use crate::fixtures::{Place, book, next, raw_redis, sqlite, tenant};

/// The promise, with what a call takes besides. Waiting twice for one command each takes longer.
const WAITING: Duration = Duration::from_millis(100 + 25);

/// A call that waited for Redis; one command's limit is 80 ms.
const SLOW: Duration = Duration::from_millis(60);

/// What even a busy machine with two cores does not add to one call.
const HICCUP: Duration = Duration::from_millis(400);

/// For what takes milliseconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A first level that never answers by itself, so that every read asks Redis.
fn place(url: String) -> anyhow::Result<Place> {
    let mut place = sqlite()?.with_redis(url);
    place.config.cache.level1_ttl = Duration::ZERO;
    place.config.cache.negative_ttl = Duration::ZERO;
    Ok(place)
}

/// One of each call, with the time that each took.
async fn every_call(storage: &Storage, tenant: &TenantId) -> anyhow::Result<Vec<Duration>> {
    let mut took = Vec::new();
    let mut clock = Instant::now();
    let mut lap = || took.push(std::mem::replace(&mut clock, Instant::now()).elapsed());
    let given = book("x")?;
    storage.books.insert(tenant, &given).await?;
    lap();
    storage.books.get(tenant, &given.id).await?;
    lap();
    let second = next(&given, "y")?;
    storage
        .books
        .replace(tenant, &second, Version::FIRST)
        .await?;
    lap();
    let found = storage.books.get(tenant, &given.id).await?;
    assert_eq!(found.map(|found| found.version), Some(Version::new(2)));
    lap();
    storage.books.delete(tenant, &given.id, None).await?;
    lap();
    assert_eq!(storage.books.get(tenant, &given.id).await?, None);
    lap();
    Ok(took)
}

/// At most `slow` calls waited for Redis, and for no longer than is promised. The median speaks for
/// the waits, because the machine may be busy with other things during one of them.
fn assert_in_time(mut took: Vec<Duration>, slow: std::ops::RangeInclusive<usize>) {
    took.sort();
    let waited: Vec<Duration> = took.iter().copied().filter(|took| *took > SLOW).collect();
    assert!(took.iter().all(|took| *took < HICCUP), "{took:?}");
    assert!(slow.contains(&waited.len()), "{took:?}");
    if waited.len() > 1 {
        assert!(waited[(waited.len() - 1) / 2] < WAITING, "{took:?}");
    }
}

async fn used_again(storage: &Storage) -> anyhow::Result<()> {
    wait::until("Redis to be used again", DEADLINE, async || {
        anyhow::ensure!(storage.redis_state() == RedisState::Healthy);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn never_started() -> anyhow::Result<()> {
    let port = test_support::port::free()?;
    let (place, tenant) = (place(format!("redis://127.0.0.1:{port}"))?, tenant("acme")?);
    let storage = place.open().await?;
    assert_eq!(storage.redis_state(), RedisState::Unavailable);
    let took = every_call(&storage, &tenant).await?;
    assert_in_time(took, 0..=1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen() -> anyhow::Result<()> {
    let redis = redis().await?;
    let (place, tenant) = (place(redis.url())?, tenant("acme")?);
    let storage = place.open().await?;
    every_call(&storage, &tenant).await?;
    redis.freeze()?;
    let mut took = Vec::new();
    for _ in 0..4 {
        took.extend(every_call(&storage, &tenant).await?);
    }
    // The first few wait, then Redis is passed by.
    assert_in_time(took, 1..=6);
    assert_eq!(storage.redis_state(), RedisState::Unavailable);
    redis.thaw()?;
    used_again(&storage).await?;
    every_call(&storage, &tenant).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_restarted_under_load() -> anyhow::Result<()> {
    let redis = redis().await?;
    let (place, tenant) = (place(redis.url())?, tenant("acme")?);
    let storage = Arc::new(place.open().await?);
    let (over, calls) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (storage, tenant) = (Arc::clone(&storage), tenant.clone());
            let (over, calls) = (Arc::clone(&over), Arc::clone(&calls));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    every_call(&storage, &tenant).await?;
                    calls.fetch_add(1, Ordering::SeqCst);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let more = async || {
        let before = calls.load(Ordering::SeqCst);
        wait::until("more calls", DEADLINE, async || {
            anyhow::ensure!(calls.load(Ordering::SeqCst) > before + 20);
            Ok(())
        })
        .await
    };
    more().await?;
    redis.kill();
    more().await?;
    assert_eq!(storage.redis_state(), RedisState::Unavailable);
    redis.restart().await?;
    used_again(&storage).await?;
    more().await?;
    over.store(true, Ordering::SeqCst);
    for task in load {
        // Any failed call, or a version that went back, ends here.
        task.await??;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn full() -> anyhow::Result<()> {
    let redis = redis_with(&["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"]).await?;
    let (place, tenant) = (place(redis.url())?, tenant("acme")?);
    let storage = place.open().await?;
    every_call(&storage, &tenant).await?;
    let mut raw = raw_redis(&redis.url()).await?;
    let junk = "x".repeat(64 << 10);
    let full = (0..200).map(|number| (format!("junk{number}"), &junk));
    for (key, junk) in full {
        if cmd("SET")
            .arg(key)
            .arg(junk)
            .query_async::<()>(&mut raw)
            .await
            .is_err()
        {
            break;
        }
    }
    for size in [4_096, 64, 1] {
        // Until not even a small value fits.
        while cmd("APPEND")
            .arg("junk")
            .arg("x".repeat(size))
            .query_async::<()>(&mut raw)
            .await
            .is_ok()
        {}
    }
    let took = every_call(&storage, &tenant).await?;
    assert_in_time(took, 0..=1);
    assert_eq!(storage.redis_state(), RedisState::Unavailable);
    cmd("FLUSHALL").query_async::<()>(&mut raw).await?;
    used_again(&storage).await?;
    every_call(&storage, &tenant).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn emptied_under_load_on_one_key() -> anyhow::Result<()> {
    let redis = redis().await?;
    let (place, tenant) = (sqlite()?.with_redis(redis.url()), tenant("acme")?);
    let given: Book = book("hot")?;
    place.open().await?.books.insert(&tenant, &given).await?;
    for _ in 0..3 {
        cmd("FLUSHALL")
            .query_async::<()>(&mut raw_redis(&redis.url()).await?)
            .await?;
        // Two processes that have nothing of their own yet.
        let processes = [Arc::new(place.open().await?), Arc::new(place.open().await?)];
        // Any write tells the first one of the epoch that the second one raised.
        let absent = book("absent")?.id;
        let deletion = processes[0].books.delete(&tenant, &absent, None).await;
        assert_eq!(deletion, Err(StorageError::NotFound));
        let readers: Vec<_> = (0..200)
            .map(|number| {
                let (storage, tenant) = (Arc::clone(&processes[number % 2]), tenant.clone());
                let id = given.id;
                tokio::spawn(async move { storage.books.get(&tenant, &id).await })
            })
            .collect();
        let mut bodies = Vec::new();
        for reader in readers {
            let found = reader.await??;
            bodies.extend(found.filter(|found| found.level == Level::Store));
        }
        // Those who shared a read share its reply.
        bodies.sort_by_key(|body| Arc::as_ptr(body).addr());
        bodies.dedup_by(|one, other| Arc::ptr_eq(one, other));
        assert!(
            (1..=2).contains(&bodies.len()),
            "{} reads of the store",
            bodies.len()
        );
    }
    Ok(())
}
