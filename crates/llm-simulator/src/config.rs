//! What the simulator is started with.

use std::net::SocketAddr;

use secrecy::ExposeSecret;
use service_defaults::{
    environment::Environment,
    listen::{ListenSettings, read_address},
    telemetry_settings::TelemetrySettings,
};

use crate::{
    credentials::{ListedKeys, ListedKeysError},
    faults::FaultRules,
    library::{Library, Miss, RecorderConfig, ReplayConfig, Speed},
    profile::{ModelProfiles, Profile},
    rate_limit::RateLimits,
};

/// The state that a reset goes back to.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Where every drawn number begins.
    pub seed: u64,
    /// How quickly the simulated models answer.
    pub profile: Profile,
    /// How quickly single ones of them answer instead.
    pub model_profiles: ModelProfiles,
    /// What goes wrong from the start.
    pub faults: FaultRules,
    /// Answers that were recorded, which come before simulated ones.
    pub replay: Option<ReplayConfig>,
    /// Keys that are checked.
    pub keys: ListedKeys,
    /// What each key may use.
    pub rate_limits: RateLimits,
}

/// Everything that the process reads from its environment.
#[derive(Debug, Clone)]
pub struct ProcessConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where the controls are besides, for a test that has the first address refuse connections.
    pub control_address: Option<SocketAddr>,
    /// What it simulates.
    pub simulator: SimulatorConfig,
    /// Whom it records instead.
    pub record: Option<RecorderConfig>,
    /// How it is observed.
    pub telemetry: TelemetrySettings,
}

impl SimulatorConfig {
    /// Seed 1 and the default profile.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            seed: 1,
            profile: Profile::standard(),
            model_profiles: ModelProfiles::default(),
            faults: FaultRules::default(),
            replay: None,
            keys: ListedKeys::default(),
            rate_limits: RateLimits::default(),
        }
    }

    /// Seed 1 and no delays.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            profile: Profile::instant(),
            ..Self::standard()
        }
    }
}

impl SimulatorConfig {
    fn read(environment: &mut Environment) -> Self {
        Self {
            seed: environment.parsed(
                "SIMULATOR_SEED",
                "1",
                "Where every drawn number begins; the same seed gives the same answers",
            ),
            profile: environment.parsed(
                "SIMULATOR_PROFILE",
                "default",
                "Pace of the answers: default, instant, claude-like, gpt-like, local-7b-cpu, or the path of a .toml file",
            ),
            model_profiles: environment
                .optional_parsed(
                    "SIMULATOR_MODEL_PROFILES",
                    "Pace of single models, as in claude-*=claude-like,gpt-4o=slow.toml",
                )
                .unwrap_or_default(),
            faults: environment
                .optional_parsed(
                    "SIMULATOR_FAULTS",
                    "Path of a .toml file with fault rules that hold from the start",
                )
                .unwrap_or_default(),
            replay: read_replay(environment),
            keys: read_keys(environment),
            rate_limits: environment
                .optional_parsed(
                    "SIMULATOR_RATE_LIMITS",
                    "What each key may use per minute, as in requests=60,input_tokens=100000,output_tokens=20000",
                )
                .unwrap_or_default(),
        }
    }
}

fn read_replay(environment: &mut Environment) -> Option<ReplayConfig> {
    let library: Option<Library> = environment.optional_parsed(
        "SIMULATOR_REPLAY",
        "Library of recorded answers that are given to the requests that were recorded",
    );
    let speed: Speed = environment.parsed(
        "SIMULATOR_REPLAY_SPEED",
        "1",
        "How many times faster than recorded they are given: 0.01 to 1000",
    );
    let miss = environment.choice(
        "SIMULATOR_REPLAY_MISS",
        "error",
        &["error", "simulate"],
        "What any other request gets: a 404, or a simulated answer",
    );
    let miss = match miss {
        "simulate" => Miss::Simulate,
        _ => Miss::Error,
    };
    library.map(|library| ReplayConfig::new(library, speed.factor(), miss))
}

fn read_record(environment: &mut Environment) -> Option<RecorderConfig> {
    let upstream = environment.optional_parsed(
        "SIMULATOR_RECORD_UPSTREAM",
        "Provider to which all is forwarded, to record what it says, instead of simulating",
    );
    let library = environment.optional_text(
        "SIMULATOR_RECORD_LIBRARY",
        "File to which the recordings are added",
    );
    match (upstream, library) {
        (Some(upstream), Some(library)) => Some(RecorderConfig { upstream, library }),
        (None, None) => None,
        _ => {
            let reason = "recording needs both an upstream and a library";
            environment.reject("SIMULATOR_RECORD_LIBRARY", reason);
            None
        }
    }
}

impl ProcessConfig {
    /// Reads `SIMULATOR_*` and the telemetry settings.
    pub fn read(environment: &mut Environment, version: &'static str) -> Self {
        let address = read_address(
            environment,
            ListenSettings {
                address: "SIMULATOR_HTTP_ADDR",
                default: "127.0.0.1:7010",
                allow_remote: "SIMULATOR_ALLOW_REMOTE",
            },
        );
        Self {
            address,
            control_address: read_control_address(environment, address),
            simulator: SimulatorConfig::read(environment),
            record: read_record(environment),
            telemetry: TelemetrySettings::read(
                environment,
                "llm-simulator",
                "SIMULATOR_TRACE_SAMPLING",
                version,
            ),
        }
    }
}

/// The controls go no further than the models.
fn read_control_address(environment: &mut Environment, models: SocketAddr) -> Option<SocketAddr> {
    const NAME: &str = "SIMULATOR_CONTROL_ADDR";
    let address: Option<SocketAddr> = environment.optional_parsed(
        NAME,
        "Second address for the controls alone, reachable also while connections are refused",
    );
    let is_remote = address.is_some_and(|address| !address.ip().is_loopback());
    if is_remote && models.ip().is_loopback() {
        let reason = "must be loopback, unless SIMULATOR_HTTP_ADDR is not";
        environment.reject(NAME, reason);
    }
    address
}

/// The keys come as one secret; an error names the entry, never its text.
fn read_keys(environment: &mut Environment) -> ListedKeys {
    const NAME: &str = "SIMULATOR_KEYS";
    let help = "Keys that are checked: anthropic=KEY, openai=KEY, bedrock=KEY or \
                bedrock=ID:SECRET, separated by commas; a vendor without takes every key";
    let Some(text) = environment.secret(NAME, help) else {
        return ListedKeys::default();
    };
    text.expose_secret()
        .parse()
        .unwrap_or_else(|error: ListedKeysError| {
            environment.reject(NAME, error.to_string());
            ListedKeys::default()
        })
}
