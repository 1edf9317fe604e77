//! The parts of the process and how they come to life.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use instrumentation::{MetricsText, Telemetry};
use load_analysis::dollars::Dollars;
use load_runner::sandbox::Confinement;
use load_runner::script::ScriptDirectory;
use performance_store::{RunStore, StoreConfig};
use service_defaults::access::{Authentication, Gate, Sessions};
use service_defaults::environment::Setting;
use service_defaults::health::{Check, Health};
use service_defaults::http_client::{self, HttpClientConfig};
use service_defaults::process::RunError;
use service_defaults::router::{ignoring_case, with_gate};
use service_defaults::same_origin::Door;
use service_defaults::serve::{self, ServeConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::announcer::Announcer;
use crate::audit::StoreJournal;
use crate::background::Background;
use crate::capacity::searcher::Searcher;
use crate::change_points::KnownSteps;
use crate::comparisons::Comparisons;
use crate::conductor::{Adopted, Conductor, Generators};
use crate::config::Config;
use crate::configured_tests::environments::Environments;
use crate::generated_scripts::GeneratedScripts;
use crate::hub::WatcherPlaces;
use crate::ledger::{ApiLedger, Ledger};
use crate::observation::Observation;
use crate::outside_pages::OutsidePages;
use crate::pages;
use crate::permissions::PERMISSIONS;
use crate::picture::Pictures;
use crate::planner::Planner;
use crate::relay::Relay;
use crate::remote_write::RemoteWrite;
use crate::router;
use crate::schedules::scheduler::Scheduler;
use crate::webhooks::courier::Courier;
use crate::webhooks::targets::WebhookTargets;

/// Connections at once: 500 watchers, and as many that ask.
const MAX_CONNECTIONS: usize = 1_000;

/// How long a model behind the relay may be silent: some think for a minute before they answer.
const RELAY_PATIENCE: Duration = Duration::from_mins(2);

/// Names the sessions of browsers.
const SESSION_COOKIE: &str = "performance-session";

/// Runs the process until `shutdown`: binds, adopts or ends the runs that an earlier life left
/// behind, then serves. A run under way at the shutdown is stopped and marked.
///
/// # Errors
/// A part cannot be built or has failed.
pub async fn serve(config: Config, shutdown: CancellationToken) -> Result<(), RunError> {
    let telemetry = Telemetry::start(&config.telemetry.telemetry)?;
    let listener = TcpListener::bind(config.http_addr)
        .await
        .map_err(|error| format!("PERFORMANCE_HTTP_ADDR {}: {error}", config.http_addr))?;
    let result = run(config, listener, telemetry.metrics(), shutdown).await;
    telemetry.shutdown().await;
    result
}

/// The same on a listener of the caller's, with metrics of the caller's telemetry.
///
/// # Errors
/// A part cannot be built or has failed.
pub async fn run(
    config: Config,
    listener: TcpListener,
    metrics: Option<MetricsText>,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let sampling = config.telemetry.sampling;
    let scripts = config.scripts_directory.clone();
    let clock_file = config.clock_file.clone();
    let door = Door {
        address: config.http_addr,
        names: config.host_names.clone(),
        setting: "PERFORMANCE_HOST_NAMES",
    };
    let app = App::build(config, shutdown.clone()).await?;
    let gate = Gate::new(app.authentication.clone(), PERMISSIONS, door)
        .with_sessions(Arc::clone(&app.sessions), "/login")
        .with_journal(Arc::new(StoreJournal::new(app.store.clone())));
    let adopted = app.conductor.recover().await?;
    let sweeper = app.conductor.clone();
    tokio::spawn(async move { sweeper.sweep_containers().await });
    app.store.abandon_keys().await?;
    app.scheduler.recover().await?;
    let mut background = app.work(adopted, &shutdown);
    if let Some(file) = clock_file {
        let clock = app.store.clock().clone();
        background.spawn("clock", file.follow(clock, shutdown.clone()));
    }
    let health = Health::start(checks(&app, scripts), shutdown.clone());
    let routes = router::routes(app).merge(health.router());
    let http = router::http_telemetry(sampling);
    let routes = with_gate(routes, gate, http, metrics);
    let service = ignoring_case(pages::with_refusals(routes));
    let limits = ServeConfig {
        max_connections: MAX_CONNECTIONS,
        ..ServeConfig::default()
    };
    tracing::info!("listening on {}", listener.local_addr()?);
    let served = serve::serve(listener, service, limits, shutdown.clone());
    let ((), worked) = tokio::join!(served, background.watch(shutdown));
    worked
}

/// The parts that handlers use; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) store: RunStore,
    pub(crate) conductor: Conductor,
    pub(crate) scheduler: Scheduler,
    pub(crate) courier: Courier,
    pub(crate) webhook_targets: WebhookTargets,
    pub(crate) environments: Environments,
    pub(crate) observation: Observation,
    pub(crate) searcher: Searcher,
    pub(crate) announcer: Announcer,
    pub(crate) watchers: WatcherPlaces,
    pub(crate) comparisons: Comparisons,
    pub(crate) pictures: Pictures,
    pub(crate) steps: KnownSteps,
    pub(crate) generated: GeneratedScripts,
    pub(crate) shutdown: CancellationToken,
    pub(crate) authentication: Authentication,
    pub(crate) sessions: Arc<Sessions>,
    /// Real dollars that a tenant's runs may spend in a day.
    pub(crate) daily_dollars: Dollars,
    pub(crate) settings: Vec<Setting>,
    pub(crate) outside: OutsidePages,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    async fn build(config: Config, shutdown: CancellationToken) -> Result<Self, RunError> {
        let store = RunStore::open(store_config(&config)).await?;
        let runs_directory = config.state_directory.join("runs");
        tokio::fs::create_dir_all(&runs_directory).await?;
        let relay = start_relay(&config, shutdown.clone()).await?;
        let generated = GeneratedScripts::new(config.generated_directory);
        let planner = Planner {
            scripts: ScriptDirectory::new(config.scripts_directory),
            generated: generated.clone(),
            targets: config.targets,
            production: config.production,
            tenant_limits: config.tenant_limits,
            money: config.money,
            runs_directory: runs_directory.canonicalize()?,
            raw_kept_days: config.retention.raw_days,
            relay_port: relay.port(),
        };
        warn_of_gaps();
        let client = http_client::build(&HttpClientConfig::default())?;
        let announcer = Announcer::new();
        let observation = Observation::new(client.clone(), config.prometheus);
        let remote_write = config.remote_write;
        let remote_write = remote_write.map(|to| RemoteWrite::new(client.clone(), to));
        let generators = Generators::new(config.k6, config.k6_v1, config.runners, &client);
        let ledger: Arc<dyn Ledger> = Arc::new(ApiLedger::new(client, config.ledger));
        let conductor = Conductor::new(
            store.clone(),
            planner,
            (generators, ledger),
            (observation.clone(), relay),
            (announcer.clone(), remote_write),
        );
        let scheduler = Scheduler::new(store.clone(), conductor.clone(), store.clock().now());
        let targets = config.webhook_targets;
        let courier = Courier::new(store.clone(), targets.clone(), config.public_url)?;
        let searcher = Searcher::new(store.clone(), conductor.clone(), announcer.clone());
        Ok(Self(Arc::new(Parts {
            store,
            scheduler,
            courier,
            webhook_targets: targets,
            environments: config.environments,
            conductor,
            observation,
            searcher,
            announcer,
            watchers: WatcherPlaces::new(),
            comparisons: Comparisons::new(),
            pictures: Pictures::new(),
            steps: KnownSteps::new(),
            generated,
            shutdown,
            authentication: config.authentication,
            sessions: Arc::new(Sessions::new(SESSION_COOKIE)),
            daily_dollars: config.tenant_limits.daily_dollars,
            settings: config.settings,
            outside: config.outside,
        })))
    }

    /// Begins what goes on beside the requests.
    fn work(&self, adopted: Vec<Adopted>, shutdown: &CancellationToken) -> Background {
        let mut background = Background::default();
        let conductor = self.conductor.clone();
        background.spawn("conductor", conductor.conduct(adopted, shutdown.clone()));
        let tidying = self.conductor.clone().keep_tidy(shutdown.clone());
        background.spawn("upkeep", tidying);
        let removing = self.conductor.clone().finish_removals(shutdown.clone());
        background.spawn("removal of runs", removing);
        let scheduler = self.scheduler.clone();
        background.spawn("scheduler", scheduler.keep_time(shutdown.clone()));
        let courier = self.courier.clone();
        let delivering = courier.deliver(self.announcer.clone(), shutdown.clone());
        background.spawn("courier", delivering);
        let searcher = self.searcher.clone();
        background.spawn("searcher", searcher.search(shutdown.clone()));
        background
    }
}

/// What this kernel cannot keep from scripts.
fn warn_of_gaps() {
    if let Some(gap) = Confinement::of_this_kernel().gap() {
        tracing::warn!("{gap}");
    }
}

/// The bounds of the store.
fn store_config(config: &Config) -> StoreConfig {
    StoreConfig {
        queue_limit: config.queue_limit,
        tenant_queue_limit: config.tenant_limits.queued,
        tenant_daily_load: config.tenant_limits.daily_seconds(),
        runs_kept: config.retention.runs,
        runs_kept_days: config.retention.days,
        clock: config.clock.clone(),
        ..StoreConfig::new(config.state_directory.clone())
    }
}

/// Lets scripts reach targets through the relay from now on.
async fn start_relay(config: &Config, shutdown: CancellationToken) -> Result<Relay, RunError> {
    let client = http_client::build(&HttpClientConfig {
        read: RELAY_PATIENCE,
        total: None,
        idle_connections: MAX_CONNECTIONS,
        ..HttpClientConfig::default()
    })?;
    let prices = config.relay_prices.clone();
    let bound = Relay::bind(client, prices, &config.state_directory).await;
    let (relay, listener) = bound.map_err(|error| format!("the relay cannot listen: {error}"))?;
    tokio::spawn(relay.clone().serve(listener, shutdown));
    Ok(relay)
}

fn checks(app: &App, scripts: PathBuf) -> Vec<Check> {
    let (store, conductor) = (app.store.clone(), app.conductor.clone());
    vec![
        Check::needed("store", move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|error| error.to_string()) }
        }),
        Check::needed("k6", move || {
            let conductor = conductor.clone();
            async move { conductor.check_usual().await }
        }),
        Check::needed("scripts", move || {
            let scripts = scripts.clone();
            async move {
                if scripts.is_dir() {
                    Ok(())
                } else {
                    Err(format!(
                        "{} is no directory; set PERFORMANCE_SCRIPTS_DIR",
                        scripts.display()
                    ))
                }
            }
        }),
    ]
}
