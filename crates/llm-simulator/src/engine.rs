//! What all dialects share: numbering, settings, admission, accounts.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use crate::{
    SimulatorConfig,
    faults::{FaultPlan, FaultRule, FaultRuleError},
    meter::{Accounts, CallRecord, MeterReading},
    profile::Profile,
    telemetry::Telemetry,
};

/// Answers in progress. Each holds a connection and a few hundred bytes; a
/// client that needs more is asking for a different machine.
pub const MAX_ANSWERS: usize = 4096;

/// What the control API can change.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) profile: Arc<Profile>,
    pub(crate) faults: Arc<FaultPlan>,
}

/// The state behind every route.
pub(crate) struct Engine {
    start: Settings,
    settings: RwLock<Settings>,
    calls: AtomicU64,
    answers: AtomicUsize,
    accounts: Mutex<Accounts>,
    pub(crate) telemetry: Telemetry,
}

/// A place among the answers in progress; freed on drop.
pub(crate) struct Place(Arc<Engine>);

impl Engine {
    pub(crate) fn new(config: SimulatorConfig) -> Self {
        let start = Settings {
            seed: config.seed,
            profile: Arc::new(config.profile),
            faults: Arc::default(),
        };
        Self {
            settings: RwLock::new(start.clone()),
            start,
            calls: AtomicU64::new(0),
            answers: AtomicUsize::new(0),
            accounts: Mutex::default(),
            telemetry: Telemetry::default(),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_profile(&self, profile: Profile) {
        self.change(|settings| settings.profile = Arc::new(profile));
    }

    pub(crate) fn set_seed(&self, seed: u64) {
        self.change(|settings| settings.seed = seed);
    }

    pub(crate) fn set_faults(&self, rules: Vec<FaultRule>) -> Result<(), FaultRuleError> {
        let plan = Arc::new(FaultPlan::new(rules)?);
        self.change(|settings| settings.faults = plan);
        Ok(())
    }

    /// Back to the state at start: seed, profile, no faults, empty accounts, and
    /// the next call is number 1 again. Answers in progress go on and are booked.
    pub(crate) fn reset(&self) {
        self.change(|settings| *settings = self.start.clone());
        *self.accounts() = Accounts::default();
        self.calls.store(0, Ordering::SeqCst);
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A place for one more answer, unless [`MAX_ANSWERS`] are in progress.
    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        let taken = self.answers.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        (taken < MAX_ANSWERS).then_some(place)
    }

    pub(crate) fn book(&self, record: CallRecord) {
        self.telemetry.record(&record);
        self.accounts().book(record);
    }

    pub(crate) fn reading(&self) -> MeterReading {
        self.accounts().reading()
    }

    pub(crate) fn last_calls(&self, limit: usize) -> Vec<CallRecord> {
        self.accounts().last_calls(limit)
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(
            &mut self
                .settings
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.answers.fetch_sub(1, Ordering::Relaxed);
    }
}
