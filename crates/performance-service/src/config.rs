//! Every setting of the process.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use performance_store::Clock;
use service_defaults::access::{AccessSettings, Authentication};
use service_defaults::allow_list::AllowList;
use service_defaults::environment::{Environment, Setting};
use service_defaults::host_names::HostNames;
use service_defaults::listen::{ListenSettings, read_address};
use service_defaults::telemetry_settings::TelemetrySettings;
use url::Url;

use crate::clock_file::ClockFile;
use crate::configured_tests::environments::Environments;
use crate::ledger::LedgerSettings;
use crate::money_limits::MoneyLimits;
use crate::outside_pages::OutsidePages;
use crate::relay::RelayPrices;
use crate::runner_settings::RunnerSettings;
use crate::tenant_limits::TenantLimits;
use crate::webhooks::targets::WebhookTargets;

/// What the process is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens.
    pub http_addr: SocketAddr,
    /// Who a request's sender is.
    pub authentication: Authentication,
    /// The names that it answers to beside loopback.
    pub host_names: HostNames,
    /// Traces, metrics and logs.
    pub telemetry: TelemetrySettings,
    /// The run store is `data/` in it, the files of runs are in `runs/`.
    pub state_directory: PathBuf,
    /// The addresses that may be loaded.
    pub targets: AllowList,
    /// The names of those that real people use: a run against them needs a grant.
    pub production: BTreeSet<String>,
    /// The Prometheus that scrapes them.
    pub prometheus: Option<Url>,
    /// Where what k6 measures is written during runs.
    pub remote_write: Option<Url>,
    /// What the models of foreign targets cost.
    pub relay_prices: RelayPrices,
    /// The k6 v2 binary.
    pub k6: PathBuf,
    /// The k6 v1 binary.
    pub k6_v1: PathBuf,
    /// Whether k6 runs as processes or in containers.
    pub runners: RunnerSettings,
    /// The directory that scripts come from.
    pub scripts_directory: PathBuf,
    /// The directory that generated scripts are saved in.
    pub generated_directory: PathBuf,
    /// Where the environments of configured tests are.
    pub environments: Environments,
    /// What is kept of finished runs.
    pub retention: Retention,
    /// The most runs that may wait.
    pub queue_limit: u64,
    /// What one tenant may ask for.
    pub tenant_limits: TenantLimits,
    /// What runs may spend on model calls.
    pub money: MoneyLimits,
    /// Who knows what they spend.
    pub ledger: LedgerSettings,
    /// Where webhooks may be sent.
    pub webhook_targets: WebhookTargets,
    /// Where the links of messages lead.
    pub public_url: String,
    /// Where the pages of other tools are.
    pub outside: OutsidePages,
    /// What says which time it is: schedules, retention and budgets of a day go by it.
    pub clock: Clock,
    /// What steps it, in experiments.
    pub clock_file: Option<ClockFile>,
    /// All settings as they were read, for those who ask what is in force.
    pub settings: Vec<Setting>,
}

impl Config {
    /// Reads the settings.
    pub fn read(environment: &mut Environment) -> Self {
        let http_addr = read_address(
            environment,
            ListenSettings {
                address: "PERFORMANCE_HTTP_ADDR",
                default: "127.0.0.1:7004",
                allow_remote: "PERFORMANCE_ALLOW_REMOTE",
            },
        );
        let authentication = read_authentication(environment);
        let host_names = environment.parsed(
            "PERFORMANCE_HOST_NAMES",
            "",
            "Names that it answers to when it listens beyond loopback: name,…",
        );
        let (targets, production) = read_targets(environment);
        let environments = Environments::read(environment, &targets, &production);
        let (k6, k6_v1) = read_binaries(environment);
        let (state_directory, generated_directory) = read_directories(environment);
        Self {
            clock_file: ClockFile::read(environment, http_addr, &authentication),
            http_addr,
            authentication,
            host_names,
            telemetry: TelemetrySettings::read(
                environment,
                "performance-service",
                "PERFORMANCE_TRACE_SAMPLING",
                env!("CARGO_PKG_VERSION"),
            ),
            state_directory,
            generated_directory,
            targets,
            production,
            environments,
            prometheus: read_prometheus(environment),
            remote_write: read_remote_write(environment),
            relay_prices: read_relay_prices(environment),
            k6,
            k6_v1,
            runners: RunnerSettings::read(environment),
            scripts_directory: read_path(
                environment,
                "PERFORMANCE_SCRIPTS_DIR",
                "k6",
                "The directory that scripts come from",
            ),
            retention: Retention::read(environment),
            queue_limit: read_queue_limit(environment),
            tenant_limits: TenantLimits::read(environment),
            money: MoneyLimits::read(environment),
            ledger: LedgerSettings::read(environment),
            webhook_targets: WebhookTargets::read(environment),
            public_url: read_public_url(environment, http_addr),
            outside: OutsidePages::read(environment),
            clock: Clock::default(),
            // The last member, since it tells of all others.
            settings: environment.settings().to_vec(),
        }
    }
}

/// What is kept of finished runs, of each tenant.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Runs.
    pub runs: u64,
    /// Days of a run.
    pub days: u32,
    /// Days of its raw files.
    pub raw_days: u32,
}

impl Retention {
    fn read(environment: &mut Environment) -> Self {
        Self {
            runs: environment.parsed(
                "PERFORMANCE_RUNS_KEPT",
                "500",
                "Finished runs kept per tenant; older ones are removed",
            ),
            days: environment.parsed(
                "PERFORMANCE_RUNS_KEPT_DAYS",
                "90",
                "Days that a finished run is kept, those of baselines apart",
            ),
            raw_days: environment.parsed(
                "PERFORMANCE_RAW_KEPT_DAYS",
                "7",
                "Days that k6's own files of a finished run are kept; 0 removes them at its end",
            ),
        }
    }
}

/// Where people find the pages, without a slash at its end.
fn read_public_url(environment: &mut Environment, http_addr: SocketAddr) -> String {
    const NAME: &str = "PERFORMANCE_PUBLIC_URL";
    let help = "Where the links of messages lead; http://PERFORMANCE_HTTP_ADDR when empty";
    let given: Option<Url> = environment.optional_parsed(NAME, help);
    let address = given.map_or_else(|| format!("http://{http_addr}"), String::from);
    address.trim_end_matches('/').to_owned()
}

fn read_authentication(environment: &mut Environment) -> Authentication {
    let access = AccessSettings {
        mode: "PERFORMANCE_AUTH_MODE",
        tokens_file: "PERFORMANCE_TOKENS_FILE",
    };
    Authentication::read(environment, access)
}

/// The addresses that may be loaded, and which of them real people use.
fn read_targets(environment: &mut Environment) -> (AllowList, BTreeSet<String>) {
    const PRODUCTION: &str = "PERFORMANCE_PRODUCTION_TARGETS";
    let targets: AllowList = environment.parsed(
        "PERFORMANCE_TARGETS",
        "local=http://127.0.0.1:7002",
        "Addresses that may be loaded: name=http://host:port,…",
    );
    let names = environment.text(
        PRODUCTION,
        "",
        "Those of them that are in production, where each run needs a grant: name,…",
    );
    let names = names.split(',').map(str::trim);
    let names: BTreeSet<String> = names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    // A name that is misspelled would leave its target unprotected.
    for name in names.iter().filter(|name| targets.named(name).is_none()) {
        environment.reject(
            PRODUCTION,
            format!("{name:?} is not in PERFORMANCE_TARGETS"),
        );
    }
    (targets, names)
}

fn read_queue_limit(environment: &mut Environment) -> u64 {
    let help = "Runs that may wait for their turn";
    environment.parsed("PERFORMANCE_QUEUE_LIMIT", "50", help)
}

/// What the models of foreign targets cost.
fn read_relay_prices(environment: &mut Environment) -> RelayPrices {
    let help = "US dollars for a million tokens of foreign models: MODEL=INPUT/OUTPUT/CACHED,…";
    environment.parsed("PERFORMANCE_RELAY_PRICES", "", help)
}

/// Where the resources of targets are read.
fn read_prometheus(environment: &mut Environment) -> Option<Url> {
    const NAME: &str = "PERFORMANCE_PROMETHEUS_URL";
    let help = "The Prometheus that scrapes the targets: http://host:port; none when empty";
    read_server(environment, NAME, help)
}

/// Where what k6 measures is written during runs.
fn read_remote_write(environment: &mut Environment) -> Option<Url> {
    const NAME: &str = "PERFORMANCE_REMOTE_WRITE_URL";
    let help = "Where runs are written while they go on: http://host:port/api/v1/write; nowhere when empty";
    read_server(environment, NAME, help)
}

fn read_server(
    environment: &mut Environment,
    name: &'static str,
    help: &'static str,
) -> Option<Url> {
    let url: Url = environment.optional_parsed(name, help)?;
    let plain =
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none();
    if !plain {
        environment.reject(
            name,
            "must be http:// or https:// with a host, without a password",
        );
    }
    Some(url)
}

/// The k6 of both lines, v2 first.
fn read_binaries(environment: &mut Environment) -> (PathBuf, PathBuf) {
    let k6 = read_path(
        environment,
        "PERFORMANCE_K6",
        ".bookstore/tools/bin/k6",
        "The k6 v2 binary",
    );
    let k6_v1 = read_path(
        environment,
        "PERFORMANCE_K6_V1",
        ".bookstore/tools/bin/k6-v1",
        "The k6 v1 binary",
    );
    (k6, k6_v1)
}

/// The state directory, and where generated scripts are saved: in it unless a setting says
/// otherwise.
fn read_directories(environment: &mut Environment) -> (PathBuf, PathBuf) {
    const GENERATED: &str = "PERFORMANCE_GENERATED_DIR";
    let state = read_path(
        environment,
        "PERFORMANCE_STATE_DIR",
        ".bookstore",
        "Directory of the run store and of the files of runs",
    );
    let help = "Directory of generated scripts; generated/ in PERFORMANCE_STATE_DIR when empty";
    let generated = match environment.text(GENERATED, "", help) {
        text if text.is_empty() => state.join("generated"),
        text => absolute(environment, GENERATED, &text),
    };
    (state, generated)
}

/// A path as it is meant here: k6 is started in the directory of its run, where a relative one
/// would lead elsewhere.
fn read_path(
    environment: &mut Environment,
    name: &'static str,
    default: &str,
    help: &'static str,
) -> PathBuf {
    let text = environment.text(name, default, help);
    absolute(environment, name, &text)
}

fn absolute(environment: &mut Environment, name: &'static str, text: &str) -> PathBuf {
    std::path::absolute(text).unwrap_or_else(|error| {
        environment.reject(name, format!("{text:?} is no path: {error}"));
        PathBuf::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_the_same_in_every_directory() {
        let pairs = [("PERFORMANCE_K6_V1".to_owned(), "./k6".to_owned())];
        let config = Config::read(&mut Environment::of_pairs(pairs));
        let here = std::env::current_dir().unwrap();
        assert_eq!(config.k6, here.join(".bookstore/tools/bin/k6"));
        assert_eq!(config.k6_v1, here.join("k6"));
        assert_eq!(config.state_directory, here.join(".bookstore"));
        assert_eq!(
            config.generated_directory,
            here.join(".bookstore/generated")
        );
        assert_eq!(config.scripts_directory, here.join("k6"));
    }
}
