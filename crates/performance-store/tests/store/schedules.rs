//! Schedules and the starts that are taken of them.

use jiff::{SignedDuration, Timestamp};
use performance_store::{
    MAX_SCHEDULES, MAX_STARTS, NextStart, Schedule, ScheduledStart, StartOutcome, StoreError,
};
use tenancy::{Role, TenantId};

use crate::test_store::TestStore;

fn after(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn schedule(name: &str, due: i64) -> Schedule {
    Schedule {
        tenant: TenantId::development(),
        name: name.to_owned(),
        document: "{}".to_owned(),
        owner: "ana".to_owned(),
        role: Role::Engineer,
        changed_at: Timestamp::UNIX_EPOCH,
        paused: false,
        next: Some(next(due)),
    }
}

fn next(due: i64) -> NextStart {
    NextStart {
        due: after(due),
        begins: after(due + 5),
    }
}

fn start(due: i64, outcome: StartOutcome) -> ScheduledStart {
    ScheduledStart {
        due: after(due),
        at: after(due + 6),
        outcome,
        run: None,
        cause: String::new(),
        starts: 1,
    }
}

#[tokio::test]
async fn names_are_a_tenants_own_and_bounded() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    test.store.add_schedule(schedule("a", 10)).await?;
    let twice = test.store.add_schedule(schedule("a", 10)).await;
    assert!(matches!(twice, Err(StoreError::Exists { .. })), "{twice:?}");
    let other = TenantId::parse("other")?;
    let theirs = Schedule {
        tenant: other.clone(),
        ..schedule("a", 20)
    };
    test.store.add_schedule(theirs.clone()).await?;
    for number in 1..MAX_SCHEDULES {
        let name = format!("n{number}");
        test.store.add_schedule(schedule(&name, 10)).await?;
    }
    let full = test.store.add_schedule(schedule("b", 10)).await;
    assert!(matches!(full, Err(StoreError::TooMany { .. })), "{full:?}");
    let test = test.reopen().await?;
    test.store.remove_schedule(&test.tenant, "a").await?;
    let gone = test.store.schedule(&test.tenant, "a").await;
    assert!(matches!(gone, Err(StoreError::Absent { .. })), "{gone:?}");
    assert_eq!(test.store.schedules(&other).await?, [theirs]);
    Ok(())
}

#[tokio::test]
async fn each_start_is_taken_once() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    test.store.add_schedule(schedule("a", 10)).await?;
    assert_eq!(test.store.next_scheduled().await?, Some(after(15)));
    assert_eq!(test.store.due_schedules(after(14)).await?, []);
    let due = test.store.due_schedules(after(15)).await?.remove(0);
    let taken = start(10, StartOutcome::Taken);
    for expected in [true, false] {
        let take = test.store.take_start(&due, taken.clone(), Some(next(20)));
        assert_eq!(take.await?, expected);
    }
    assert_eq!(test.store.due_schedules(after(24)).await?, []);
    // Nobody says what became of it.
    let test = test.reopen().await?;
    assert_eq!(test.store.abandon_starts("the end").await?, 1);
    assert_eq!(test.store.abandon_starts("the end").await?, 0);
    let starts = test.store.starts(&test.tenant, "a", MAX_STARTS).await?;
    assert_eq!((starts.len(), starts[0].outcome), (1, StartOutcome::Missed));
    assert_eq!(starts[0].cause, "the end");
    let latest = test.store.latest_starts(&test.tenant).await?;
    assert_eq!(latest, [("a".to_owned(), starts[0].clone())]);
    test.store
        .note_start(&due, start(30, StartOutcome::Skipped))
        .await?;
    let latest = test.store.latest_starts(&test.tenant).await?;
    assert_eq!(latest, [("a".to_owned(), start(30, StartOutcome::Skipped))]);
    // Whoever paused it knows what became of it.
    let paused = Schedule {
        paused: true,
        ..schedule("a", 40)
    };
    test.store.change_schedule(paused).await?;
    assert_eq!(test.store.latest_starts(&test.tenant).await?, []);
    Ok(())
}

#[tokio::test]
async fn only_the_latest_starts_are_kept() -> anyhow::Result<()> {
    let test = TestStore::open().await?;
    let schedule = schedule("a", 10);
    test.store.add_schedule(schedule.clone()).await?;
    let kept = i64::from(MAX_STARTS);
    for number in 0..kept + 5 {
        let start = start(number, StartOutcome::Started);
        test.store.note_start(&schedule, start).await?;
    }
    let starts = test.store.starts(&test.tenant, "a", 1_000).await?;
    assert_eq!(starts.len(), MAX_STARTS as usize);
    assert_eq!(starts[0].due, after(kept + 4));
    test.store.remove_schedule(&test.tenant, "a").await?;
    let late = test
        .store
        .note_start(&schedule, start(0, StartOutcome::Started))
        .await;
    assert!(late.is_err(), "of a schedule that is gone nothing is kept");
    Ok(())
}
