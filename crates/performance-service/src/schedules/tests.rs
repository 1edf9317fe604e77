//! The scheduler at times that the tests choose: each look at the clock is told what it says.

use jiff::Timestamp;
use performance_store::StartOutcome::{Missed, Refused, Skipped, Started};
use performance_store::{
    AuditFilter, NextStart, Run, RunFilter, RunStore, Schedule, ScheduledStart, StartOutcome,
    StoreConfig,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenancy::{Role, TenantId};
use test_support::tools;

use super::scheduler::Scheduler;
use crate::conductor::tests::conductor_in;

struct Laboratory {
    scheduler: Scheduler,
    store: RunStore,
    directory: TempDir,
}

impl Laboratory {
    /// A scheduler that lives since a time.
    async fn open(since: &str) -> anyhow::Result<Self> {
        Self::open_in(tempfile::tempdir()?, since).await
    }

    async fn open_in(directory: TempDir, since: &str) -> anyhow::Result<Self> {
        let store = RunStore::open(StoreConfig::new(directory.path().to_owned())).await?;
        // Nobody conducts here: runs stay in the queue.
        let k6 = [tools::k6()?, tools::k6_v1()?];
        let conductor = conductor_in(directory.path(), store.clone(), k6).await?;
        let scheduler = Scheduler::new(store.clone(), conductor, at(since));
        Ok(Self {
            scheduler,
            store,
            directory,
        })
    }

    /// The same after the service ended and was started again.
    async fn restart(self, since: &str) -> anyhow::Result<Self> {
        let Self {
            scheduler,
            store,
            directory,
        } = self;
        drop((scheduler, store));
        let again = Self::open_in(directory, since).await?;
        again.scheduler.recover().await?;
        Ok(again)
    }

    /// Keeps a schedule whose next start is due at a time.
    async fn add(&self, document: &Value, due: &str) -> anyhow::Result<()> {
        let next = NextStart {
            due: at(due),
            begins: at(due),
        };
        let schedule = Schedule {
            tenant: TenantId::development(),
            name: "nightly".to_owned(),
            document: document.to_string(),
            owner: "ana".to_owned(),
            role: Role::Engineer,
            changed_at: at(due),
            paused: false,
            next: Some(next),
        };
        Ok(self.store.add_schedule(schedule).await?)
    }

    async fn look(&self, now: &str) -> anyhow::Result<Option<String>> {
        let next = self.scheduler.look(at(now)).await?;
        Ok(next.map(|next| next.to_string()))
    }

    /// What became of the starts, oldest first: due, outcome, how many, whether there is a run.
    async fn starts(&self) -> anyhow::Result<Vec<(String, StartOutcome, u64, bool)>> {
        let starts = self.all_starts().await?.into_iter().rev();
        let told = |one: ScheduledStart| {
            let due = one.due.to_string();
            (due, one.outcome, one.starts, one.run.is_some())
        };
        Ok(starts.map(told).collect())
    }

    async fn all_starts(&self) -> anyhow::Result<Vec<ScheduledStart>> {
        let tenant = TenantId::development();
        Ok(self.store.starts(&tenant, "nightly", 50).await?)
    }

    /// Takes every run out of the queue.
    async fn empty_the_queue(&self) -> anyhow::Result<()> {
        for run in self.runs().await? {
            // Those of before are over.
            drop(self.scheduler.conductor.cancel(&run.address()).await);
        }
        Ok(())
    }

    async fn runs(&self) -> anyhow::Result<Vec<Run>> {
        let tenant = TenantId::development();
        Ok(self.store.list(&tenant, RunFilter::All, 100).await?)
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn daily() -> Value {
    json!({"cron": "0 2 * * *", "timeZone": "Europe/Berlin"})
}

#[tokio::test]
async fn a_start_is_taken_once_whatever_the_clock_does() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-03-27T00:00:00Z").await?;
    laboratory.add(&daily(), "2026-03-28T01:00:00Z").await?;
    let early = laboratory.look("2026-03-28T00:59:59Z").await?;
    assert_eq!(early.as_deref(), Some("2026-03-28T01:00:00Z"));
    assert_eq!(laboratory.runs().await?.len(), 0);
    // The next one is at 02:00, which the clock skips: an hour later by it, the same by UTC.
    let next = laboratory.look("2026-03-28T01:00:05Z").await?;
    assert_eq!(next.as_deref(), Some("2026-03-29T01:00:00Z"));
    // The clock is set back, and comes to the same time again.
    for now in ["2026-03-28T00:30:00Z", "2026-03-28T01:00:00Z"] {
        laboratory.look(now).await?;
    }
    let runs = laboratory.runs().await?;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].triggered_by, "schedule nightly");
    assert_eq!(runs[0].started_by, "ana");
    let due = "2026-03-28T01:00:00Z".to_owned();
    assert_eq!(laboratory.starts().await?, [(due, Started, 1, true)]);
    // In summer time 02:00 is an hour earlier.
    let laboratory = laboratory.restart("2026-03-29T00:00:00Z").await?;
    laboratory.empty_the_queue().await?;
    let next = laboratory.look("2026-03-29T01:00:00Z").await?;
    assert_eq!(next.as_deref(), Some("2026-03-30T00:00:00Z"));
    assert_eq!(laboratory.runs().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_was_missed_is_noted_with_its_cause_and_not_made_up_for() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-01-04T12:00:00Z").await?;
    laboratory.add(&daily(), "2026-01-02T01:00:00Z").await?;
    let next = laboratory.look("2026-01-04T12:00:01Z").await?;
    assert_eq!(next.as_deref(), Some("2026-01-05T01:00:00Z"));
    let due = "2026-01-02T01:00:00Z".to_owned();
    assert_eq!(laboratory.starts().await?, [(due, Missed, 3, false)]);
    let cause = laboratory.all_starts().await?.remove(0).cause;
    assert_eq!(cause, "the service did not run at the time");
    // It runs, and its clock jumps over a start.
    laboratory.look("2026-01-05T03:00:00Z").await?;
    let cause = laboratory.all_starts().await?.remove(0).cause;
    assert!(cause.contains("clock was put forward"), "{cause}");
    assert_eq!(laboratory.runs().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn at_most_one_start_is_made_up_for() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-01-10T00:00:00Z").await?;
    let mut document = json!({"cron": "* * * * *", "catchUp": true});
    document["timeZone"] = json!("UTC");
    laboratory.add(&document, "2026-01-08T12:00:00Z").await?;
    // 2,161 starts were missed, which is more than one look counts.
    let mut now = laboratory.look("2026-01-10T00:00:30Z").await?;
    while now.as_deref() <= Some("2026-01-10T00:00:30Z") {
        now = laboratory.look("2026-01-10T00:00:30Z").await?;
    }
    assert_eq!(now.as_deref(), Some("2026-01-10T00:01:00Z"));
    let starts = laboratory.starts().await?;
    let missed: u64 = starts
        .iter()
        .filter(|one| one.1 == Missed)
        .map(|one| one.2)
        .sum();
    assert_eq!(missed, 2_160, "{starts:?}");
    assert_eq!(
        starts.last().map(|one| (one.1, one.3)),
        Some((Started, true))
    );
    assert_eq!(laboratory.runs().await?.len(), 1);
    let cause = laboratory.all_starts().await?.remove(0).cause;
    assert!(cause.starts_with("caught up:"), "{cause}");
    Ok(())
}

#[tokio::test]
async fn a_busy_service_skips_or_queues() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-01-01T00:00:00Z").await?;
    laboratory.add(&daily(), "2026-01-02T01:00:00Z").await?;
    laboratory.look("2026-01-02T01:00:00Z").await?;
    // Its run still waits: a second one would only make the queue longer.
    laboratory.look("2026-01-03T01:00:00Z").await?;
    let mut skipping = daily();
    skipping["whenBusy"] = json!("skip");
    let tenant = TenantId::development();
    laboratory.store.remove_schedule(&tenant, "nightly").await?;
    laboratory.empty_the_queue().await?;
    laboratory.add(&skipping, "2026-01-04T01:00:00Z").await?;
    laboratory.look("2026-01-04T01:00:00Z").await?;
    laboratory.look("2026-01-05T01:00:00Z").await?;
    let starts = laboratory.starts().await?;
    let outcomes: Vec<_> = starts.iter().map(|one| one.1).collect();
    assert_eq!(outcomes, [Started, Skipped], "{starts:?}");
    assert_eq!(laboratory.runs().await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_start_that_was_cut_off_is_not_repeated() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-01-01T00:00:00Z").await?;
    laboratory.add(&daily(), "2026-01-02T01:00:00Z").await?;
    // The service dies between the taking and the run.
    let now = at("2026-01-02T01:00:00Z");
    let schedule = laboratory.store.due_schedules(now).await?.remove(0);
    let next = NextStart {
        due: at("2026-01-03T01:00:00Z"),
        begins: at("2026-01-03T01:00:00Z"),
    };
    let taken = super::scheduler::start(now, now, StartOutcome::Taken, String::new());
    let taken = laboratory.store.take_start(&schedule, taken, Some(next));
    assert!(taken.await?);
    let laboratory = laboratory.restart("2026-01-02T01:00:10Z").await?;
    laboratory.look("2026-01-02T01:00:11Z").await?;
    let due = "2026-01-02T01:00:00Z".to_owned();
    assert_eq!(laboratory.starts().await?, [(due, Missed, 1, false)]);
    assert_eq!(laboratory.runs().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_refused_says_why() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-01-01T00:00:00Z").await?;
    laboratory.add(&daily(), "2026-01-02T01:00:00Z").await?;
    std::fs::remove_file(laboratory.directory.path().join("k6/tests/load.js"))?;
    laboratory.look("2026-01-02T01:00:00Z").await?;
    let start = laboratory.all_starts().await?.remove(0);
    assert_eq!(start.outcome, Refused);
    assert!(start.cause.contains("testScript"), "{}", start.cause);
    let (tenant, all) = (TenantId::development(), AuditFilter::default());
    let audit = laboratory.store.audit(&tenant, all, 10).await?;
    assert_eq!(audit[0].entry.action, "schedule nightly");
    assert_eq!(
        (audit[0].entry.status, audit[0].entry.user.as_str()),
        (400, "ana")
    );
    Ok(())
}

/// With jitter a start that is due may still be to come, and is not missed then.
#[tokio::test]
async fn a_start_that_its_jitter_delays_is_not_missed() -> anyhow::Result<()> {
    let laboratory = Laboratory::open("2026-01-01T02:00:30Z").await?;
    let hourly = json!({"cron": "0 * * * *", "jitterSeconds": 3_000});
    laboratory.add(&hourly, "2026-01-01T01:00:00Z").await?;
    let next = laboratory.look("2026-01-01T02:00:30Z").await?;
    let starts = laboratory.starts().await?;
    let due = "2026-01-01T01:00:00Z".to_owned();
    assert_eq!(starts.first(), Some(&(due, Missed, 1, false)), "{starts:?}");
    // The one of 02:00 comes when its jitter is over, at the same time whenever it is computed.
    let begins = next.expect("there is a next one");
    assert!(
        ("2026-01-01T02:00:00Z".."2026-01-01T02:50:01Z").contains(&&*begins),
        "{begins}"
    );
    laboratory.look(&begins).await?;
    let starts = laboratory.starts().await?;
    let due = "2026-01-01T02:00:00Z".to_owned();
    assert_eq!(starts.last(), Some(&(due, Started, 1, true)), "{starts:?}");
    Ok(())
}
