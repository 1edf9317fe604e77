//! What an engine is told of a container: its rights and bounds, and the labels by which it is
//! found again.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::{Container, Engine, EngineError};
use crate::process::{self, ProcessIdentity};
use crate::sandbox::Sandbox;
use crate::trace::TraceContext;

/// The directory that a service keeps its runs in: no service touches the containers of others.
const RUNS_LABEL: &str = "bookstore.runs";

/// The run, by the name of its directory.
const RUN_LABEL: &str = "bookstore.run";

/// Number and start of the process that watches over the container.
const WATCHER_LABEL: &str = "bookstore.watcher";

/// Files that an engine itself puts into a container with the machine's network.
const ENGINES_OWN: [&str; 2] = ["/etc/hosts", "/etc/resolv.conf"];

/// `nobody` on the usual systems, for a k6 that needs no file of ours.
const NOBODY: &str = "65534:65534";

/// What one container may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerLimits {
    /// Bytes. k6 with 1,000 users needs 300 MB, and 30 B more for each sample of a trend.
    pub memory: u64,
    /// Processors' worth of time.
    pub processors: u32,
    /// Processes and threads.
    pub processes: u32,
}

/// Where the containers of a run are, for its supervisor and for who finds it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Containers {
    pub(crate) socket: PathBuf,
    pub(crate) image: String,
    pub(crate) limits: ContainerLimits,
}

/// What a container can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    None,
    /// What the machine can.
    Host,
}

/// A container that is to be made.
pub(crate) struct Description<'a> {
    pub(crate) containers: &'a Containers,
    /// The run's directory.
    pub(crate) run: &'a Path,
    /// Its files; a k6 that reads no script needs none.
    pub(crate) sandbox: Option<&'a Sandbox>,
    pub(crate) arguments: &'a [String],
    pub(crate) network: Network,
    /// The trace of the run that it puts load on for.
    pub(crate) trace: Option<&'a TraceContext>,
}

impl Containers {
    pub(crate) fn engine(&self) -> Engine {
        Engine::at(self.socket.clone())
    }

    /// Removes every container of a run. Gives how many there were.
    pub(crate) async fn remove_all(&self, run: &Path) -> Result<usize, EngineError> {
        self.engine().remove_labelled(&labels_of(run)).await
    }
}

/// Removes the containers of runs in a directory whose watcher is gone.
pub(crate) async fn sweep(engine: &Engine, runs: &Path) -> Result<usize, EngineError> {
    let mut removed = 0;
    let labels = [format!("{RUNS_LABEL}={}", runs.display())];
    for container in engine.labelled(&labels).await? {
        let watcher = container.label(WATCHER_LABEL).and_then(watcher);
        if watcher.is_none_or(|watcher| !watcher.is_running()) {
            container.remove().await?;
            removed += 1;
        }
    }
    Ok(removed)
}

impl Description<'_> {
    pub(crate) async fn create(&self) -> Result<Container, EngineError> {
        let described = self.json();
        let described = described.map_err(|error| EngineError::Unreadable(error.to_string()))?;
        let directory = self.sandbox.map(|sandbox| sandbox.directory.as_path());
        let directory = directory.unwrap_or(Path::new(""));
        Container::create(&self.containers.engine(), &described, directory).await
    }

    fn json(&self) -> io::Result<Value> {
        let directory = self.sandbox.map_or(Path::new("/"), |it| &it.directory);
        let mut described = json!({
            "Image": self.containers.image,
            "Cmd": self.arguments,
            "WorkingDir": directory,
            "User": self.user()?,
            "Env": self.environment(directory),
            "Labels": self.labels(),
            "AttachStdout": true,
            "AttachStderr": true,
            "HostConfig": self.host_config(),
        });
        if let Some(sandbox) = self.sandbox {
            described["HostConfig"]["Mounts"] = mounts(sandbox);
            described["HostConfig"]["Ulimits"] = ulimits(sandbox)?;
        }
        Ok(described)
    }

    fn environment(&self, directory: &Path) -> Vec<String> {
        let own = process::variables(directory);
        let own = own.map(|(name, value)| format!("{name}={}", value.display()));
        let trace = self.trace.into_iter().flat_map(TraceContext::variables);
        let trace = trace.map(|(name, value)| format!("{name}={value}"));
        own.into_iter().chain(trace).collect()
    }

    fn host_config(&self) -> Value {
        let limits = self.containers.limits;
        let network = match self.network {
            Network::None => "none",
            Network::Host => "host",
        };
        json!({
            "NetworkMode": network,
            "IpcMode": "none",
            "ReadonlyRootfs": true,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Memory": limits.memory,
            // No swap on top.
            "MemorySwap": limits.memory,
            "NanoCpus": u64::from(limits.processors) * 1_000_000_000,
            "PidsLimit": limits.processes,
            // Its supervisor keeps what it says, within its bound.
            "LogConfig": {"Type": "none"},
            "RestartPolicy": {"Name": "no"},
        })
    }

    /// Who made the run's directory, which is for its owner only.
    fn user(&self) -> io::Result<String> {
        let Some(sandbox) = self.sandbox else {
            return Ok(NOBODY.to_owned());
        };
        let owner = std::fs::metadata(&sandbox.directory)?;
        Ok(format!("{}:{}", owner.uid(), owner.gid()))
    }

    fn labels(&self) -> Value {
        let labels = labels_of(self.run);
        let own = ProcessIdentity::of(std::process::id());
        let own = own.map(|own| format!("{WATCHER_LABEL}={}/{}", own.pid, own.start_ticks));
        let pairs = labels.into_iter().chain(own);
        pairs
            .filter_map(|label| {
                let (name, value) = label.split_once('=')?;
                Some((name.to_owned(), Value::from(value)))
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// `name=value` of the labels that all containers of a run have.
fn labels_of(run: &Path) -> Vec<String> {
    let parent = run.parent().unwrap_or(run).display();
    let name = run.file_name().unwrap_or_default().display();
    vec![
        format!("{RUNS_LABEL}={parent}"),
        format!("{RUN_LABEL}={name}"),
    ]
}

fn watcher(label: &str) -> Option<ProcessIdentity> {
    let (pid, start_ticks) = label.split_once('/')?;
    Some(ProcessIdentity {
        pid: pid.parse().ok()?,
        start_ticks: start_ticks.parse().ok()?,
    })
}

/// The same files at the same paths as outside, all but its own directory read-only.
fn mounts(sandbox: &Sandbox) -> Value {
    let bind = |path: &Path, read_only: bool| json!({"Type": "bind", "Source": path, "Target": path, "ReadOnly": read_only});
    let engines_own = |path: &Path| ENGINES_OWN.iter().any(|own| path == Path::new(own));
    let readable = sandbox.readable.iter();
    let readable = readable.filter(|path| path.exists() && !engines_own(path));
    readable
        .map(|path| bind(path, true))
        .chain([bind(&sandbox.directory, false)])
        .collect()
}

fn ulimits(sandbox: &Sandbox) -> io::Result<Value> {
    let bounds = sandbox.limits.allowed()?;
    Ok(bounds
        .into_iter()
        .map(|(name, _, most)| json!({"Name": name, "Soft": most, "Hard": most}))
        .collect())
}
