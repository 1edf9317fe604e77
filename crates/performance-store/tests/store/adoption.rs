//! A run whose load is on, and another conductor.

use performance_store::{StoreError, ToldSeconds};

use crate::test_store::{TestStore, buckets};

#[tokio::test]
async fn a_running_run_is_taken_over_once_and_its_measurements_begin_anew() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let queued = test.enqueue().await?;
    let waiting = queued.address();
    let refused = test.store.take_over(&waiting, queued.position());
    assert!(matches!(refused.await, Err(StoreError::Moved { .. })));

    let run = test.running().await?;
    let address = run.address();
    // More than are removed at once, and a second in two parts at each end.
    let long: Vec<(i64, f64)> = (100..=703).map(|second| (second, 1.0)).collect();
    test.record(&run, 1, buckets(&long)).await?;
    test.record(&run, 2, buckets(&[(100, 3.0), (703, 3.0)]))
        .await?;
    let (taken, told) = test.store.take_over(&address, run.position()).await?;
    assert_eq!(
        told,
        Some(ToldSeconds {
            first: 100,
            last: 703
        })
    );
    assert_eq!((taken.status, taken.fence), (run.status, run.fence + 1));
    assert_eq!(taken.process, run.process);
    assert_eq!(test.store.span_seconds(&address).await?, 0);
    assert!(
        test.record(&run, 3, buckets(&[(704, 1.0)])).await.is_err(),
        "an old fence"
    );
    let note = async |fence| {
        let noted = test.store.note_container(&address, fence, "0c".repeat(32));
        noted.await
    };
    assert!(matches!(
        note(run.fence).await,
        Err(StoreError::Moved { .. })
    ));
    note(taken.fence).await?;
    let shown = test.store.get(&address).await?.container_id;
    assert_eq!(shown, Some("0c".repeat(32)));
    let again = test.store.take_over(&address, run.position());
    assert!(matches!(again.await, Err(StoreError::Moved { .. })));

    test.record(&taken, 1, buckets(&[(100, 1.0)])).await?;
    assert_eq!(test.store.span_seconds(&address).await?, 1);
    Ok(())
}
