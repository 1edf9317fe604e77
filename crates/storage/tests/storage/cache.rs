//! What the two levels answer with, on a real Redis.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use domain::Version;
use storage::{CachedBody, Level, RedisState};
use test_support::wait;

use crate::fixtures::{Place, author, book, next, raw_redis, sqlite, tenant};

/// For what takes milliseconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A file, Redis, and a first level that never answers by itself.
fn without_level1(redis: &test_support::Redis) -> anyhow::Result<Place> {
    let mut place = sqlite()?.with_redis(redis.url());
    place.config.cache.level1_ttl = Duration::ZERO;
    Ok(place)
}

#[tokio::test]
async fn each_level_answers_with_the_same_reply() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = sqlite()?.with_redis(redis.url());
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    // Whoever starts makes Redis forget, so the other process is there from the beginning.
    let other = place.open().await?;
    assert_eq!(storage.redis_state(), RedisState::Healthy);
    let given = book("A book")?;
    storage.books.insert(&tenant, &given).await?;
    let second = next(&given, "Another")?;
    storage
        .books
        .replace(&tenant, &second, Version::FIRST)
        .await?;

    let expected = CachedBody {
        version: Version::new(2),
        fingerprint: second.text_fingerprint(),
        body: "Another 2".into(),
        etag: "\"2\"".into(),
        level: Level::L1,
    };
    let first = storage.books.get(&tenant, &given.id).await?;
    assert_eq!(first.as_deref(), Some(&expected));
    for level in [Level::L2, Level::L1] {
        let found = other.books.get(&tenant, &given.id).await?;
        assert_eq!(
            found.as_deref(),
            Some(&CachedBody {
                level,
                ..expected.clone()
            })
        );
    }
    let third = place.open().await?;
    let found = third.books.get(&tenant, &given.id).await?;
    assert_eq!(
        found.as_deref(),
        Some(&CachedBody {
            level: Level::Store,
            ..expected
        })
    );
    Ok(())
}

#[tokio::test]
async fn a_read_fills_redis_for_other_processes() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = without_level1(&redis)?;
    let (cold, tenant) = (place.open().await?, tenant("acme")?);
    let (given, writer) = (book("x")?, author("y")?);
    cold.books.insert(&tenant, &given).await?;
    cold.authors.insert(&tenant, &writer).await?;
    let other = place.open().await?;
    let mut raw = raw_redis(&redis.url()).await?;
    // The reply does not wait for the fill, and the fill for an epoch that is known.
    wait::until("both entries in Redis", DEADLINE, async || {
        let found = cold.books.get(&tenant, &given.id).await?;
        anyhow::ensure!(found.map(|found| found.level) == Some(Level::L2));
        let found = cold.authors.get(&tenant, &writer.id).await?;
        anyhow::ensure!(found.map(|found| found.level) == Some(Level::L2));
        let epoch: u64 = cmd("GET").arg("v1:epoch").query_async(&mut raw).await?;
        let book = format!("v1:{epoch}:t:acme:book:{}", given.id);
        let author = format!("v1:{epoch}:t:acme:author:{}", writer.id);
        let mut exist = cmd("EXISTS");
        let there: u8 = exist.arg(book).arg(author).query_async(&mut raw).await?;
        anyhow::ensure!(there == 2);
        Ok(())
    })
    .await?;
    let found = other.books.get(&tenant, &given.id).await?;
    assert_eq!(found.map(|found| found.level), Some(Level::L2));
    let found = other.authors.get(&tenant, &writer.id).await?;
    assert_eq!(found.map(|found| found.level), Some(Level::L2));
    Ok(())
}

#[tokio::test]
async fn tenants_do_not_share_entries() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = sqlite()?.with_redis(redis.url());
    let storage = place.open().await?;
    let (acme, other) = (tenant("acme")?, tenant("acme.book")?);
    let (mine, theirs) = (book("mine")?, book("theirs")?);
    // The same id twice, which the file allows: what is cached for one must not reach the other.
    let theirs = domain::Book {
        id: mine.id,
        ..theirs
    };
    storage.books.insert(&acme, &mine).await?;
    storage.books.insert(&other, &theirs).await?;
    for process in [&storage, &place.open().await?, &place.open().await?] {
        for (tenant, body) in [(&acme, "mine 1"), (&other, "theirs 1")] {
            let found = process.books.get(tenant, &mine.id).await?;
            assert_eq!(found.map(|found| found.body.clone()), Some(body.into()));
        }
        assert_eq!(process.books.get(&tenant("third")?, &mine.id).await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn an_absence_is_remembered_and_ends() -> anyhow::Result<()> {
    let place = sqlite()?;
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let given = book("x")?;
    assert_eq!(storage.redis_state(), RedisState::Disabled);
    assert_eq!(storage.books.get(&tenant, &given.id).await?, None);
    // Written past this process, so that only the memory can answer.
    let other = place.open().await?;
    other.books.insert(&tenant, &given).await?;
    assert_eq!(storage.books.get(&tenant, &given.id).await?, None);
    wait::until("the end of the memory", DEADLINE, async || {
        anyhow::ensure!(storage.books.get(&tenant, &given.id).await?.is_some());
        Ok(())
    })
    .await?;
    storage.books.delete(&tenant, &given.id, None).await?;
    assert_eq!(storage.books.get(&tenant, &given.id).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_value_of_another_type_is_a_miss_and_is_replaced() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = without_level1(&redis)?;
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let given = book("x")?;
    storage.books.insert(&tenant, &given).await?;
    let mut raw = raw_redis(&redis.url()).await?;
    let epoch: u64 = cmd("GET").arg("v1:epoch").query_async(&mut raw).await?;
    let key = format!("v1:{epoch}:t:acme:book:{}", given.id);
    cmd("RPUSH")
        .arg(&key)
        .arg("junk")
        .query_async::<()>(&mut raw)
        .await?;
    let found = storage.books.get(&tenant, &given.id).await?;
    assert_eq!(found.map(|found| found.level), Some(Level::Store));
    assert_eq!(storage.redis_state(), RedisState::Healthy);
    wait::until("a good entry in place of the list", DEADLINE, async || {
        let found = storage.books.get(&tenant, &given.id).await?;
        anyhow::ensure!(found.map(|found| found.level) == Some(Level::L2));
        Ok(())
    })
    .await?;
    // Garbage and another tenant's value are no answers either.
    for junk in [
        "",
        "garbage",
        &format!("1V{:020}{:016x}other\nstolen", 9, 0),
    ] {
        cmd("SET")
            .arg(&key)
            .arg(junk)
            .query_async::<()>(&mut raw)
            .await?;
        let found = storage.books.get(&tenant, &given.id).await?;
        assert_eq!(found.map(|found| found.body.clone()), Some("x 1".into()));
    }
    Ok(())
}

#[tokio::test]
async fn every_entry_in_redis_ends_by_itself() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let place = without_level1(&redis)?;
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    for _ in 0..5 {
        let given = book("x")?;
        storage.books.insert(&tenant, &given).await?;
        storage.books.get(&tenant, &given.id).await?;
        storage
            .books
            .replace(&tenant, &next(&given, "y")?, Version::FIRST)
            .await?;
    }
    let deleted = book("z")?;
    storage.books.insert(&tenant, &deleted).await?;
    storage.books.delete(&tenant, &deleted.id, None).await?;
    let mut raw = raw_redis(&redis.url()).await?;
    let keys: Vec<String> = cmd("KEYS").arg("v1:*").query_async(&mut raw).await?;
    assert!(keys.len() > 6, "{keys:?}");
    for key in keys.iter().filter(|key| *key != "v1:epoch") {
        let left: i64 = cmd("PTTL").arg(key).query_async(&mut raw).await?;
        // -2: it has ended meanwhile.
        assert!(left > 0 || left == -2, "{key}: {left}");
        assert!(left <= 330_000, "{key}: {left}");
    }
    Ok(())
}
