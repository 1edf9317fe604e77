//! A store in a directory of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use load_analysis::aggregate::{Aggregator, SecondBucket};
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::sample::{Sample, Tags};
use performance_store::{
    LoadProcess, NewEvent, NewRun, Outcome, Run, RunAddress, RunId, RunStatus, RunStore,
    SecondsPart, Step, StoreConfig, StoreError,
};
use tempfile::TempDir;
use tenancy::TenantId;

/// What each run takes of its tenant's load of the day.
pub(crate) const LOAD: u64 = 100;

pub(crate) struct TestStore {
    pub(crate) store: RunStore,
    pub(crate) tenant: TenantId,
    pub(crate) directory: TempDir,
}

impl TestStore {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut StoreConfig)) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut config = StoreConfig::new(directory.path().to_owned());
        change(&mut config);
        Ok(Self {
            store: RunStore::open(config).await?,
            tenant: TenantId::development(),
            directory,
        })
    }

    /// Closes the file and opens it again, as a restarted service does.
    pub(crate) async fn reopen(self) -> anyhow::Result<Self> {
        let Self {
            store,
            tenant,
            directory,
        } = self;
        let config = store.config().clone();
        drop(store);
        Ok(Self {
            store: RunStore::open(config).await?,
            tenant,
            directory,
        })
    }

    pub(crate) async fn enqueue(&self) -> Result<Run, StoreError> {
        self.enqueue_for(&self.tenant).await
    }

    pub(crate) async fn enqueue_for(&self, tenant: &TenantId) -> Result<Run, StoreError> {
        self.enqueue_as(tenant, RunId::generate(), "smoke").await
    }

    pub(crate) async fn enqueue_with(&self, id: RunId) -> Result<Run, StoreError> {
        self.enqueue_as(&self.tenant, id, "smoke").await
    }

    pub(crate) async fn enqueue_as(
        &self,
        tenant: &TenantId,
        id: RunId,
        test_name: &str,
    ) -> Result<Run, StoreError> {
        let address = RunAddress {
            tenant: tenant.clone(),
            id,
        };
        let (run, _) = self
            .store
            .enqueue(&address, new_run(test_name), event("queued"))
            .await?;
        Ok(run)
    }

    pub(crate) async fn step(&self, run: &Run, step: Step) -> Result<Run, StoreError> {
        let (run, _) = self
            .store
            .advance(&run.address(), run.position(), step, vec![])
            .await?;
        Ok(run)
    }

    /// A run that puts on load.
    pub(crate) async fn running(&self) -> Result<Run, StoreError> {
        let queued = self.enqueue().await?;
        let taken = self.step(&queued, Step::Take).await?;
        let process = LoadProcess {
            pid: 4_242,
            start_ticks: 77,
        };
        let spawned = self.step(&taken, Step::Spawned(process)).await?;
        self.step(&spawned, Step::Run).await
    }

    /// Stores seconds without events; parts count from 1.
    pub(crate) async fn record(
        &self,
        run: &Run,
        number: u64,
        seconds: Vec<SecondBucket>,
    ) -> Result<(), StoreError> {
        let part = SecondsPart {
            number,
            seconds,
            told: vec![],
        };
        let events = self
            .store
            .record_seconds(&run.address(), run.fence, part)
            .await?;
        assert_eq!(events, []);
        Ok(())
    }

    /// Removes what has expired, to its end; the ids, oldest first.
    pub(crate) async fn remove_expired(&self, now: Timestamp) -> anyhow::Result<Vec<RunId>> {
        let marked = self
            .store
            .begin_removal_of_expired(&self.tenant, now)
            .await?;
        let ids = self.finish_removals().await?;
        anyhow::ensure!(ids.len() == marked, "{marked} were marked, {ids:?} removed");
        Ok(ids)
    }

    /// Removes what is marked.
    pub(crate) async fn finish_removals(&self) -> anyhow::Result<Vec<RunId>> {
        let mut removed = Vec::new();
        loop {
            let ids = self.store.being_removed().await?;
            if ids.is_empty() {
                return Ok(removed);
            }
            for id in ids {
                self.store.finish_removal(id).await?;
                removed.push(id);
            }
        }
    }

    /// Runs that completed, as many.
    pub(crate) async fn completed(&self, count: usize) -> Result<Vec<Run>, StoreError> {
        let mut runs = Vec::new();
        for _ in 0..count {
            let run = self.running().await?;
            runs.push(self.finish(&run, RunStatus::Completed).await?);
        }
        Ok(runs)
    }

    pub(crate) async fn finish(&self, run: &Run, status: RunStatus) -> Result<Run, StoreError> {
        let outcome = Outcome {
            status,
            error: None,
            verdict: None,
            results: Some(r#"{"metrics":{}}"#.to_owned()),
            figures: BTreeMap::new(),
            spend: None,
        };
        let (run, _) = self
            .store
            .finish(&run.address(), run.position(), outcome, vec![event("end")])
            .await?;
        Ok(run)
    }
}

/// What is stored of a run that is asked for.
pub(crate) fn new_run(test_name: &str) -> NewRun {
    NewRun {
        test_name: test_name.to_owned(),
        scenario: "Smoke".to_owned(),
        script: "tests/smoke.js".to_owned(),
        environment: "local".to_owned(),
        started_by: "ana".to_owned(),
        triggered_by: String::new(),
        virtual_user_seconds: LOAD,
        request: "{}".to_owned(),
        forecast: Some(r#"{"runs":0}"#.to_owned()),
    }
}

pub(crate) fn event(kind: &'static str) -> NewEvent {
    NewEvent {
        kind,
        data: "{}".to_owned(),
    }
}

/// Buckets of request durations: pairs of second and milliseconds.
pub(crate) fn buckets(samples: &[(i64, f64)]) -> Vec<SecondBucket> {
    let mut aggregator = Aggregator::new(vec![]);
    let tags = Tags::from_iter([("name", "GET /")]);
    for (second, value) in samples {
        aggregator.add(&Sample {
            time: second * 1_000_000,
            metric: "http_req_duration".into(),
            kind: MetricKind::Trend,
            contains: Contains::Time,
            value: *value,
            tags: &tags,
            trace_id: None,
        });
    }
    aggregator.take_rest()
}
