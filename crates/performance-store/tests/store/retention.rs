//! How long runs are kept, by a clock that the tests set.

use jiff::{SignedDuration, Timestamp};
use performance_store::{RunAddress, RunId, RunStatus, StoreError};

use crate::test_store::{TestStore, buckets};

const DAY: SignedDuration = SignedDuration::from_hours(24);

#[tokio::test]
async fn runs_go_when_they_are_old() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept_days = 30).await?;
    let run = test.running().await?;
    test.finish(&run, RunStatus::Completed).await?;
    let going_on = test.running().await?;
    let now = Timestamp::now();
    let almost = now + DAY * 30 - SignedDuration::from_mins(1);
    assert_eq!(test.store.remove_expired(&test.tenant, almost).await?, []);
    let later = now + DAY * 30 + SignedDuration::from_mins(1);
    let removed = test.store.remove_expired(&test.tenant, later).await?;
    assert_eq!(removed, [run.id]);
    let ages = now + DAY * 36_500;
    assert_eq!(test.store.remove_expired(&test.tenant, ages).await?, []);
    assert_eq!(
        test.store.tenants().await?,
        std::slice::from_ref(&test.tenant)
    );
    let nobody = RunId::generate();
    let unknown = test.store.unknown_runs(vec![run.id, going_on.id, nobody]);
    assert_eq!(unknown.await?, [run.id, nobody]);
    assert!(test.store.size().await? > 0);
    Ok(())
}

#[tokio::test]
async fn long_runs_go_with_all_their_seconds() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 1).await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let run = test.running().await?;
        // Two and a half times what one call removes.
        let long: Vec<(i64, f64)> = (0..625).map(|second| (second, 1.0)).collect();
        test.record(&run, 1, buckets(&long)).await?;
        ids.push(test.finish(&run, RunStatus::Completed).await?.id);
    }
    let seconds = || -> anyhow::Result<u32> {
        let file = test.directory.path().join("data/performance.sqlite");
        let count = "SELECT count(*) FROM seconds";
        Ok(rusqlite::Connection::open(file)?.query_row(count, [], |row| row.get(0))?)
    };
    assert_eq!(seconds()?, 3 * 625);
    let removed = test
        .store
        .remove_expired(&test.tenant, Timestamp::now())
        .await?;
    assert_eq!(removed, [ids[1], ids[0]]);
    assert_eq!(seconds()?, 625);
    let last = RunAddress {
        tenant: test.tenant.clone(),
        id: ids[2],
    };
    test.store.remove(&last).await?;
    assert_eq!(seconds()?, 0);
    let gone = test.store.remove(&last).await;
    assert!(matches!(gone, Err(StoreError::NotFound)), "{gone:?}");
    Ok(())
}

#[tokio::test]
async fn raw_files_go_sooner_than_runs() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let run = test.running().await?;
        ids.push(test.finish(&run, RunStatus::Completed).await?.id);
    }
    let beyond = async |now, days| {
        let found = test.store.finished_beyond(&test.tenant, 2, (now, days));
        found.await
    };
    let now = Timestamp::now();
    assert_eq!(beyond(now, 7).await?, [ids[0]], "by their number");
    ids.reverse();
    assert_eq!(beyond(now + DAY * 8, 7).await?, ids, "by their age");
    assert_eq!(beyond(Timestamp::now(), 0).await?, ids, "at their end");
    Ok(())
}
