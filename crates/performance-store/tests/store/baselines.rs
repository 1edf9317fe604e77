//! Versions of baselines, and the runs that they keep.

use std::collections::BTreeMap;

use jiff::Timestamp;
use load_analysis::baseline::{Baseline, Refused, Replacement, RunFigures};
use performance_store::{
    BaselineName, BaselineVersion, MAX_BASELINE_VERSIONS, MAX_PINNED_BASELINES, Run, StoreError,
};

use crate::test_store::TestStore;

#[tokio::test]
async fn versions_follow_each_other() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let runs = test.completed(5).await?;
    let first = version(&test, 1, &runs)?;
    assert_eq!(test.store.baseline(&first.name).await?, None);
    test.store.put_baseline(first.clone()).await?;
    let late = test.store.put_baseline(first.clone()).await;
    assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    let newest = u64::from(MAX_BASELINE_VERSIONS) + 3;
    for number in 2..=newest {
        let next = version(&test, number, &runs)?;
        test.store.put_baseline(next).await?;
    }
    let test = test.reopen().await?;
    let versions = test.store.baseline_versions(&first.name).await?;
    assert_eq!(versions.len(), MAX_BASELINE_VERSIONS as usize);
    assert_eq!(versions[0].version, newest);
    let in_force = test.store.baselines(&test.tenant).await?;
    assert_eq!(in_force, [version(&test, newest, &runs)?]);
    Ok(())
}

#[tokio::test]
async fn a_baseline_that_is_withdrawn_keeps_its_history() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let first = version(&test, 1, &test.completed(5).await?)?;
    test.store.put_baseline(first.clone()).await?;
    let end = withdrawn(&first)?;
    test.store.put_baseline(end.clone()).await?;
    assert_eq!(test.store.baseline(&first.name).await?, None);
    assert_eq!(test.store.baselines(&test.tenant).await?, []);
    let newest = test.store.newest_baseline(&first.name).await?;
    assert_eq!(newest.as_ref(), Some(&end));
    let versions = test.store.baseline_versions(&first.name).await?;
    assert_eq!(versions, [end, first.clone()]);
    let back = back_to(&first, 3)?;
    test.store.put_baseline(back.clone()).await?;
    assert_eq!(test.store.baselines(&test.tenant).await?, [back]);
    Ok(())
}

#[tokio::test]
async fn the_runs_of_a_baseline_in_force_stay() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 0).await?;
    let mut runs = test.completed(6).await?;
    let other = runs.pop().unwrap();
    let first = version(&test, 1, &runs)?;
    test.store.put_baseline(first.clone()).await?;
    let now = Timestamp::now();
    let removed = test.remove_expired(now).await?;
    assert_eq!(removed, [other.id]);
    test.store.put_baseline(withdrawn(&first)?).await?;
    let removed = test.remove_expired(now).await?;
    assert_eq!(removed.len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_version_whose_runs_are_gone_comes_into_force_no_more() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let runs = test.completed(5).await?;
    let first = version(&test, 1, &runs)?;
    test.store.put_baseline(first.clone()).await?;
    test.store.put_baseline(withdrawn(&first)?).await?;
    test.store.begin_removal(&runs[3].address()).await?;
    let names_it = |refused: &Result<(), StoreError>| matches!(refused, Err(StoreError::RunGone { run }) if *run == runs[3].id.to_string());
    let back = test.store.put_baseline(back_to(&first, 3)?).await;
    assert!(names_it(&back), "{back:?}");
    assert_eq!(test.store.baseline(&first.name).await?, None);
    let pinned = test.store.pin_baseline(&first.name, 1).await;
    assert!(names_it(&pinned), "{pinned:?}");
    assert!(test.store.pinned_baselines(&first.name).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_runs_of_a_pinned_version_stay_whatever_is_in_force() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 0).await?;
    let runs = test.completed(5).await?;
    let first = version(&test, 1, &runs)?;
    test.store.put_baseline(first.clone()).await?;
    let unknown = test.store.pin_baseline(&first.name, 7).await;
    assert!(
        matches!(unknown, Err(StoreError::Absent { .. })),
        "{unknown:?}"
    );
    test.store.pin_baseline(&first.name, 1).await?;
    assert_eq!(test.store.pinned_baselines(&first.name).await?, [1]);
    let others = test.completed(5).await?;
    for number in 2..=u64::from(MAX_BASELINE_VERSIONS) + 2 {
        let next = version(&test, number, &others)?;
        test.store.put_baseline(next).await?;
    }
    let expired = async || test.remove_expired(Timestamp::now()).await;
    assert_eq!(expired().await?, []);
    let removed = test.store.begin_removal(&runs[0].address()).await;
    assert!(matches!(removed, Err(StoreError::Pinned)), "{removed:?}");
    // The version itself is not forgotten either.
    let versions = test.store.baseline_versions(&first.name).await?;
    assert_eq!(versions.len(), MAX_BASELINE_VERSIONS as usize + 1);
    assert_eq!(versions.last(), Some(&first));
    test.store.unpin_baseline(&first.name, 1).await?;
    assert!(test.store.pinned_baselines(&first.name).await?.is_empty());
    assert_eq!(expired().await?.len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_version_is_pinned_once_and_only_with_runs() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let runs = test.completed(5).await?;
    let mut last = version(&test, 1, &runs)?;
    test.store.put_baseline(last.clone()).await?;
    let most = u64::from(MAX_PINNED_BASELINES);
    for number in 2..=most + 1 {
        last = version(&test, number, &runs)?;
        test.store.put_baseline(last.clone()).await?;
        test.store.pin_baseline(&last.name, number - 1).await?;
    }
    let beyond = test.store.pin_baseline(&last.name, most + 1).await;
    assert!(
        matches!(beyond, Err(StoreError::TooMany { .. })),
        "{beyond:?}"
    );
    // What is pinned already needs no place.
    test.store.pin_baseline(&last.name, 1).await?;
    test.store.unpin_baseline(&last.name, 1).await?;
    let end = withdrawn(&last)?;
    test.store.put_baseline(end.clone()).await?;
    let empty = test.store.pin_baseline(&end.name, end.version).await;
    assert!(matches!(empty, Err(StoreError::Absent { .. })), "{empty:?}");
    Ok(())
}

/// The version after this one, which puts none in force.
fn withdrawn(last: &BaselineVersion) -> Result<BaselineVersion, Refused> {
    Ok(BaselineVersion {
        version: last.version + 1,
        replacement: Some(Replacement::withdrawn("another machine")?),
        baseline: Baseline::default(),
        ..last.clone()
    })
}

fn back_to(earlier: &BaselineVersion, number: u64) -> Result<BaselineVersion, Refused> {
    let replacement = Replacement::back_to(earlier.version, "it stays", &[])?;
    Ok(BaselineVersion {
        version: number,
        replacement: Some(replacement),
        ..earlier.clone()
    })
}

pub(crate) fn version(
    test: &TestStore,
    version: u64,
    runs: &[Run],
) -> Result<BaselineVersion, Refused> {
    let figures = |run: &Run| RunFigures {
        run: run.id.to_string(),
        figures: BTreeMap::from([("http_req_duration p(95)".to_owned(), 12.5)]),
    };
    Ok(BaselineVersion {
        name: BaselineName {
            tenant: test.tenant.clone(),
            test: "steady".to_owned(),
            environment: "local".to_owned(),
            scenario: "Load".to_owned(),
        },
        version,
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "ana".to_owned(),
        replacement: None,
        baseline: Baseline::establish(runs.iter().map(figures).collect())?,
    })
}
