//! Versions of baselines, and the runs that they keep.

use std::collections::BTreeMap;

use jiff::Timestamp;
use load_analysis::baseline::{Baseline, Refused, RunFigures};
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
    let removed = test
        .store
        .remove_expired(&test.tenant, Timestamp::now())
        .await?;
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].to_string(), ids[5]);
    let others = ["v", "w", "x", "y", "z"];
    test.store.put_baseline(version(&test, 2, &others)?).await?;
    assert_eq!(
        test.store
            .remove_expired(&test.tenant, Timestamp::now())
            .await?
            .len(),
        5
    );
    Ok(())
}

fn version(test: &TestStore, version: u64, runs: &[&str]) -> Result<BaselineVersion, Refused> {
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
