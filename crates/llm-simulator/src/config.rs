//! What the simulator is started with.

use std::net::SocketAddr;

use service_defaults::{
    environment::Environment,
    listen::{ListenSettings, read_address},
    telemetry_settings::TelemetrySettings,
};

use crate::{
    faults::FaultRules,
    profile::{ModelProfiles, Profile},
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
}

/// Everything that the process reads from its environment.
#[derive(Debug, Clone)]
pub struct ProcessConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it simulates.
    pub simulator: SimulatorConfig,
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

impl ProcessConfig {
    /// Reads `SIMULATOR_*` and the telemetry settings.
    pub fn read(environment: &mut Environment, version: &'static str) -> Self {
        Self {
            address: read_address(
                environment,
                ListenSettings {
                    address: "SIMULATOR_HTTP_ADDR",
                    default: "127.0.0.1:7010",
                    allow_remote: "SIMULATOR_ALLOW_REMOTE",
                },
            ),
            simulator: SimulatorConfig {
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
            },
            telemetry: TelemetrySettings::read(
                environment,
                "llm-simulator",
                "SIMULATOR_TRACE_SAMPLING",
                version,
            ),
        }
    }
}
