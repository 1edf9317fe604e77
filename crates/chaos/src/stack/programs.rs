//! Our own programs with the settings of an experiment.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use fault_proxy::FaultProxy;
use local_servers::process::{Process, Program};
use local_servers::{port, tools};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::clock;
use super::names::{self, Names};
use super::vendor::Vendor;
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

/// The API before its dependencies. A second vendor, who is asked where `LLM_FALLBACK` names it, is
/// the simulator itself, past every fault.
pub(super) fn api(
    places: &Places,
    addresses: &Addresses,
    (proxies, vendor): (&[(Dependency, FaultProxy)], &Vendor),
    settings: &Settings,
) -> anyhow::Result<Process> {
    let mut program = match vendor.names() {
        Some(names) => with_names(places, "bookstore-api", names)?,
        None => program(places, "bookstore-api")?,
    };
    let state = program.directory().join("state");
    program = program
        .env("BOOKSTORE_HTTP_ADDR", &addresses.api)
        .env("BOOKSTORE_STATE_DIR", state)
        .env("BOOKSTORE_SIMULATED_PROVIDERS", "claude,openai")
        .env("BOOKSTORE_LLM_HOSTS", names::VENDOR)
        .env("LLM_PROVIDER", "claude")
        .env("ANTHROPIC_API_KEY", "simulated")
        .env("ANTHROPIC_BASE_URL", vendor.url())
        .env("OPENAI_API_KEY", "simulated")
        .env(
            "OPENAI_BASE_URL",
            format!("http://{}/v1", addresses.simulator),
        );
    if let Some(authority) = vendor.authority() {
        program = program.env("SSL_CERT_FILE", authority);
    }
    for (dependency, proxy) in proxies {
        let (name, scheme) = match dependency {
            Dependency::Mongo => ("MONGODB_URI", "mongodb"),
            Dependency::Redis => ("REDIS_URL", "redis"),
            Dependency::Collector => ("OTEL_EXPORTER_OTLP_ENDPOINT", "http"),
            // The vendor is more than its proxy.
            Dependency::Provider => continue,
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
    let clock = program.directory().join(clock::FILE);
    let program = program
        .env("PERFORMANCE_CLOCK_FILE", clock)
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
fn on_disk(places: &Places, name: &str, mib: u32) -> anyhow::Result<Program> {
    let program = in_namespace(name, MOUNT)?.arg(mib.to_string());
    Ok(program.arg(binary(places, name)?))
}

/// Mounts files of names over the machine's, which only the program that follows sees.
const MOUNT_NAMES: &str = r#"mount --bind "$1" /etc/hosts &&
mount --bind "$2" /etc/nsswitch.conf && exec "$3""#;

/// A program that finds names in files of its own, in a mount namespace of its own.
fn with_names(places: &Places, name: &str, names: &Names) -> anyhow::Result<Program> {
    let program = in_namespace(name, MOUNT_NAMES)?;
    let program = program.arg(names.hosts()).arg(names.switch());
    Ok(program.arg(binary(places, name)?))
}

/// A script of a shell in a mount namespace of its own. Needs no root, but a kernel that lets users
/// make namespaces.
fn in_namespace(name: &str, script: &str) -> anyhow::Result<Program> {
    let unshare = tools::unshare()?;
    let arguments = [
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
    ];
    Ok(Program::new(name, unshare)?.args(arguments))
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
