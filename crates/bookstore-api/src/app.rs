//! The parts of the process and how they come to life.

use std::{sync::Arc, time::Duration};

use instrumentation::Telemetry;
use llm::{
    AccountsError, BudgetAccounts, Budgets, InProcessAccounts, Ledger, LedgerError, Llm, Prices,
    RedisAccounts,
};
use service_defaults::{
    access::Gate,
    health::{Check, Health},
    process::RunError,
    router::{ignoring_case, with_gate},
    same_origin::Door,
    serve::serve,
};
use storage::{Authors, Backend, BodyEncoders, Books, RedisState, Storage};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    AppConfig, authors, books,
    experiments::Experiments,
    identity::Identities,
    permissions::PERMISSIONS,
    router,
    summaries::{Prompts, Summaries, SummaryParts},
};

/// How long before the end of the shutdown's patience streams are broken off: time for their last
/// event to reach its reader.
const LAST_EVENT: Duration = Duration::from_secs(2);

/// The process: built from its configuration, run until its shutdown.
#[derive(Debug)]
pub struct App;

/// The parts that handlers use; cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) books: Books,
    pub(crate) authors: Authors,
    pub(crate) summaries: Arc<Summaries>,
    pub(crate) llm: Arc<Llm>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) prices: Arc<Prices>,
    pub(crate) prompts: Arc<Prompts>,
    pub(crate) experiments: Arc<Experiments>,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) identities: Identities,
    /// How long a stream of events is silent before a comment fills it.
    pub(crate) heartbeat: Duration,
}

/// What model calls are paid by and booked in.
struct Money {
    ledger: Arc<Ledger>,
    prices: Arc<Prices>,
    budgets: Arc<Budgets>,
}

impl Money {
    async fn open(config: &AppConfig, ledger: &Arc<Ledger>) -> Result<Self, RunError> {
        let accounts = budget_accounts(config)?;
        let budgets = Budgets::load(Arc::clone(ledger), accounts, config.budget_failure).await?;
        Ok(Self {
            ledger: Arc::clone(ledger),
            prices: Arc::clone(&config.prices),
            budgets: Arc::new(budgets),
        })
    }
}

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Runs the process until `shutdown`, and ends its parts in order: requests first, then what
    /// they use, telemetry last.
    ///
    /// # Errors
    /// A part cannot be built, or the listener broke.
    pub async fn serve(config: AppConfig, shutdown: CancellationToken) -> Result<(), RunError> {
        let telemetry = Telemetry::start(&config.telemetry.telemetry)?;
        let listener = TcpListener::bind(config.http_addr)
            .await
            .map_err(|error| format!("BOOKSTORE_HTTP_ADDR {}: {error}", config.http_addr))?;
        let result = Self::run(config, listener, &telemetry, shutdown).await;
        telemetry.shutdown().await;
        result
    }

    async fn run(
        config: AppConfig,
        listener: TcpListener,
        telemetry: &Telemetry,
        shutdown: CancellationToken,
    ) -> Result<(), RunError> {
        let encoders = BodyEncoders {
            book: books::encode,
            author: authors::encode,
        };
        let storage = Storage::connect(&config.storage, encoders)
            .await
            .map_err(|error| format!("{}: {error}", store_setting(&config.storage.backend)))?;
        let storage = Arc::new(storage);
        let ledger = Arc::new(open_ledger(&config).await?);
        let money = Money::open(&config, &ledger).await?;
        let llm = Llm::build(&config.llm, &ledger, &money.prices, &money.budgets)?;
        let experiments = Arc::new(Experiments::load(Arc::clone(&ledger)).await?);
        let watches = [
            money.prices.watch(),
            money.budgets.watch(),
            config.prompts.watch(),
            experiments.watch(),
        ];
        let summaries = SummaryParts {
            books: storage.books.clone(),
            cache: config.summary_cache.then(|| storage.summaries.clone()),
            llm: Arc::new(llm),
            prices: Arc::clone(&config.prices),
            prompts: Arc::clone(&config.prompts),
            experiments,
            ledger: Arc::clone(&ledger),
            cut_off: cut_off(&shutdown, config.serve.drain),
        };
        let state = AppState::new(&storage, summaries, money, config.heartbeat);
        let health = Health::start(checks(&storage), shutdown.clone());
        let door = Door {
            address: config.http_addr,
            names: config.host_names,
            setting: "BOOKSTORE_HOST_NAMES",
        };
        let routes = router::routes(state).merge(health.router());
        let http = router::http_telemetry(config.telemetry.sampling);
        let gate = Gate::new(config.authentication, PERMISSIONS, door);
        let service = ignoring_case(with_gate(routes, gate, http, telemetry.metrics()));
        tracing::info!("listening on {}", listener.local_addr()?);
        serve(listener, service, config.serve, shutdown).await;
        watches.iter().for_each(JoinHandle::abort);
        let ledger_closed = ledger.close().await;
        storage.shutdown().await;
        Ok(ledger_closed?)
    }
}

impl AppState {
    fn new(storage: &Storage, summaries: SummaryParts, money: Money, heartbeat: Duration) -> Self {
        Self(Arc::new(Parts {
            books: storage.books.clone(),
            authors: storage.authors.clone(),
            llm: Arc::clone(&summaries.llm),
            prompts: Arc::clone(&summaries.prompts),
            experiments: Arc::clone(&summaries.experiments),
            summaries: Arc::new(Summaries::new(summaries)),
            ledger: money.ledger,
            prices: money.prices,
            budgets: money.budgets,
            identities: Identities::new(),
            heartbeat,
        }))
    }
}

/// A signal shortly before the accept loop, told to shut down, closes what is still under way.
fn cut_off(shutdown: &CancellationToken, drain: Duration) -> CancellationToken {
    let (signal, shutdown) = (CancellationToken::new(), shutdown.clone());
    let given = signal.clone();
    let patience = drain.saturating_sub(LAST_EVENT).max(drain / 2);
    tokio::spawn(async move {
        shutdown.cancelled().await;
        wait(patience).await;
        given.cancel();
    });
    signal
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing ends the wait but the time"
)]
async fn wait(patience: Duration) {
    tokio::time::sleep(patience).await;
}

/// Budgets are counted in Redis where there is one: other processes may spend the same money.
fn budget_accounts(config: &AppConfig) -> Result<Arc<dyn BudgetAccounts>, AccountsError> {
    Ok(match &config.storage.redis_url {
        Some(url) => Arc::new(RedisAccounts::new(url)?),
        None => Arc::new(InProcessAccounts::default()),
    })
}

/// The ledger lies where the books lie.
async fn open_ledger(config: &AppConfig) -> Result<Ledger, LedgerError> {
    match &config.storage.backend {
        Backend::Sqlite { .. } => Ledger::open(&config.ledger),
        Backend::Mongo { uri, database } => Ledger::connect(uri, database, &config.ledger).await,
    }
}

/// The setting that says where the store is.
const fn store_setting(backend: &Backend) -> &'static str {
    match backend {
        Backend::Sqlite { .. } => "BOOKSTORE_STATE_DIR",
        Backend::Mongo { .. } => "MONGODB_URI",
    }
}

fn checks(storage: &Arc<Storage>) -> Vec<Check> {
    let (store, redis) = (Arc::clone(storage), Arc::clone(storage));
    vec![
        Check::needed("store", move || {
            let store = Arc::clone(&store);
            // The error's own text names hosts and files, and this one is shown to clients.
            async move {
                store.ping_store().await.map_err(|error| {
                    tracing::debug!("the store does not work: {error}");
                    "does not work".to_owned()
                })
            }
        }),
        Check::optional("redis", move || {
            let state = redis.redis_state();
            async move {
                match state {
                    RedisState::Disabled | RedisState::Healthy => Ok(()),
                    RedisState::Unavailable => Err("is bypassed".to_owned()),
                }
            }
        }),
    ]
}
