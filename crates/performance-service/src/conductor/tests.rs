//! Moments that a whole service meets too rarely: a store that is slow or locked by somebody
//! else, and calls that cross each other.

mod money;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use load_analysis::spend::Spend;
use load_runner::binary::MajorVersion;
use load_runner::plan::RunPlan;
use load_runner::process::ProcessIdentity;
use load_runner::runner::{AdoptError, LoadRunner, Requirements, RunHandle, StartError};
use load_runner::script::ScriptDirectory;
use performance_store::{
    LongReader, NewRun, Outcome, Run, RunAddress, RunId, RunStatus, RunStore, StoreConfig,
    StoreError,
};
use tempfile::TempDir;
use tenancy::TenantId;
use tokio_util::sync::CancellationToken;

use super::recorder::Recorder;
use super::{Conductor, Generators};
use crate::announcer::{self, Announcer};
use crate::generated_scripts::GeneratedScripts;
use crate::k6::InstalledK6;
use crate::ledger::{BilledTarget, Ledger, LedgerError};
use crate::observation::Observation;
use crate::planner::Planner;
use crate::relay::{Relay, RelayPrices};

/// Shorter than `SQLite` waits for a lock, so that a call that timed out goes on and is
/// committed when the lock is gone.
const CALL_TIMEOUT: Duration = Duration::from_millis(200);

/// Much longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// A generator that never gets ready.
struct NeverReady;

#[async_trait]
impl LoadRunner for NeverReady {
    async fn start(&self, _: RunPlan) -> Result<RunHandle, StartError> {
        std::future::pending().await
    }

    async fn inspect(&self, _: &RunPlan) -> Result<Requirements, StartError> {
        std::future::pending().await
    }

    async fn adopt(&self, _: &Path, _: ProcessIdentity) -> Result<RunHandle, AdoptError> {
        Err(std::io::Error::from(std::io::ErrorKind::NotFound).into())
    }
}

/// A target that calls no models.
struct NoLedger;

#[async_trait]
impl Ledger for NoLedger {
    async fn spend(&self, _: &BilledTarget, _: &str) -> Result<Spend, LedgerError> {
        Err(LedgerError::Absent)
    }
}

/// A conductor in a directory with one script, whose generators are these and never get ready.
pub(crate) async fn conductor_in(
    directory: &Path,
    store: RunStore,
    [k6, k6_v1]: [PathBuf; 2],
) -> anyhow::Result<Conductor> {
    let scripts = directory.join("k6");
    std::fs::create_dir_all(scripts.join("tests"))?;
    std::fs::create_dir_all(directory.join("runs"))?;
    std::fs::write(scripts.join("tests/load.js"), "export default () => {};")?;
    let planner = Planner {
        scripts: ScriptDirectory::new(scripts),
        generated: GeneratedScripts::new(directory.join("generated")),
        targets: "local=http://127.0.0.1:1"
            .parse()
            .map_err(anyhow::Error::msg)?,
        production: std::collections::BTreeSet::new(),
        tenant_limits: crate::tenant_limits::TenantLimits::default(),
        money: crate::money_limits::MoneyLimits::default(),
        runs_directory: directory.join("runs"),
        raw_kept_days: 7,
        relay_port: 0,
    };
    let generators = Generators {
        k6: Arc::new(InstalledK6::new(k6, MajorVersion::V2)),
        k6_v1: Arc::new(InstalledK6::new(k6_v1, MajorVersion::V1)),
        containers: None,
        usual: load_runner::options::RunnerKind::Process,
        runner: Arc::new(NeverReady),
    };
    let ledger: Arc<dyn Ledger> = Arc::new(NoLedger);
    let client = test_support::http::client()?;
    let observation = Observation::new(client.clone(), None);
    let (relay, _) = Relay::bind(client, RelayPrices::default(), directory).await?;
    Ok(Conductor::new(
        store,
        planner,
        (generators, ledger),
        (observation, relay),
        (Announcer::new(), None),
    ))
}

struct Laboratory {
    conductor: Conductor,
    directory: TempDir,
}

impl Laboratory {
    async fn open(call_timeout: Duration) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let store = RunStore::open(StoreConfig {
            call_timeout,
            ..StoreConfig::new(directory.path().to_owned())
        });
        let k6 = ["k6".into(), "k6-v1".into()];
        let conductor = conductor_in(directory.path(), store.await?, k6).await?;
        Ok(Self {
            conductor,
            directory,
        })
    }

    fn store(&self) -> &RunStore {
        &self.conductor.shared.store
    }

    async fn enqueue(&self) -> Result<Run, StoreError> {
        let run = RunAddress {
            tenant: TenantId::development(),
            id: RunId::generate(),
        };
        let new = NewRun {
            test_name: "a run".to_owned(),
            scenario: "Load".to_owned(),
            script: "tests/load.js".to_owned(),
            environment: "local".to_owned(),
            started_by: "ana".to_owned(),
            triggered_by: String::new(),
            virtual_user_seconds: 60,
            request: "{}".to_owned(),
            forecast: None,
        };
        let told = announcer::status(&run, "Queued", "waits for its turn");
        let (run, _) = self.store().enqueue(&run, new, told).await?;
        self.conductor.shared.queued.notify_one();
        Ok(run)
    }

    /// A connection that keeps all others from writing until it is dropped.
    fn lock(&self) -> anyhow::Result<rusqlite::Connection> {
        let file = Path::new("data/performance.sqlite");
        let other = rusqlite::Connection::open(self.directory.path().join(file))?;
        other.execute_batch("BEGIN IMMEDIATE")?;
        Ok(other)
    }

    /// Waits as long as some calls of the store that all fail.
    async fn some_failures(&self, calls: u32) {
        for _ in 0..calls {
            assert!(self.enqueue().await.is_err(), "the store is locked");
        }
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(DEADLINE, work).await;
    done.expect("it ends within the deadline")
}

/// A cancellation that comes just when a run leaves the queue stops it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_can_be_cancelled_at_every_moment_of_its_start() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(Duration::from_secs(5)).await?;
    let shutdown = CancellationToken::new();
    let conductor = laboratory.conductor.clone();
    let conducting = tokio::spawn(conductor.clone().conduct(Vec::new(), shutdown.clone()));
    for _ in 0..100 {
        let run = laboratory.enqueue().await?.address();
        within(async {
            while laboratory.store().get(&run).await?.status == RunStatus::Queued {}
            anyhow::Ok(())
        })
        .await?;
        let cancelled = within(conductor.cancel(&run)).await;
        assert!(cancelled.is_ok(), "{cancelled:?}");
        let over = laboratory.store().get(&run).await?;
        assert_eq!(over.status, RunStatus::Cancelled);
    }
    shutdown.cancel();
    within(conducting).await?;
    Ok(())
}

#[tokio::test]
async fn a_run_whose_taking_was_stored_in_silence_is_carried_on() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(CALL_TIMEOUT).await?;
    let queued = laboratory.enqueue().await?;
    let shared = Arc::clone(&laboratory.conductor.shared);
    let lock = laboratory.lock()?;
    let shutdown = CancellationToken::new();
    let taken = tokio::join!(shared.take(&queued, &shutdown), async {
        // It began after the taking and has the same deadline, so that both have failed.
        laboratory.some_failures(1).await;
        drop(lock);
    });
    let taken = taken.0.expect("the run is taken");
    assert_eq!(taken.status, RunStatus::Starting);
    assert_eq!(taken.fence, queued.fence + 1);
    Ok(())
}

#[tokio::test]
async fn an_end_is_offered_until_the_store_takes_it() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(CALL_TIMEOUT).await?;
    let queued = laboratory.enqueue().await?;
    let shared = Arc::clone(&laboratory.conductor.shared);
    let run = shared.take(&queued, &CancellationToken::new()).await;
    let run = run.expect("the run is taken");
    let mut watcher = shared.announcer.subscribe();
    let outcome = Outcome {
        results: Some("{}".to_owned()),
        ..completed()
    };
    let lock = laboratory.lock()?;
    within(async {
        tokio::join!(shared.store_end(&run, &outcome), async {
            laboratory.some_failures(8).await;
            drop(lock);
        })
    })
    .await;
    let address = run.address();
    let stored = laboratory.store().get(&address).await?;
    assert_eq!(stored.status, RunStatus::Completed);
    assert_eq!(laboratory.store().results(&address).await?, outcome.results);
    within(async {
        while watcher.recv().await?.event.kind != announcer::kind::END {}
        anyhow::Ok(())
    })
    .await
}

/// No other try would change it, and the next run waits.
#[tokio::test]
async fn an_end_that_the_store_refuses_is_stored_without_its_results() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(Duration::from_secs(5)).await?;
    let queued = laboratory.enqueue().await?;
    let shared = Arc::clone(&laboratory.conductor.shared);
    let run = shared.take(&queued, &CancellationToken::new()).await;
    let run = run.expect("the run is taken");
    let outcome = Outcome {
        results: Some("{}".to_owned()),
        figures: BTreeMap::from([("no number".to_owned(), f64::NAN)]),
        spend: Some(money::paid()),
        ..completed()
    };
    within(shared.store_end(&run, &outcome)).await;
    let address = run.address();
    let stored = laboratory.store().get(&address).await?;
    assert_eq!(stored.status, RunStatus::Failed);
    let why = stored.error.as_deref().unwrap_or_default();
    assert!(why.starts_with("its results are not kept"), "{why}");
    assert_eq!(laboratory.store().results(&address).await?, None);
    let spent = laboratory.store().spent_since(&run.tenant, run.queued_at);
    assert_eq!(
        spent.await?,
        money::paid().real.cost,
        "what it cost is booked"
    );
    Ok(())
}

fn completed() -> Outcome {
    Outcome {
        status: RunStatus::Completed,
        error: None,
        verdict: None,
        results: None,
        figures: BTreeMap::new(),
        spend: None,
    }
}

#[tokio::test]
async fn what_the_store_did_not_take_at_the_end_is_said() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(CALL_TIMEOUT).await?;
    let queued = laboratory.enqueue().await?;
    let shared = Arc::clone(&laboratory.conductor.shared);
    let run = shared.take(&queued, &CancellationToken::new()).await;
    let run = run.expect("the run is taken");

    let mut recorder = Recorder::new(&shared.store, &run);
    recorder.add(batch(1_000)).await;
    let lock = laboratory.lock()?;
    assert!(recorder.record().await?.is_empty(), "it waits");
    drop(lock);
    recorder.add(batch(1_001)).await;
    within(recorder.finish()).await;
    assert_eq!(recorder.cut(), None);
    let count = |count: &mut u64, bucket: load_analysis::aggregate::SecondBucket| {
        *count += bucket
            .merged("http_reqs")
            .map_or(0, |value| value.samples());
    };
    let address = run.address();
    let stored = shared
        .store
        .fold_seconds((&address, LongReader::Judge), &["http_reqs"], 0, count);
    assert_eq!(stored.await?, 2, "each second once");

    recorder.add(batch(1_002)).await;
    let lock = laboratory.lock()?;
    within(recorder.finish()).await;
    drop(lock);
    assert!(recorder.cut().is_some());
    Ok(())
}

/// One request in one second.
fn batch(second: i64) -> super::collector::Batch {
    let mut aggregator = load_analysis::aggregate::Aggregator::new(Vec::new());
    aggregator.add(&load_analysis::sample::Sample {
        time: second * 1_000_000,
        metric: "http_reqs".into(),
        kind: load_analysis::metric::MetricKind::Counter,
        contains: load_analysis::metric::Contains::Default,
        value: 1.0,
        tags: &load_analysis::sample::Tags::default(),
        trace_id: None,
    });
    super::collector::Batch {
        seconds: aggregator.take_rest(),
        ..super::collector::Batch::default()
    }
}
