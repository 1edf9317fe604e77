//! What all dialects share: numbering, settings, admission, accounts.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    SimulatorConfig,
    accounts::{Accounts, Lines},
    call::CallRequest,
    credentials::ListedKeys,
    dialect::Dialect,
    faults::{FaultPlan, FaultRules},
    invoice::Invoice,
    journal::{CallFilter, CallRecord, Outcome},
    meter::MeterReading,
    price_list::{Charge, Consumption, PriceList, Purchase},
    profile::{ModelProfiles, Profile, Profiles},
    prompt_cache::{CacheUsage, Owner, PromptCache},
    rate_limit::RateLimiter,
    seed,
    telemetry::Telemetry,
};

/// Answers in progress. Each holds a connection and a few hundred bytes; a
/// client that needs more is asking for a different machine.
pub const MAX_ANSWERS: usize = 4096;

/// What the control API can change.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) faults: Arc<FaultPlan>,
}

/// The state behind every route.
pub(crate) struct Engine {
    start: Settings,
    /// Armed anew by a reset: a plan remembers what it has hit, and since when.
    start_faults: FaultRules,
    settings: RwLock<Settings>,
    /// Told of every change, for the listener.
    changes: watch::Sender<()>,
    calls: AtomicU64,
    connections: AtomicU64,
    answers: AtomicUsize,
    accounts: Mutex<Accounts>,
    prompts: PromptCache,
    prices: PriceList,
    pub(crate) telemetry: Telemetry,
    pub(crate) keys: ListedKeys,
    pub(crate) rate_limits: RateLimiter,
}

/// A place among the answers in progress; freed on drop.
pub(crate) struct Place(Arc<Engine>);

impl Engine {
    pub(crate) fn new(config: SimulatorConfig) -> Self {
        let start = Settings {
            seed: config.seed,
            profiles: Arc::new(Profiles::new(config.profile, config.model_profiles)),
            faults: Arc::new(FaultPlan::new(config.faults.clone())),
        };
        Self {
            settings: RwLock::new(start.clone()),
            start,
            start_faults: config.faults,
            changes: watch::Sender::new(()),
            calls: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            answers: AtomicUsize::new(0),
            accounts: Mutex::default(),
            prompts: PromptCache::default(),
            prices: PriceList::built_in(),
            telemetry: Telemetry::default(),
            keys: config.keys,
            rate_limits: RateLimiter::new(config.rate_limits),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.read().clone()
    }

    pub(crate) fn set_profile(&self, profile: Profile) {
        self.change(|settings| {
            settings.profiles = Arc::new(settings.profiles.with_default(profile));
        });
    }

    pub(crate) fn set_model_profiles(&self, models: ModelProfiles) {
        self.change(|settings| settings.profiles = Arc::new(settings.profiles.with_models(models)));
    }

    pub(crate) fn set_seed(&self, seed: u64) {
        self.change(|settings| settings.seed = seed);
    }

    pub(crate) fn set_faults(&self, rules: FaultRules) {
        let plan = Arc::new(FaultPlan::new(rules));
        self.change(|settings| settings.faults = plan);
    }

    /// Back to the state at start: seed, profiles, faults, empty caches and
    /// accounts, and the next call is number 1 again. Answers in progress go on and are booked.
    pub(crate) fn reset(&self) {
        self.change(|settings| {
            *settings = self.start.clone();
            settings.faults = Arc::new(FaultPlan::new(self.start_faults.clone()));
        });
        self.prompts.clear();
        *self.accounts() = Accounts::default();
        self.rate_limits.reset();
        self.calls.store(0, Ordering::SeqCst);
    }

    /// Tells when a setting has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    pub(crate) fn looks_at_headers(&self) -> bool {
        self.read().faults.looks_at_headers()
    }

    /// Whether the connection that was just made is to be reset.
    pub(crate) fn resets_connection(&self) -> bool {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let settings = self.settings();
        // Calls count from 1 upwards, so these draws are never those of a call.
        let mut generator = seed::generator(settings.seed, u64::MAX - number);
        let resets = settings.faults.resets_connection(&mut generator);
        if resets {
            self.telemetry.count_reset_connection();
        }
        resets
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Lets the next call draw what the first one drew.
    #[cfg(test)]
    pub(crate) fn start_numbers_again(&self) {
        self.calls.store(0, Ordering::SeqCst);
    }

    /// A place for one more answer, unless [`MAX_ANSWERS`] are in progress.
    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        let taken = self.answers.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        (taken < MAX_ANSWERS).then_some(place)
    }

    /// Looks a prompt up in the cache. Writes are reported by vendors that have
    /// a price for them.
    pub(crate) fn look_up_prompt(&self, request: &CallRequest, dialect: Dialect) -> CacheUsage {
        let owner = Owner {
            caller: request.caller,
            dialect,
            model: &request.model,
        };
        let mut usage = self.prompts.look_up(&owner, &request.prompt);
        if usage.written() > 0
            && !self
                .prices
                .charges_cache_writes(dialect, &request.model, Timestamp::now())
        {
            (usage.write_5m, usage.write_1h) = (0, 0);
        }
        usage
    }

    /// Charges for a call that has ended, and counts it.
    pub(crate) fn book(&self, mut record: CallRecord) {
        record.charge = self.charge(&record);
        self.telemetry.record(&record);
        self.accounts().book(record);
    }

    fn charge(&self, record: &CallRecord) -> Option<Charge> {
        if record.outcome == Outcome::Refused {
            return Some(Charge::default());
        }
        if record.unmetered {
            return None;
        }
        let used = Consumption {
            input: record.input_tokens,
            cache_read: record.cache_read_tokens,
            cache_write_5m: record.cache_write_5m_tokens,
            cache_write_1h: record.cache_write_1h_tokens,
            output: record.output_tokens,
        };
        let bought = Purchase {
            dialect: record.dialect,
            model: &record.model,
            service_tier: record.service_tier,
            at: record.arrived_at,
        };
        self.prices.charge(&bought, &used)
    }

    pub(crate) fn prices_as_of(&self) -> &str {
        self.prices.as_of()
    }

    pub(crate) fn reading(&self) -> MeterReading {
        self.accounts().reading()
    }

    pub(crate) fn last_calls(&self, filter: &CallFilter, limit: usize) -> Vec<CallRecord> {
        self.accounts().last_calls(filter, limit)
    }

    pub(crate) fn invoice(&self, filter: &CallFilter, lines: &Lines) -> Invoice {
        self.accounts().invoice(filter, lines)
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(
            &mut self
                .settings
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.changes.send_replace(());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.answers.fetch_sub(1, Ordering::Relaxed);
    }
}
