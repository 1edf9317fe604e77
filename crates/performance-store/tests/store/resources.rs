//! What a target used, kept with its run.

use performance_store::{MAX_RESOURCE_BYTES, RunStatus, StoreError};

use crate::test_store::{TestStore, buckets};

#[tokio::test]
async fn the_last_document_of_a_run_is_kept_until_its_end() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    let address = run.address();
    assert_eq!(test.store.resources(&address).await?, None);
    let keep = |text: &str| {
        test.store
            .keep_resources(&address, run.fence, text.to_owned())
    };
    keep("first").await?;
    keep("second").await?;
    let kept = test.store.resources(&address).await?;
    assert_eq!(kept.as_deref(), Some("second"));

    let large = "x".repeat(MAX_RESOURCE_BYTES + 1);
    assert!(matches!(
        keep(&large).await,
        Err(StoreError::RunTooLarge { .. })
    ));
    let other = test
        .store
        .keep_resources(&address, run.fence + 1, String::new());
    assert!(
        matches!(other.await, Err(StoreError::Moved { .. })),
        "another conductor's"
    );
    test.finish(&run, RunStatus::Completed).await?;
    assert!(matches!(keep("late").await, Err(StoreError::Moved { .. })));
    Ok(())
}

#[tokio::test]
async fn the_ends_of_a_run_are_its_first_and_last_second() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    let address = run.address();
    assert_eq!(test.store.first_and_last_second(&address).await?, None);
    assert_eq!(test.store.span_seconds(&address).await?, 0);
    test.record(&run, 1, buckets(&[(7, 1.0), (12, 1.0)]))
        .await?;
    assert_eq!(
        test.store.first_and_last_second(&address).await?,
        Some((7, 12))
    );
    assert_eq!(test.store.span_seconds(&address).await?, 6);
    Ok(())
}
