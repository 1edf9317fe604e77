//! Redis lost in the middle of reads: no request fails, none waits long.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::{Redis, wait};

use crate::{
    caller::{BOOKS, Caller},
    test_api::{Setup, TestApi},
};

/// Books to read: each is read once a round, so none of a round comes from the process itself.
const BOOKS_TO_READ: usize = 300;

/// Longest single read and longest median, on a machine that does other things as well. The
/// promise is that Redis adds at most 100 ms to a read.
const LONGEST: Duration = Duration::from_millis(500);
const MEDIAN: Duration = Duration::from_millis(50);

struct Library {
    redis: Redis,
    api: TestApi,
    caller: Caller,
    books: Vec<String>,
}

impl Library {
    async fn open() -> anyhow::Result<Self> {
        Self::open_with(&[]).await
    }

    async fn open_with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let redis = test_support::redis().await?;
        let mut setup = Setup::default().with("REDIS_URL", redis.url());
        for (name, value) in settings {
            setup = setup.with(name, value);
        }
        let api = setup.start().await?;
        let caller = api.caller()?;
        let book = |n: usize| json!({"title": format!("Book {n}"), "author": "A"});
        let sent: Vec<Value> = (0..BOOKS_TO_READ).map(book).collect();
        let reply = caller.post(&format!("{BOOKS}/bulk"), &json!(sent)).await?;
        let created = reply.expect(200)?.json()?;
        let address = |book: &Value| crate::caller::address(BOOKS, book);
        let books = created["books"].as_array().context("books")?;
        let books = books.iter().map(address).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            redis,
            api,
            caller,
            books,
        })
    }

    /// Begins with an empty first level.
    async fn reopen(&self) -> anyhow::Result<()> {
        self.api.terminate().await?;
        self.api.restart().await
    }

    /// Reads all books; `event` happens in the middle. No read may fail or take long.
    async fn read_all(&self, event: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        let (mut times, mut event) = (Vec::new(), Some(event));
        for (n, book) in self.books.iter().enumerate() {
            if n == BOOKS_TO_READ / 3 {
                event.take().map_or(Ok(()), |event| event())?;
            }
            let began = Instant::now();
            self.caller.read(book).await?;
            let time = began.elapsed();
            ensure!(time < LONGEST, "read {n} took {time:?}");
            times.push(time);
        }
        times.sort();
        let median = times[times.len() / 2];
        ensure!(median < MEDIAN, "the median is {median:?}");
        Ok(())
    }

    async fn level_2_hits(&self) -> anyhow::Result<u64> {
        let text = self.caller.get("/metrics").await?.expect(200)?.text();
        let hits = text.lines().filter(|line| {
            line.starts_with("bookstore_cache_requests_total{")
                && line.contains("cache_level=\"l2\"")
                && line.contains("outcome=\"hit\"")
        });
        hits.map(|line| Ok(line.rsplit(' ').next().context("a value")?.parse::<u64>()?))
            .sum()
    }

    /// Writes are made and seen as well.
    async fn change(&self) -> anyhow::Result<()> {
        for (n, book) in self.books.iter().take(20).enumerate() {
            let title = format!("Changed {n}");
            let began = Instant::now();
            let reply = self.caller.patch(book, &json!({"title": title})).await?;
            reply.expect(200)?;
            ensure!(
                began.elapsed() < LONGEST * 2,
                "change {n} took {:?}",
                began.elapsed()
            );
            assert_eq!(self.caller.read(book).await?["title"], title);
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_killed_redis_fails_no_request() -> anyhow::Result<()> {
    let library = Library::open().await?;
    library.read_all(|| Ok(())).await?;
    library.reopen().await?;
    library
        .read_all(|| {
            library.redis.kill();
            Ok(())
        })
        .await?;
    library.change().await?;
    told(&library, "unhealthy").await?;
    library.redis.restart().await?;
    told(&library, "healthy").await
}

#[tokio::test]
async fn a_frozen_redis_fails_no_request() -> anyhow::Result<()> {
    let library = Library::open().await?;
    library.read_all(|| Ok(())).await?;
    library.reopen().await?;
    library.read_all(|| library.redis.freeze()).await?;
    library.change().await?;
    told(&library, "unhealthy").await?;
    library.redis.thaw()?;
    told(&library, "healthy").await?;
    // What changed while it was away is never read from it.
    library.reopen().await?;
    for (n, book) in library.books.iter().take(20).enumerate() {
        assert_eq!(
            library.caller.read(book).await?["title"],
            format!("Changed {n}")
        );
    }
    Ok(())
}

#[tokio::test]
async fn without_a_first_level_redis_answers() -> anyhow::Result<()> {
    let library = Library::open_with(&[("BOOKSTORE_CACHE_LEVEL1_BYTES", "0")]).await?;
    library.read_all(|| Ok(())).await?;
    library.read_all(|| Ok(())).await?;
    let hits = library.level_2_hits().await?;
    assert!(hits > 0, "no read was served by Redis");
    // Who starts cannot know what the process before could not tell Redis.
    library.reopen().await?;
    library.caller.read(&library.books[0]).await?;
    assert_eq!(library.level_2_hits().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_full_redis_fails_no_request() -> anyhow::Result<()> {
    let redis =
        test_support::redis_with(&["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"])
            .await?;
    let api = Setup::default()
        .with("REDIS_URL", redis.url())
        .start()
        .await?;
    let caller = api.caller()?;
    for n in 0..30 {
        let book =
            json!({"title": format!("Book {n}"), "author": "A", "description": "x".repeat(9_000)});
        let created = caller.create(BOOKS, &book).await?;
        let address = crate::caller::address(BOOKS, &created)?;
        assert_eq!(caller.read(&address).await?, created);
        let changed = caller
            .patch(&address, &json!({"genre": "G"}))
            .await?
            .expect(200)?
            .json()?;
        assert_eq!(caller.read(&address).await?, changed);
    }
    Ok(())
}

/// Waits until the readiness document says so of Redis.
async fn told(library: &Library, status: &str) -> anyhow::Result<()> {
    wait::until(
        &format!("Redis is {status}"),
        Duration::from_secs(30),
        async || {
            let document = library.caller.read("/health/ready").await?;
            ensure!(
                document["checks"]["redis"]["status"] == status,
                "{document}"
            );
            Ok(())
        },
    )
    .await
}
