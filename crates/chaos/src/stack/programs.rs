//! Our own programs with the settings of an experiment.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use fault_proxy::FaultProxy;
use local_servers::process::{Process, Program};
use local_servers::{port, tools};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::plan::{Dependency, Settings, StackPlan};
use crate::run::Places;

/// `HOST:PORT` of each program.
pub(super) struct Addresses {
    pub(super) api: String,
    pub(super) simulator: String,
    pub(super) simulator_control: String,
    pub(super) performance: String,
    /// Where nobody listens.
    pub(super) nobody: String,
}

impl Addresses {
    /// # Errors
    /// No port is free.
    pub(super) fn free() -> anyhow::Result<Self> {
        let local = || anyhow::Ok(format!("127.0.0.1:{}", port::free()?));
        Ok(Self {
            api: local()?,
            simulator: local()?,
            simulator_control: local()?,
            performance: local()?,
            nobody: local()?,
        })
    }
}

pub(super) fn simulator(
    places: &Places,
    addresses: &Addresses,
    settings: &Settings,
) -> anyhow::Result<Process> {
    let program = program(places, "llm-simulator")?
        .env("SIMULATOR_HTTP_ADDR", &addresses.simulator)
        .env("SIMULATOR_CONTROL_ADDR", &addresses.simulator_control)
        .env("SIMULATOR_PROFILE", "instant");
    with(program, settings).start()
}

pub(super) fn api(
    places: &Places,
    addresses: &Addresses,
    proxies: &[(Dependency, FaultProxy)],
    settings: &Settings,
) -> anyhow::Result<Process> {
    let mut program = program(places, "bookstore-api")?;
    let state = program.directory().join("state");
    program = program
        .env("BOOKSTORE_HTTP_ADDR", &addresses.api)
        .env("BOOKSTORE_STATE_DIR", state)
        .env("BOOKSTORE_SIMULATED_PROVIDERS", "claude")
        .env("LLM_PROVIDER", "claude")
        .env("ANTHROPIC_API_KEY", "simulated");
    for (dependency, proxy) in proxies {
        let (name, scheme) = match dependency {
            Dependency::Mongo => ("MONGODB_URI", "mongodb"),
            Dependency::Redis => ("REDIS_URL", "redis"),
            Dependency::Provider => ("ANTHROPIC_BASE_URL", "http"),
            Dependency::Collector => ("OTEL_EXPORTER_OTLP_ENDPOINT", "http"),
        };
        program = program.env(name, format!("{scheme}://{}", proxy.address()));
    }
    with(program, settings).start()
}

pub(super) fn performance(
    places: &Places,
    addresses: &Addresses,
    state: &Path,
    plan: &StackPlan,
) -> anyhow::Result<Process> {
    let target = format!("local=http://{}", addresses.api);
    let program = match plan.disk_mib {
        Some(size) => on_disk(places, "performance-service", size)?,
        None => program(places, "performance-service")?,
    };
    let program = program
        .env("PERFORMANCE_HTTP_ADDR", &addresses.performance)
        .env("PERFORMANCE_STATE_DIR", state)
        .env("PERFORMANCE_SCRIPTS_DIR", &places.scripts)
        .env("PERFORMANCE_TARGETS", target)
        .env("PERFORMANCE_K6", tools::k6()?);
    with(program, &plan.performance_service).start()
}

/// Mounts a disk in memory over the state directory, which only the program that follows sees.
const MOUNT: &str = r#"mount -t tmpfs -o "size=$1m" tmpfs "$PERFORMANCE_STATE_DIR" && exec "$2""#;

/// A program whose state directory is a small disk of its own, in a mount namespace of its own.
/// Needs no root, but a kernel that lets users make namespaces.
fn on_disk(places: &Places, name: &str, mib: u32) -> anyhow::Result<Program> {
    let unshare = tools::unshare()?;
    let program = Program::new(name, unshare)?
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            MOUNT,
            "sh",
        ])
        .arg(mib.to_string())
        .arg(binary(places, name)?);
    Ok(program)
}

fn program(places: &Places, name: &str) -> anyhow::Result<Program> {
    Program::new(name, binary(places, name)?)
}

fn binary(places: &Places, name: &str) -> anyhow::Result<PathBuf> {
    let binary = places.binaries.join(name);
    ensure!(
        binary.is_file(),
        "there is no {name} in {}: build it, or name its directory with --binaries",
        places.binaries.display()
    );
    Ok(binary)
}

/// The plan's settings have the last word.
fn with(program: Program, settings: &Settings) -> Program {
    settings
        .iter()
        .fold(program, |program, (name, value)| program.env(name, value))
}

/// Kills the processes whose command line names this directory, which is nobody else's.
pub(super) fn end_processes_of(directory: &Path) {
    let directory = directory.display().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&arguments).contains(&directory) {
            // One that has just ended by itself is as good.
            _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}
