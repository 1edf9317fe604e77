//! k6 as a child process of this one.

mod arguments;
mod follow;
mod launch;

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;

use self::arguments::Arguments;
use self::follow::Supervised;
use self::launch::Launch;
use crate::binary::{BinaryError, K6Binary, MajorVersion};
use crate::entry;
use crate::inspect::{self, InspectError};
use crate::plan::{Bounds, RunPlan};
use crate::process::{self, ProcessIdentity};
use crate::runner::{AdoptError, LoadRunner, Requirements, RunArtifacts, RunHandle, StartError};
use crate::sandbox::{Confinement, Limits, Sandbox};
use crate::script::Origin;
use crate::supervisor::Order;

/// Reading a script takes 0.03 s, a large one with data files some seconds.
const INSPECT_DEADLINE: Duration = Duration::from_secs(30);

/// Iterations get time to end after the load, 30 s if the script does not say otherwise; a
/// script may run this much longer than [`MAX_DURATION`].
const GRACE: Duration = Duration::from_mins(5);

/// Setup and teardown may take k6's own 60 s each.
const SETUP_AND_TEARDOWN: Duration = Duration::from_secs(120);

/// For everything that the plan does not tell: last flush, summary.
const MARGIN: Duration = Duration::from_secs(60);

/// Starts k6 on this machine, under a supervisor that outlives this process.
#[derive(Debug, Clone)]
pub struct LocalProcess {
    binaries: HashMap<MajorVersion, PathBuf>,
    client: Client,
    program: PathBuf,
    confinement: Confinement,
    limits: Limits,
}

impl LocalProcess {
    /// A runner with the k6 files that are set; a missing one is told at the start of a run.
    /// The client talks to k6's REST interface on loopback: no proxy, no redirects. `program`
    /// is one that calls [`subcommand::run`](crate::subcommand::run) first.
    #[must_use]
    pub fn new(
        binaries: impl IntoIterator<Item = (MajorVersion, PathBuf)>,
        client: Client,
        program: PathBuf,
    ) -> Self {
        Self {
            binaries: binaries.into_iter().collect(),
            client,
            program,
            confinement: Confinement::of_this_kernel(),
            limits: Limits::default(),
        }
    }

    /// The same with other bounds.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, as if the kernel held no more than this.
    #[must_use]
    pub const fn with_confinement(mut self, confinement: Confinement) -> Self {
        self.confinement = confinement;
        self
    }

    /// Finds the k6 of a line, and that it works.
    ///
    /// # Errors
    /// [`BinaryError`] names the command that installs it.
    pub async fn binary(&self, version: MajorVersion) -> Result<K6Binary, BinaryError> {
        let path = self
            .binaries
            .get(&version)
            .cloned()
            .ok_or(BinaryError::Missing(None))?;
        K6Binary::find(path, version).await
    }

    /// Everything that comes before the load: the files of the run, and k6's word on its plan.
    async fn prepare(&self, plan: &RunPlan) -> Result<Prepared, StartError> {
        if let (Origin::Upload, Some(gap)) = (plan.script.origin, self.confinement.gap()) {
            return Err(StartError::Unconfined(gap));
        }
        let binary = self.binary(plan.version).await?;
        let blocked = plan.target.everything_else(plan.relay.is_some()).await?;
        create_private(&plan.directory)?;
        // k6 gets full paths: its own directory is not ours.
        let directory = plan.directory.canonicalize()?;
        let processes = plan.options.processes();
        let artifacts = RunArtifacts::within(&directory, processes as usize);
        for files in &artifacts.processes {
            create_private(&files.directory)?;
        }
        let entry = entry::write(&directory, &plan.script, &plan.options)?;
        let arguments = Arguments::new(plan, &entry, blocked)?;
        let sandbox = self.sandbox(plan, binary.path, &artifacts);
        let requirements = inspect(&self.program, &sandbox, &arguments).await?;
        check_size(&requirements, processes, plan.bounds)?;
        Ok(Prepared {
            version: binary.version,
            arguments,
            artifacts,
            sandbox,
            requirements,
        })
    }

    /// The sandbox of a run's first k6, as yet without the network.
    fn sandbox(&self, plan: &RunPlan, k6: PathBuf, artifacts: &RunArtifacts) -> Sandbox {
        let mut readable = plan.target.files();
        readable.extend(entry::FILES.map(|file| artifacts.directory.join(file)));
        readable.push(plan.script.directory.clone());
        Sandbox {
            program: k6,
            directory: artifacts.processes[0].directory.clone(),
            readable,
            connect: Vec::new(),
            bind: Vec::new(),
            limits: self.limits,
        }
    }
}

/// A plan that k6 takes, with its files.
struct Prepared {
    /// Of k6.
    version: String,
    arguments: Arguments,
    artifacts: RunArtifacts,
    /// As yet without the network.
    sandbox: Sandbox,
    requirements: Requirements,
}

#[async_trait]
impl LoadRunner for LocalProcess {
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError> {
        let Prepared {
            version,
            arguments,
            artifacts,
            sandbox,
            requirements,
        } = self.prepare(&plan).await?;
        let launch = Launch {
            program: &self.program,
            sandbox: Sandbox {
                connect: [plan.target.port()].into_iter().chain(plan.relay).collect(),
                ..sandbox
            },
            arguments: &arguments,
            artifacts: &artifacts,
            order: Order::new(&requirements, deadline(&requirements), self.limits.disk),
        };
        let supervised = launch.launch(&self.client).await?;
        let pid = supervised.process.pid;
        tracing::info!(process.pid = pid, k6.version = version, "k6 runs");
        let gap = self.confinement.gap();
        Ok(handle(supervised, artifacts, requirements, gap))
    }

    async fn inspect(&self, plan: &RunPlan) -> Result<Requirements, StartError> {
        Ok(self.prepare(plan).await?.requirements)
    }

    async fn adopt(
        &self,
        directory: &Path,
        process: ProcessIdentity,
    ) -> Result<RunHandle, AdoptError> {
        let directory = directory.canonicalize()?;
        let order = Order::read(&directory)?;
        let requirements = order.requirements()?;
        let artifacts = RunArtifacts::within(&directory, order.generators.len());
        let supervised = Supervised {
            process,
            child: None,
            directory,
        };
        Ok(handle(
            supervised,
            artifacts,
            requirements,
            self.confinement.gap(),
        ))
    }
}

/// Follows a run from now on.
fn handle(
    supervised: Supervised,
    artifacts: RunArtifacts,
    requirements: Requirements,
    gap: Option<&'static str>,
) -> RunHandle {
    let process = supervised.process;
    let (end, stop) = supervised.follow();
    RunHandle {
        artifacts,
        requirements,
        gap,
        process,
        end,
        stop,
    }
}

/// The longest that a run may take: beyond what k6 computed there are its start, setup,
/// teardown and a margin.
fn deadline(requirements: &Requirements) -> Duration {
    launch::READY_DEADLINE + requirements.total_duration + SETUP_AND_TEARDOWN + MARGIN
}

/// Makes the directory of a run: for its owner only, and new.
fn create_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(directory)
}

/// `k6 inspect` in a sandbox without the network.
async fn inspect(
    program: &Path,
    sandbox: &Sandbox,
    arguments: &Arguments,
) -> Result<Requirements, InspectError> {
    let mut command = process::confined(program, sandbox)?;
    command.args(arguments.inspect());
    match process::run_to_end(command, INSPECT_DEADLINE).await {
        Ok(output) => inspect::read(&output),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            Err(InspectError::TooSlow(INSPECT_DEADLINE))
        }
        Err(error) => Err(error.into()),
    }
}

/// The script's own load is held against the bounds of requested options, too.
fn check_size(
    requirements: &Requirements,
    processes: u32,
    bounds: Bounds,
) -> Result<(), StartError> {
    let users = requirements.max_virtual_users;
    if users < processes {
        let asked = format!("{users} virtual users, too few for {processes} processes");
        return Err(StartError::TooLarge(asked));
    }
    if users > bounds.virtual_users {
        let asked = format!(
            "{users} virtual users, allowed are {}",
            bounds.virtual_users
        );
        return Err(StartError::TooLarge(asked));
    }
    let total = requirements.total_duration;
    if total > bounds.duration + GRACE {
        let asked = format!(
            "{} s of load, allowed are {} s",
            total.as_secs(),
            bounds.duration.as_secs()
        );
        return Err(StartError::TooLarge(asked));
    }
    let load = requirements.virtual_user_seconds();
    if bounds.virtual_user_seconds.is_some_and(|left| load > left) {
        let left = bounds.virtual_user_seconds.unwrap_or_default();
        let asked = format!("{load} seconds of virtual users, of which {left} are left today");
        return Err(StartError::TooLarge(asked));
    }
    Ok(())
}
