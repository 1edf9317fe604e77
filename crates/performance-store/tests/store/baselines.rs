//! Versions of baselines, and the runs that they keep.

use std::collections::BTreeMap;

use jiff::Timestamp;
use load_analysis::baseline::{Baseline, Refused, Replacement, RunFigures};
use performance_store::{
    BaselineName, BaselineVersion, MAX_BASELINE_VERSIONS, RunStatus, StoreError,
};

use crate::test_store::TestStore;

#[tokio::test]
async fn versions_follow_each_other() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let first = version(&test, 1, &["a", "b", "c", "d", "e"])?;
    assert_eq!(test.store.baseline(&first.name).await?, None);
    test.store.put_baseline(first.clone()).await?;
    let late = test.store.put_baseline(first.clone()).await;
    assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    let newest = u64::from(MAX_BASELINE_VERSIONS) + 3;
    for number in 2..=newest {
        let runs = ["a", "b", "c", "d", "e"];
        test.store
            .put_baseline(version(&test, number, &runs)?)
            .await?;
    }
    let test = test.reopen().await?;
    let versions = test.store.baseline_versions(&first.name).await?;
    assert_eq!(versions.len(), MAX_BASELINE_VERSIONS as usize);
    assert_eq!(versions[0].version, newest);
    let in_force = test.store.baselines(&test.tenant).await?;
    assert_eq!(
        in_force,
        [version(&test, newest, &["a", "b", "c", "d", "e"])?]
    );
    Ok(())
}

#[tokio::test]
async fn a_baseline_that_is_withdrawn_keeps_its_history() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 0).await?;
    let first = version(&test, 1, &["a", "b", "c", "d", "e"])?;
    test.store.put_baseline(first.clone()).await?;
    let end = BaselineVersion {
        version: 2,
        replacement: Some(Replacement::withdrawn("another machine")?),
        baseline: Baseline::default(),
        ..first.clone()
    };
    test.store.put_baseline(end.clone()).await?;
    assert_eq!(test.store.baseline(&first.name).await?, None);
    assert_eq!(test.store.baselines(&test.tenant).await?, []);
    let newest = test.store.newest_baseline(&first.name).await?;
    assert_eq!(newest.as_ref(), Some(&end));
    let versions = test.store.baseline_versions(&first.name).await?;
    assert_eq!(versions, [end, first.clone()]);
    let back = BaselineVersion {
        version: 3,
        replacement: Some(Replacement::back_to(1, "it stays", &[])?),
        ..first.clone()
    };
    test.store.put_baseline(back.clone()).await?;
    assert_eq!(test.store.baselines(&test.tenant).await?, [back]);
    Ok(())
}

#[tokio::test]
async fn the_runs_of_a_baseline_in_force_stay() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 0).await?;
    let mut ids = Vec::new();
    for _ in 0..6 {
        let run = test.running().await?;
        ids.push(
            test.finish(&run, RunStatus::Completed)
                .await?
                .id
                .to_string(),
        );
    }
    let kept: Vec<&str> = ids.iter().take(5).map(String::as_str).collect();
    test.store.put_baseline(version(&test, 1, &kept)?).await?;
    let removed = test.remove_expired(Timestamp::now()).await?;
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].to_string(), ids[5]);
    let others = ["v", "w", "x", "y", "z"];
    test.store.put_baseline(version(&test, 2, &others)?).await?;
    assert_eq!(test.remove_expired(Timestamp::now()).await?.len(), 5);
    Ok(())
}

#[tokio::test]
async fn the_runs_of_a_pinned_version_stay_whatever_is_in_force() -> anyhow::Result<()> {
    let test = TestStore::open_with(|config| config.runs_kept = 0).await?;
    let mut runs = Vec::new();
    for _ in 0..5 {
        let run = test.running().await?;
        runs.push(test.finish(&run, RunStatus::Completed).await?);
    }
    let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let first = version(&test, 1, &ids)?;
    test.store.put_baseline(first.clone()).await?;
    let unknown = test.store.pin_baseline(&first.name, 7).await;
    assert!(
        matches!(unknown, Err(StoreError::Absent { .. })),
        "{unknown:?}"
    );
    for _ in 0..2 {
        test.store.pin_baseline(&first.name, 1).await?;
    }
    assert_eq!(test.store.pinned_baselines(&first.name).await?, [1]);
    let others = ["v", "w", "x", "y", "z"];
    for number in 2..=u64::from(MAX_BASELINE_VERSIONS) + 2 {
        test.store
            .put_baseline(version(&test, number, &others)?)
            .await?;
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

pub(crate) fn version(
    test: &TestStore,
    version: u64,
    runs: &[&str],
) -> Result<BaselineVersion, Refused> {
    let figures = |run: &&str| RunFigures {
        run: (*run).to_owned(),
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
