//! What one tenant may ask for, whatever the others do.

use performance_store::{RunStatus, Step, StoreError};
use tenancy::TenantId;

use crate::test_store::{LOAD, TestStore};

#[tokio::test]
async fn a_full_queue_of_one_tenant_is_not_that_of_others() -> anyhow::Result<()> {
    let store = TestStore::open_with(|config| config.tenant_queue_limit = 2).await?;
    let first = store.enqueue().await?;
    store.enqueue().await?;
    let refused = store.enqueue().await.unwrap_err();
    let full = matches!(
        refused,
        StoreError::TenantQueueFull {
            waiting: 2,
            limit: 2
        }
    );
    assert!(full, "{refused}");
    store.enqueue_for(&TenantId::parse("other")?).await?;
    store.finish(&first, RunStatus::Cancelled).await?;
    store.enqueue().await?;
    Ok(())
}

#[tokio::test]
async fn the_load_of_a_day_is_taken_and_given_back() -> anyhow::Result<()> {
    let store = TestStore::open_with(|config| config.tenant_daily_load = 2 * LOAD + 1).await?;
    let left = async || store.store.load_left(&store.tenant).await;
    let first = store.enqueue().await?;
    let second = store.enqueue().await?;
    assert_eq!(left().await?, 1);
    let refused = store.enqueue().await.unwrap_err();
    let used_up = matches!(
        refused,
        StoreError::DailyLoad {
            used: 200,
            allowed: 201
        }
    );
    assert!(used_up, "{refused}");
    // What leaves the queue without a start puts nothing on.
    store.finish(&second, RunStatus::Cancelled).await?;
    assert_eq!(left().await?, LOAD + 1);
    store.store.take_load(&first.address(), LOAD).await?;
    assert_eq!(left().await?, 1);
    assert_eq!(
        store.store.load_left(&TenantId::parse("other")?).await?,
        2 * LOAD + 1
    );
    Ok(())
}

/// A script that k6 refuses costs its tenant nothing of the day; one whose k6 began does.
#[tokio::test]
async fn only_load_that_began_counts() -> anyhow::Result<()> {
    let store = TestStore::open_with(|config| config.tenant_daily_load = 2 * LOAD).await?;
    let refused = store.enqueue().await?;
    let refused = store.step(&refused, Step::Take).await?;
    store.finish(&refused, RunStatus::Failed).await?;
    assert_eq!(store.store.load_left(&store.tenant).await?, 2 * LOAD);
    let began = store.running().await?;
    store.finish(&began, RunStatus::Failed).await?;
    assert_eq!(store.store.load_left(&store.tenant).await?, LOAD);
    Ok(())
}
