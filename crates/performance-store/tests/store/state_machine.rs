//! Who may move a run where.

use std::collections::BTreeMap;

use load_analysis::verdict::{Level, Verdict};
use performance_store::{
    LoadProcess, LongReader, Outcome, RunAddress, RunFilter, RunId, RunStatus, Step, StoreError,
};
use tenancy::TenantId;

use crate::test_store::{TestStore, event};

#[tokio::test]
async fn a_run_goes_from_queued_to_completed() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.running().await?;
    assert_eq!(run.status, RunStatus::Running);
    assert_eq!(run.fence, 1);
    assert!(run.started_at.is_some());

    let verdict = Verdict {
        level: Level::Pass,
        exit_code: 0,
        reasons: vec!["every limit held".to_owned()],
    };
    let outcome = Outcome {
        status: RunStatus::Completed,
        error: None,
        verdict: Some(verdict.clone()),
        results: Some("{}".to_owned()),
        figures: BTreeMap::new(),
        spend: None,
    };
    let position = run.position();
    let (ended, events) = test
        .store
        .finish(&run.address(), position, outcome, vec![event("end")])
        .await?;
    assert_eq!(ended.status, RunStatus::Completed);
    assert_eq!(ended.verdict, Some(verdict));
    assert!(ended.completed_at >= ended.started_at);
    assert_eq!(events[0].id, 2);
    assert_eq!(
        test.store.results(&run.address()).await?.as_deref(),
        Some("{}")
    );
    Ok(())
}

#[tokio::test]
async fn a_change_needs_the_right_status_and_fence() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let queued = test.enqueue().await?;
    let taken = test.step(&queued, Step::Take).await?;

    let twice = test.step(&queued, Step::Take).await;
    assert!(matches!(
        twice,
        Err(StoreError::Moved {
            actual: RunStatus::Starting
        })
    ));

    let mut stale = taken.clone();
    stale.fence = 0;
    assert!(matches!(
        test.step(&stale, Step::Run).await,
        Err(StoreError::Moved { .. })
    ));
    assert!(matches!(
        test.step(&taken, Step::Take).await,
        Err(StoreError::Moved { .. })
    ));

    let over = test.finish(&taken, RunStatus::Failed).await?;
    for position in [taken.clone(), over] {
        assert!(matches!(
            test.finish(&position, RunStatus::Completed).await,
            Err(StoreError::Moved { .. })
        ));
    }
    let writes = test.record(&taken, 1, vec![]).await;
    assert!(matches!(writes, Err(StoreError::Moved { .. })));
    Ok(())
}

#[tokio::test]
async fn only_one_of_many_takes_a_run() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let run = test.enqueue().await?;
    let mut takers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, run) = (test.store.clone(), run.clone());
        takers.spawn(async move {
            store
                .advance(&run.address(), run.position(), Step::Take, vec![])
                .await
                .is_ok()
        });
    }
    let won = takers
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count();
    assert_eq!(won, 1);
    Ok(())
}

#[tokio::test]
async fn everything_survives_a_restart() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let running = test.running().await?;
    let waiting = test.enqueue().await?;
    let test = test.reopen().await?;

    let active = test.store.active().await?;
    assert_eq!(active.len(), 1);
    assert_eq!(active[0].id, running.id);
    assert_eq!(active[0].position(), running.position());
    assert_eq!(
        active[0].process,
        Some(LoadProcess {
            pid: 4_242,
            start_ticks: 77
        })
    );
    let next = test.store.next_queued().await?;
    assert_eq!(next.map(|run| run.id), Some(waiting.id));
    Ok(())
}

#[tokio::test]
async fn a_second_service_on_the_same_directory_is_refused() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let config = test.store.config().clone();
    let second = performance_store::RunStore::open(config).await;
    assert!(matches!(second, Err(StoreError::InUse { .. })));
    assert!(
        test.directory
            .path()
            .join("data/performance.sqlite")
            .exists()
    );
    Ok(())
}

#[tokio::test]
async fn a_tenant_sees_its_own_runs_only() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let other = TenantId::parse("other")?;
    let ours = test.enqueue().await?;
    let theirs = test.enqueue_for(&other).await?;
    assert_eq!((ours.number, theirs.number), (1, 1));

    for id in [theirs.id, RunId::generate()] {
        let address = RunAddress {
            tenant: test.tenant.clone(),
            id,
        };
        let get = test.store.get(&address).await;
        assert!(matches!(get, Err(StoreError::NotFound)));
        let logs = test.store.logs(&address).await;
        assert!(matches!(logs, Err(StoreError::NotFound)));
        let events = test.store.events_after(&address, 0).await;
        assert!(matches!(events, Err(StoreError::NotFound)));
        let seconds = test
            .store
            .fold_seconds((&address, LongReader::Judge), &[], (), |(), _| ())
            .await;
        assert!(matches!(seconds, Err(StoreError::NotFound)));
    }
    let listed = test.store.list(&test.tenant, RunFilter::All, 10).await?;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, ours.id);
    Ok(())
}

#[tokio::test]
async fn runs_leave_the_queue_in_their_order() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let first = test.enqueue().await?;
    let second = test.enqueue_for(&TenantId::parse("other")?).await?;
    for expected in [first.id, second.id] {
        let next = test.store.next_queued().await?.expect("a run waits");
        assert_eq!(next.id, expected);
        test.step(&next, Step::Take).await?;
    }
    assert!(test.store.next_queued().await?.is_none());
    Ok(())
}

/// Ten runs that one tenant queued at once do not keep another one waiting for all of them.
#[tokio::test]
async fn tenants_take_turns() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let (second, third) = (TenantId::parse("second")?, TenantId::parse("third")?);
    for _ in 0..3 {
        test.enqueue().await?;
    }
    for tenant in [&second, &second, &third] {
        test.enqueue_for(tenant).await?;
    }
    let mut turns = Vec::new();
    while let Some(run) = test.store.next_queued().await? {
        turns.push((run.tenant.as_str().to_owned(), run.number));
        test.step(&run, Step::Take).await?;
        until_another_millisecond();
    }
    let first = test.tenant.as_str();
    let expected = [
        (first, 1),
        ("second", 1),
        ("third", 1),
        (first, 2),
        ("second", 2),
        (first, 3),
    ];
    let expected = expected.map(|(tenant, number)| (tenant.to_owned(), number));
    assert_eq!(turns, expected);
    Ok(())
}

/// Starts are told apart by the millisecond.
fn until_another_millisecond() {
    let now = jiff::Timestamp::now().as_millisecond();
    while jiff::Timestamp::now().as_millisecond() == now {}
}

/// A page shows a bounded number of each: neither kind may push the other out.
#[tokio::test]
async fn unfinished_and_finished_runs_are_listed_apart() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let mut over = Vec::new();
    for _ in 0..2 {
        let run = test.running().await?;
        over.insert(0, test.finish(&run, RunStatus::Completed).await?.id);
    }
    let mut left = vec![test.running().await?.id];
    for _ in 0..3 {
        left.push(test.enqueue().await?.id);
    }
    for (filter, limit, expected) in [
        (RunFilter::Unfinished, 3, &left[..3]),
        (RunFilter::Finished, 3, &over[..]),
        (RunFilter::Active, 3, &left[..1]),
    ] {
        let listed = test.store.list(&test.tenant, filter, limit).await?;
        let ids: Vec<RunId> = listed.iter().map(|run| run.id).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
    Ok(())
}
