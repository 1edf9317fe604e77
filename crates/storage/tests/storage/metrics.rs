//! What is counted.

use std::time::Duration;

use anyhow::ensure;
use domain::Version;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use storage::{Storage, StorageConfig, SummaryKey};
use test_support::wait;

use crate::fixtures::{ENCODERS, Place, author, book, mongo, next, sqlite, tenant};

/// A look each twentieth of a second, on a busy machine.
const SEEN: Duration = Duration::from_secs(30);

/// What is shown in the end of books, authors and copies.
async fn shown(text: &PrometheusHandle, wanted: [f64; 3]) -> anyhow::Result<()> {
    wait::until("the holdings", SEEN, async || {
        let text = text.render();
        for (name, wanted) in ["books", "authors", "stock_units"].iter().zip(wanted) {
            let name = format!("bookstore_{name} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name));
            let value: f64 = line.unwrap_or("-1").parse()?;
            let same = value.total_cmp(&wanted).is_eq() || (value.is_nan() && wanted.is_nan());
            ensure!(same, "{name}is {value}, not {wanted}");
        }
        Ok(())
    })
    .await
}

/// What two tenants have is shown together.
async fn holdings_of(mut place: Place) -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    place.config.store.holdings_pause = Duration::from_millis(50);
    let storage = place.open().await?;
    shown(&recorder.handle(), [0.0, 0.0, 0.0]).await?;
    for owner in ["acme", "other"] {
        let owner = tenant(owner)?;
        // Three copies of each.
        storage.books.insert(&owner, &book("x")?).await?;
        let several = [book("y")?, book("z")?];
        storage.books.insert_many(&owner, &several).await?;
        storage.authors.insert(&owner, &author("A")?).await?;
    }
    shown(&recorder.handle(), [6.0, 2.0, 18.0]).await
}

#[tokio::test]
async fn holdings_of_all_tenants_are_shown() -> anyhow::Result<()> {
    holdings_of(sqlite()?).await?;
    holdings_of(mongo().await?).await
}

#[tokio::test]
async fn holdings_of_a_store_that_is_away_are_no_numbers() -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let server = test_support::ferretdb().await?;
    let mut config = StorageConfig::mongo(server.uri().into(), "books");
    config.store.holdings_pause = Duration::from_millis(50);
    config.store.bulk = Duration::from_secs(1);
    let _storage = Storage::connect(&config, ENCODERS).await?;
    shown(&recorder.handle(), [0.0; 3]).await?;
    server.kill();
    shown(&recorder.handle(), [f64::NAN; 3]).await?;
    server.restart().await?;
    shown(&recorder.handle(), [0.0; 3]).await
}

/// The value of the one series with all of these labels.
fn value(text: &str, metric: &str, labels: &[&str]) -> Option<f64> {
    let line = text.lines().find(|line| {
        line.starts_with(&format!("{metric}{{")) && labels.iter().all(|label| line.contains(label))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn a_redis_that_is_passed_by_is_not_asked() -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let guard = metrics::set_default_local_recorder(&recorder);
    let port = test_support::port::free()?;
    let place = sqlite()?.with_redis(format!("redis://127.0.0.1:{port}"));
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let book = book("x")?.id;
    storage.books.get(&tenant, &book).await?;
    let key = SummaryKey {
        tenant,
        book,
        provider: "ollama".into(),
        model: "llama3.2:1b".into(),
        prompt_version: "summary-1".into(),
        fingerprint: 42,
    };
    assert_eq!(storage.summaries.get(&key).await, None);
    drop(guard);
    let text = recorder.handle().render();
    for cache in ["cache_name=\"book\"", "cache_name=\"summary\""] {
        for (outcome, count) in [("bypass", 1.0), ("miss", 0.0), ("hit", 0.0)] {
            let outcome = format!("outcome=\"{outcome}\"");
            let labels = [cache, "cache_level=\"l2\"", &outcome];
            let counted = value(&text, "bookstore_cache_requests_total", &labels);
            assert_eq!(counted, Some(count), "{labels:?} {text}");
        }
    }
    Ok(())
}

// On one thread, so that all handles are made from this test's recorder.
#[tokio::test]
async fn every_cache_event_is_counted() -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let text = recorder.handle();
    let guard = metrics::set_default_local_recorder(&recorder);
    let redis = test_support::redis().await?;
    let place = sqlite()?.with_redis(redis.url());
    let (storage, tenant) = (place.open().await?, tenant("acme")?);
    let other = place.open().await?;
    let given = book("x")?;
    storage.books.insert(&tenant, &given).await?;
    storage.books.get(&tenant, &given.id).await?;
    storage
        .books
        .replace(&tenant, &next(&given, "y")?, Version::FIRST)
        .await?;
    other.books.get(&tenant, &given.id).await?;
    other.books.get(&tenant, &book("never")?.id).await?;
    drop(guard);

    let text = text.render();
    let requests = |level: &str, outcome: &str| {
        let labels = [
            "cache_name=\"book\"".to_owned(),
            format!("cache_level=\"{level}\""),
            format!("outcome=\"{outcome}\""),
        ];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        value(&text, "bookstore_cache_requests_total", &labels)
    };
    assert_eq!(requests("l1", "hit"), Some(1.0), "{text}");
    assert_eq!(requests("l1", "miss"), Some(2.0));
    assert_eq!(requests("l2", "hit"), Some(1.0));
    assert_eq!(requests("l2", "miss"), Some(1.0));
    assert_eq!(requests("store", "miss"), Some(1.0));
    for never in [
        ("l1", "stale"),
        ("l2", "bypass"),
        ("store", "hit"),
        ("store", "coalesced"),
    ] {
        assert_eq!(requests(never.0, never.1), Some(0.0), "{never:?}");
    }
    for (system, operation, collection) in [
        ("sqlite", "insert", "books"),
        ("sqlite", "replace", "books"),
        ("sqlite", "get", "books"),
        ("redis", "GET", ""),
        ("redis", "EVALSHA put_if_newer", ""),
    ] {
        let labels = [
            format!("db_system_name=\"{system}\""),
            format!("db_operation_name=\"{operation}\""),
            format!("db_collection_name=\"{collection}\""),
            "error_type=\"\"".to_owned(),
        ];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let calls = value(&text, "db_client_operation_duration_seconds_count", &labels);
        assert!(calls >= Some(1.0), "{system} {operation}\n{text}");
    }
    Ok(())
}
