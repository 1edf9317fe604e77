//! Every setting of the process.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use llm::{LlmConfig, OnFailure, Prices};
use secrecy::SecretString;
use service_defaults::{
    access::{AccessSettings, Authentication},
    environment::Environment,
    host_names::HostNames,
    listen::{ListenSettings, read_address},
    patience::Patience,
    serve::ServeConfig,
    telemetry_settings::TelemetrySettings,
};
use storage::{Backend, StorageConfig, is_mongodb_uri, is_redis_url};

use crate::summaries::{PromptError, Prompts};

/// The prompt of summaries, unless another one is set.
const BUILT_IN_PROMPT: &str = "book-summary";

/// What the process is built from.
pub struct AppConfig {
    /// Where it listens.
    pub http_addr: SocketAddr,
    /// The names that it answers to beside loopback, where it listens beyond it.
    pub host_names: HostNames,
    /// Who a request's sender is.
    pub authentication: Authentication,
    /// Limits of the listener.
    pub serve: ServeConfig,
    /// Traces, metrics and logs.
    pub telemetry: TelemetrySettings,
    /// Books and authors.
    pub storage: StorageConfig,
    /// Model providers.
    pub llm: LlmConfig,
    /// What models cost.
    pub prices: Arc<Prices>,
    /// What models are asked with.
    pub(crate) prompts: Arc<Prompts>,
    /// What happens to calls of tenants with budgets while nobody can count.
    pub budget_failure: OnFailure,
    /// File of the ledger of model calls, unless `MongoDB` keeps it.
    pub ledger: PathBuf,
    /// Whether summaries are taken from the cache and the store.
    pub summary_cache: bool,
    /// How long a stream of events is silent before a comment fills it.
    pub heartbeat: Duration,
}

impl AppConfig {
    /// Reads the settings.
    pub fn read(environment: &mut Environment) -> Self {
        let http_addr = read_address(
            environment,
            ListenSettings {
                address: "BOOKSTORE_HTTP_ADDR",
                default: "127.0.0.1:7002",
                allow_remote: "BOOKSTORE_ALLOW_REMOTE",
            },
        );
        let host_names = environment.parsed(
            "BOOKSTORE_HOST_NAMES",
            "",
            "Names that it answers to when it listens beyond loopback: name,…",
        );
        let access = AccessSettings {
            mode: "BOOKSTORE_AUTH_MODE",
            tokens_file: "BOOKSTORE_TOKENS_FILE",
        };
        let authentication = Authentication::read(environment, access);
        let state: PathBuf = environment
            .text(
                "BOOKSTORE_STATE_DIR",
                ".bookstore",
                "Directory of the embedded stores",
            )
            .into();
        let serve = read_serve(environment);
        Self {
            http_addr,
            host_names,
            authentication,
            serve,
            telemetry: TelemetrySettings::read(
                environment,
                "bookstore-api",
                "BOOKSTORE_TRACE_SAMPLING",
                env!("CARGO_PKG_VERSION"),
            ),
            storage: read_storage(environment, &state),
            llm: LlmConfig::read(environment),
            prices: Arc::new(read_prices(environment)),
            prompts: Arc::new(read_prompts(environment)),
            budget_failure: read_budget_failure(environment),
            ledger: state.join("data").join("ledger.sqlite"),
            summary_cache: environment.choice(
                "BOOKSTORE_SUMMARY_CACHE",
                "on",
                &["on", "off"],
                "off makes every summary reach the model",
            ) == "on",
            heartbeat: environment
                .parsed::<Patience>(
                    "BOOKSTORE_SSE_HEARTBEAT",
                    "15s",
                    "Silence in a stream of events that a comment fills",
                )
                .0,
        }
    }
}

fn read_budget_failure(environment: &mut Environment) -> OnFailure {
    let word = environment.choice(
        "BOOKSTORE_BUDGET_ON_FAILURE",
        "refuse",
        &["refuse", "allow"],
        "Model calls of tenants with budgets while the budgets' accounts cannot be asked",
    );
    match word {
        "allow" => OnFailure::Allow,
        _ => OnFailure::Refuse,
    }
}

/// A wrong price file is found before anything is bound.
#[expect(
    clippy::panic,
    reason = "a mistake in the built-in file, found by any start"
)]
pub(crate) fn read_prices(environment: &mut Environment) -> Prices {
    let file = environment.optional_text(
        "BOOKSTORE_PRICES",
        "File of model prices, read again when it changes; without it the built-in list",
    );
    Prices::load(file.as_deref().map(Path::new))
        .or_else(|error| {
            environment.reject("BOOKSTORE_PRICES", error.to_string());
            Prices::load(None)
        })
        .unwrap_or_else(|error| panic!("the built-in prices: {error}"))
}

/// A wrong prompt is found before anything is bound.
#[expect(
    clippy::panic,
    reason = "a mistake in the built-in files, found by any start"
)]
fn read_prompts(environment: &mut Environment) -> Prompts {
    let directory = environment.optional_text(
        "BOOKSTORE_PROMPTS",
        "Directory of prompts beside the built-in ones, read again when it changes",
    );
    let default = environment.text(
        "BOOKSTORE_SUMMARY_PROMPT",
        BUILT_IN_PROMPT,
        "Prompt of summaries: a name, for its newest version, or a name and version",
    );
    Prompts::load(directory.as_deref().map(Path::new), &default)
        .or_else(|error| {
            let setting = match error {
                PromptError::NoDefault { .. } => "BOOKSTORE_SUMMARY_PROMPT",
                PromptError::Unreadable { .. } | PromptError::Wrong { .. } => "BOOKSTORE_PROMPTS",
            };
            environment.reject(setting, error.to_string());
            Prompts::load(None, BUILT_IN_PROMPT)
        })
        .unwrap_or_else(|error| panic!("the built-in prompts: {error}"))
}

fn read_serve(environment: &mut Environment) -> ServeConfig {
    ServeConfig {
        max_connections: environment
            .parsed::<MaxConnections>(
                "BOOKSTORE_MAX_CONNECTIONS",
                "10000",
                "Connections at once, 1 to 1000000; further ones wait",
            )
            .0,
        drain: environment
            .parsed::<Patience>(
                "BOOKSTORE_DRAIN_TIMEOUT",
                "30s",
                "For requests under way at shutdown; streams are told before its end",
            )
            .0,
        ..ServeConfig::default()
    }
}

fn read_storage(environment: &mut Environment, state: &Path) -> StorageConfig {
    let mongodb: Option<SecretString> = environment.secret(
        "MONGODB_URI",
        "MongoDB of books and authors; without it they are in SQLite in the state directory",
    );
    // The reasons do not repeat the addresses, which may carry passwords.
    if mongodb.as_ref().is_some_and(|uri| !is_mongodb_uri(uri)) {
        environment.reject("MONGODB_URI", "must be such as mongodb://127.0.0.1:27017/");
    }
    let database = environment.text("MONGODB_DATABASE", "bookstore", "Database in MongoDB");
    let backend = match mongodb {
        Some(uri) => Backend::Mongo { uri, database },
        None => Backend::Sqlite {
            path: state.join("data").join("bookstore.sqlite"),
        },
    };
    let redis_url = environment.secret(
        "REDIS_URL",
        "Redis as second cache level; without it only the process' own cache is used",
    );
    if redis_url.as_ref().is_some_and(|url| !is_redis_url(url)) {
        environment.reject("REDIS_URL", "must be such as redis://127.0.0.1:6379");
    }
    let mut storage = StorageConfig::new(backend);
    storage.redis_url = redis_url;
    let bytes = storage.cache.level1_bytes.to_string();
    storage.cache.level1_bytes = environment.parsed(
        "BOOKSTORE_CACHE_LEVEL1_BYTES",
        &bytes,
        "Bytes that the process' own cache holds of books, and again of authors and summaries; 0 turns it off",
    );
    storage
}

struct MaxConnections(usize);

impl FromStr for MaxConnections {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .ok()
            .filter(|connections| (1..=1_000_000).contains(connections))
            .map(Self)
            .ok_or("must be a number from 1 to 1000000")
    }
}
