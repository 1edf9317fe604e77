//! Experiments: which provider, model and prompt make the better answers, in front of real callers.
//!
//! An experiment lies beside the ledger, in whose rows its calls have their variant's name; what is
//! said of a variant is computed from those rows and from assessments when somebody asks.

mod assignment;
mod collect;
mod definition;
mod reply;
mod results;
mod routes;
mod statistics;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use llm::{Ledger, LedgerError, StoredExperiment};
use tenancy::TenantId;
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

pub(crate) use definition::{Experiment, StickyBy, Variant};
pub(crate) use routes::routes;

/// Most experiments of a tenant, stopped ones included: each is in memory.
const MAX_EXPERIMENTS: usize = 200;

/// How often an experiment is tried to be started: once more when another process was faster, to
/// find out with what.
const START_TRIES: usize = 2;

/// How often experiments that another process has started or stopped are read.
const REFRESH: Duration = Duration::from_secs(5);

type ByTenant = HashMap<TenantId, Vec<Arc<Experiment>>>;

/// The experiments of all tenants.
pub(crate) struct Experiments {
    ledger: Arc<Ledger>,
    all: RwLock<ByTenant>,
    /// Held by who changes one: what is read is not put in the place of what is being changed.
    /// That two do not start at once, also in two processes, is the store's doing.
    changing: Mutex<()>,
}

/// Why an experiment cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The name is taken.
    #[error("there is an experiment of this name already")]
    Exists,
    /// There may be one at a time.
    #[error("{0} is running")]
    Running(String),
    /// The tenant has too many.
    #[error("there are {MAX_EXPERIMENTS} experiments already")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Experiments {
    /// Reads the experiments that lie beside the ledger.
    pub(crate) async fn load(ledger: Arc<Ledger>) -> Result<Self, LedgerError> {
        let experiments = Self {
            ledger,
            all: RwLock::default(),
            changing: Mutex::new(()),
        };
        experiments.refresh().await?;
        Ok(experiments)
    }

    /// The tenant's experiments, newest first.
    pub(crate) fn all(&self, tenant: &TenantId) -> Vec<Arc<Experiment>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(tenant).cloned().unwrap_or_default()
    }

    /// The tenant's experiment of this name.
    pub(crate) fn get(&self, tenant: &TenantId, name: &str) -> Option<Arc<Experiment>> {
        let mut all = self.all(tenant).into_iter();
        all.find(|experiment| experiment.name == name)
    }

    /// The experiment that a feature's requests are part of now.
    pub(crate) fn running(&self, tenant: &TenantId, feature: &str) -> Option<Arc<Experiment>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let mut theirs = all.get(tenant)?.iter();
        let running = theirs.find(|one| one.is_running() && one.feature == feature);
        running.cloned()
    }

    /// The variant of a running experiment that a unit gets; see [`StickyBy`].
    pub(crate) fn variant(
        experiment: &Experiment,
        tenant: &TenantId,
        unit: &str,
    ) -> Option<Variant> {
        assignment::variant(experiment, tenant, unit).cloned()
    }

    /// Starts an experiment.
    pub(crate) async fn start(
        &self,
        tenant: &TenantId,
        experiment: Experiment,
    ) -> Result<(), StartError> {
        let _changing = self.changing.lock().await;
        let stored = stored(tenant, &experiment);
        for _ in 0..START_TRIES {
            self.refresh().await?;
            self.check_start(tenant, &experiment)?;
            if self.ledger.start_experiment(stored.clone()).await? {
                self.refresh().await?;
                return Ok(());
            }
        }
        // Others start and stop theirs faster than this one finds them.
        Err(StartError::Running("another experiment".to_owned()))
    }

    fn check_start(&self, tenant: &TenantId, experiment: &Experiment) -> Result<(), StartError> {
        let theirs = self.all(tenant);
        if theirs.iter().any(|one| one.name == experiment.name) {
            return Err(StartError::Exists);
        }
        if let Some(running) = self.running(tenant, &experiment.feature) {
            return Err(StartError::Running(running.name.clone()));
        }
        if theirs.len() >= MAX_EXPERIMENTS {
            return Err(StartError::TooMany);
        }
        Ok(())
    }

    /// Stops an experiment, if it is running; `None` when there is none of this name.
    pub(crate) async fn stop(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<Option<Arc<Experiment>>, LedgerError> {
        let _changing = self.changing.lock().await;
        self.refresh().await?;
        let Some(found) = self.get(tenant, name) else {
            return Ok(None);
        };
        if found.is_running() {
            let mut stopped = (*found).clone();
            stopped.stopped_at = Some(Timestamp::now().as_millisecond());
            self.ledger.put_experiment(stored(tenant, &stopped)).await?;
            self.refresh().await?;
        }
        Ok(self.get(tenant, name))
    }

    /// Keeps the experiments up to date from now on, until the task is aborted.
    pub(crate) fn watch(self: &Arc<Self>) -> JoinHandle<()> {
        let experiments = Arc::clone(self);
        tokio::spawn(async move {
            let mut round = interval(REFRESH);
            round.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                round.tick().await;
                // Else what is read here could take the place of what is started meanwhile.
                let _changing = experiments.changing.lock().await;
                if let Err(error) = experiments.refresh().await {
                    tracing::warn!(%error, "the experiments could not be read again");
                }
            }
        })
    }

    async fn refresh(&self) -> Result<(), LedgerError> {
        let mut all = ByTenant::new();
        for stored in self.ledger.experiments().await? {
            let corrupt = |what: &str| LedgerError::Corrupt(format!("experiment: {what}"));
            let tenant = TenantId::parse(&stored.tenant).map_err(|_| corrupt("tenant"))?;
            let read = serde_json::from_str(&stored.body).map_err(|_| corrupt(&stored.name))?;
            all.entry(tenant).or_default().push(Arc::new(read));
        }
        for theirs in all.values_mut() {
            theirs.sort_by_key(|experiment: &Arc<Experiment>| -experiment.started_at);
        }
        *self.all.write().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }
}

/// As it lies beside the ledger.
fn stored(tenant: &TenantId, experiment: &Experiment) -> StoredExperiment {
    let feature = experiment.feature.clone();
    StoredExperiment {
        tenant: tenant.as_str().to_owned(),
        name: experiment.name.clone(),
        running_for: experiment.is_running().then_some(feature),
        // A struct of texts and numbers always has a JSON form.
        body: serde_json::to_string(experiment).unwrap_or_default(),
    }
}
