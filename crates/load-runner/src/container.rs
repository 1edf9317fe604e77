//! k6 in containers of an engine on this machine, under the same supervisor as local processes.
//!
//! A container has the image's files read-only, no capability, bounds on memory, processors and
//! processes, and of this machine's files those that a local k6 may touch, at the same paths. It
//! has the machine's network: k6 is let loose over its REST interface on loopback, and its own
//! block list keeps it to its target.

mod description;
mod image;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use tokio::sync::Mutex;
use tokio::time::timeout;

pub use self::description::ContainerLimits;
pub(crate) use self::description::{Containers, Description, Network};
pub use self::image::{PinnedImage, UnpinnedImage};
use crate::binary::{self, MajorVersion};
use crate::engine::{Container, Engine, EngineError};
use crate::exit::K6Exit;
use crate::inspect::{self, InspectError};
use crate::plan::RunPlan;
use crate::process::{MAX_OUTPUT, Output, ProcessIdentity};
use crate::runner::{AdoptError, LoadRunner, Requirements, RunHandle, StartError};
use crate::sandbox::Limits;
use crate::supervised::{self, INSPECT_DEADLINE, Prepared, Start};

const GAP: &str = "a container shares this machine's network: scripts can connect to every port of \
                   their target's addresses";

/// `k6 version` and the container around it.
const VERSION_DEADLINE: Duration = Duration::from_secs(60);

/// Where containers run and what they are made of.
#[derive(Debug, Clone)]
pub struct ContainerConfig {
    /// The engine's Unix socket.
    pub socket: PathBuf,
    /// The images with k6.
    pub images: HashMap<MajorVersion, PinnedImage>,
    /// What each container may use.
    pub limits: ContainerLimits,
}

/// Starts k6 in containers, under a supervisor that outlives this process.
#[derive(Debug, Clone)]
pub struct ContainerRunner {
    config: ContainerConfig,
    client: Client,
    program: PathBuf,
    limits: Limits,
    /// The k6 of images that were asked. An image that is pinned does not change.
    versions: Arc<Mutex<HashMap<MajorVersion, String>>>,
}

impl ContainerRunner {
    /// A runner; an engine or image that is missing is told at the start of a run. Client and
    /// `program` are those of [`LocalProcess::new`](crate::local::LocalProcess::new).
    #[must_use]
    pub fn new(config: ContainerConfig, client: Client, program: PathBuf) -> Self {
        Self {
            config,
            client,
            program,
            limits: Limits::default(),
            versions: Arc::default(),
        }
    }

    /// The same with other bounds.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the engine answers and an image is set for this k6.
    ///
    /// # Errors
    /// [`StartError`] says what is missing.
    pub async fn check(&self, version: MajorVersion) -> Result<(), StartError> {
        self.containers(version)?.engine().ping().await?;
        Ok(())
    }

    /// Removes the containers that services left behind whose runs are in this directory: those
    /// whose supervisor is gone. Gives how many.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn sweep(&self, runs: &Path) -> Result<usize, EngineError> {
        description::sweep(&Engine::at(self.config.socket.clone()), runs).await
    }

    fn containers(&self, version: MajorVersion) -> Result<Containers, StartError> {
        let image = self.config.images.get(&version);
        let image = image.ok_or_else(|| StartError::Image {
            image: version.to_string(),
            reason: "no image is set for this k6".to_owned(),
        })?;
        Ok(Containers {
            socket: self.config.socket.clone(),
            image: image.to_string(),
            limits: self.config.limits,
        })
    }

    /// The version of an image's k6, which must be of this line.
    async fn version(
        &self,
        version: MajorVersion,
        containers: &Containers,
        run: &Path,
    ) -> Result<String, StartError> {
        let mut versions = self.versions.lock().await;
        if let Some(known) = versions.get(&version) {
            return Ok(known.clone());
        }
        let description = Description {
            containers,
            run,
            sandbox: None,
            arguments: &["version".to_owned()],
            network: Network::None,
            trace: None,
        };
        let output = run_to_end(&description, VERSION_DEADLINE).await?;
        let output = output.ok_or(StartError::NotReady(VERSION_DEADLINE))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let found = binary::version_of(&said).unwrap_or_default();
        if output.exit != K6Exit::Code(0) || MajorVersion::of(found) != Some(version) {
            let said = said.trim();
            return Err(StartError::Image {
                image: containers.image.clone(),
                reason: format!("wanted is k6 {version}, `k6 version` says {said:?}"),
            });
        }
        versions.insert(version, found.to_owned());
        Ok(found.to_owned())
    }

    /// Everything that comes before the load: k6's version, the files of the run, and k6's word on
    /// its plan.
    async fn prepare(
        &self,
        plan: &RunPlan,
        containers: &Containers,
    ) -> Result<(String, Prepared, Requirements), StartError> {
        supervised::check_origin(plan, Some(GAP))?;
        let version = self.version(plan.version, containers, &plan.directory);
        let version = version.await?;
        // The program is the image's.
        let prepared = Prepared::new(plan, PathBuf::new(), self.limits).await?;
        let description = Description {
            containers,
            run: &prepared.artifacts.directory,
            sandbox: Some(&prepared.sandbox),
            arguments: &prepared.arguments.inspect(),
            network: Network::None,
            trace: None,
        };
        let inspected = run_to_end(&description, INSPECT_DEADLINE).await?;
        let inspected = inspected.ok_or(InspectError::TooSlow(INSPECT_DEADLINE))?;
        let requirements = inspect::read(&inspected)?;
        supervised::check_size(&requirements, plan.options.processes(), plan.bounds)?;
        Ok((version, prepared, requirements))
    }
}

#[async_trait]
impl LoadRunner for ContainerRunner {
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError> {
        let containers = self.containers(plan.version)?;
        let (version, prepared, requirements) = self.prepare(&plan, &containers).await?;
        let start = Start {
            program: &self.program,
            client: &self.client,
            version: &version,
            containers: Some(containers),
            gap: Some(GAP),
        };
        prepared.start(start, requirements).await
    }

    async fn inspect(&self, plan: &RunPlan) -> Result<Requirements, StartError> {
        let containers = self.containers(plan.version)?;
        Ok(self.prepare(plan, &containers).await?.2)
    }

    async fn adopt(
        &self,
        directory: &Path,
        process: ProcessIdentity,
    ) -> Result<RunHandle, AdoptError> {
        supervised::adopt(directory, process, Some(GAP))
    }
}

/// A container that is removed when nobody awaits it any more.
struct Removed(Container);

impl Drop for Removed {
    fn drop(&mut self) {
        let container = self.0.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // What is left all the same, the next start of the service finds by its labels.
            runtime.spawn(async move { drop(container.remove().await) });
        }
    }
}

/// Runs a container that ends soon; `None` when it does not.
async fn run_to_end(
    description: &Description<'_>,
    deadline: Duration,
) -> Result<Option<Output>, StartError> {
    let container = match description.create().await {
        Err(EngineError::Refused {
            status: 404,
            reason,
        }) => {
            return Err(StartError::Image {
                image: description.containers.image.clone(),
                reason: format!("{reason}; `docker pull` brings it"),
            });
        }
        container => Removed(container?),
    };
    let said = timeout(deadline, container.0.output(MAX_OUTPUT)).await;
    let Ok(said) = said else { return Ok(None) };
    let (exit, stdout, stderr) = said?;
    Ok(Some(Output {
        exit,
        stdout,
        stderr,
    }))
}
