//! How long runs are kept, by a clock that the tests set.

use jiff::{SignedDuration, Timestamp};
use performance_store::{RunFilter, RunId, RunStatus, StoreError};

use crate::baselines::version;
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
    assert_eq!(test.remove_expired(almost).await?, []);
    let later = now + DAY * 30 + SignedDuration::from_mins(1);
    let removed = test.remove_expired(later).await?;
    assert_eq!(removed, [run.id]);
    let ages = now + DAY * 36_500;
    assert_eq!(test.remove_expired(ages).await?, []);
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
    let removed = test.remove_expired(Timestamp::now()).await?;
    assert_eq!(removed, [ids[0], ids[1]]);
    assert_eq!(seconds()?, 625);
    Ok(())
}

/// The process may end at any moment between the mark and the last second.
#[tokio::test]
async fn a_removal_that_was_cut_off_shows_nothing_and_goes_on() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let mut runs = Vec::new();
    for _ in 0..5 {
        let run = test.running().await?;
        test.record(&run, 1, buckets(&[(1, 1.0), (2, 1.0)])).await?;
        runs.push(test.finish(&run, RunStatus::Completed).await?);
    }
    test.store.put_baseline(version(&test, 1, &runs)?).await?;
    let others = test.completed(5).await?;
    test.store.put_baseline(version(&test, 2, &others)?).await?;

    let address = runs[0].address();
    test.store.begin_removal(&address).await?;
    let test = test.reopen().await?;
    let store = &test.store;
    let found = store.get(&address).await;
    assert!(matches!(found, Err(StoreError::NotFound)), "{found:?}");
    let compared = store.with_results(&test.tenant, vec![address.id]).await;
    assert!(
        matches!(compared, Err(StoreError::NotFound)),
        "{compared:?}"
    );
    let again = store.begin_removal(&address).await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    let listed = store.list(&test.tenant, RunFilter::All, 10).await?;
    assert!(listed.iter().all(|run| run.id != address.id), "{listed:?}");
    let back = version(&test, 3, &runs)?;
    let pinned = store.pin_baseline(&back.name, 1).await;
    assert!(
        matches!(pinned, Err(StoreError::RunGone { .. })),
        "{pinned:?}"
    );
    let put = store.put_baseline(back).await;
    assert!(matches!(put, Err(StoreError::RunGone { .. })), "{put:?}");

    assert_eq!(test.finish_removals().await?, [address.id]);
    assert_eq!(
        store.unknown_runs(vec![address.id]).await?,
        [address.id],
        "its files may go"
    );
    let file = test.directory.path().join("data/performance.sqlite");
    let left = "SELECT count(*) FROM seconds";
    let left: u32 = rusqlite::Connection::open(file)?.query_row(left, [], |row| row.get(0))?;
    assert_eq!(left, 8);
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
