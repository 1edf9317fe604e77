//! F18 at the store: the clock is set forward and back by an hour, and by a day.

use jiff::SignedDuration;
use performance_store::{RunFilter, RunStatus, Step};

use crate::test_store::{LOAD, TestStore};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Far longer than the calls of a test take, far shorter than a step.
const SHORT: SignedDuration = SignedDuration::from_mins(1);

#[tokio::test]
async fn how_long_a_run_took_is_not_read_from_the_clock() -> anyhow::Result<()> {
    for step in [HOUR, -HOUR] {
        let store = TestStore::open().await?;
        let run = store.running().await?;
        store.store.clock().step(step);
        let over = store.finish(&run, RunStatus::Completed).await?;
        let (began, ended) = over.started_at.zip(over.completed_at).unwrap();
        let took = ended.duration_since(began);
        assert!(!took.is_negative() && took < SHORT, "{step:?}: {took:?}");
    }
    Ok(())
}

/// The service that took it has ended: nobody measured it, but it did not end before it began.
#[tokio::test]
async fn a_run_of_the_last_life_does_not_end_before_it_began() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let run = store.running().await?;
    store.store.clock().step(-HOUR);
    let store = store.reopen().await?;
    let over = store.finish(&run, RunStatus::Failed).await?;
    assert!(over.completed_at >= over.started_at, "{over:?}");
    Ok(())
}

#[tokio::test]
async fn the_queue_keeps_its_order_and_loses_nobody() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let mut accepted = Vec::new();
    for step in [HOUR, -HOUR, -HOUR, HOUR] {
        store.store.clock().step(step);
        accepted.push(store.enqueue().await?.id);
    }
    let mut taken = Vec::new();
    while let Some(next) = store.store.next_queued().await? {
        let run = store.step(&next, Step::Take).await?;
        store.finish(&run, RunStatus::Completed).await?;
        taken.push(next.id);
    }
    assert_eq!(taken, accepted);
    let listed = store.store.list(&store.tenant, RunFilter::All, 10).await?;
    let numbers: Vec<u64> = listed.iter().map(|run| run.number).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    // None is older than an hour, whatever the clock said of it.
    let now = store.store.clock().now();
    let removed = store.remove_expired(now).await?;
    assert_eq!(removed, []);
    Ok(())
}

#[tokio::test]
async fn ids_of_a_later_life_come_after_those_of_an_earlier_one() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    store.store.clock().step(HOUR);
    let before = store.enqueue_with(store.store.clock().run_id()).await?;
    store.store.clock().step(-HOUR);
    let directory = store.directory;
    drop(store.store);
    // The clock of a new process, which knows no more than the file.
    let config = performance_store::StoreConfig::new(directory.path().to_owned());
    let again = performance_store::RunStore::open(config).await?;
    let after = again.clock().run_id();
    assert!(after > before.id, "{after} after {}", before.id);
    Ok(())
}

/// Who sets the clock forward to tomorrow and back has what he had today.
#[tokio::test]
async fn the_load_of_a_day_is_that_of_the_day_that_it_is() -> anyhow::Result<()> {
    let store = TestStore::open_with(|config| config.tenant_daily_load = 2 * LOAD).await?;
    let left = async || store.store.load_left(&store.tenant).await;
    store.enqueue().await?;
    store.enqueue().await?;
    assert_eq!(left().await?, 0);
    store.store.clock().step(DAY);
    assert_eq!(left().await?, 2 * LOAD);
    store.enqueue().await?;
    store.store.clock().step(-DAY);
    assert_eq!(left().await?, 0);
    assert!(store.enqueue().await.is_err());
    Ok(())
}
