//! k6 as a child process of this one.

mod arguments;
mod launch;
mod supervisor;

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;

use self::arguments::Arguments;
use self::launch::Launched;
use self::supervisor::Supervisor;
use crate::binary::{BinaryError, K6Binary, MajorVersion};
use crate::entry;
use crate::inspect::{self, InspectError};
use crate::options::{MAX_DURATION, MAX_VIRTUAL_USERS};
use crate::plan::RunPlan;
use crate::process;
use crate::runner::{LoadRunner, Requirements, RunArtifacts, RunHandle, StartError};

/// Reading a script takes 0.03 s, a large one with data files some seconds.
const INSPECT_DEADLINE: Duration = Duration::from_secs(30);

/// Iterations get time to end after the load, 30 s if the script does not say otherwise; a
/// script may run this much longer than [`MAX_DURATION`].
const GRACE: Duration = Duration::from_mins(5);

/// Starts k6 on this machine, one process a run.
#[derive(Debug, Clone)]
pub struct LocalProcess {
    binaries: HashMap<MajorVersion, PathBuf>,
    client: Client,
}

impl LocalProcess {
    /// A runner with the k6 files that are set; a missing one is told at the start of a run.
    /// The client talks to k6's REST interface on loopback: no proxy, no redirects.
    #[must_use]
    pub fn new(
        binaries: impl IntoIterator<Item = (MajorVersion, PathBuf)>,
        client: Client,
    ) -> Self {
        Self {
            binaries: binaries.into_iter().collect(),
            client,
        }
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
}

#[async_trait]
impl LoadRunner for LocalProcess {
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError> {
        let binary = self.binary(plan.version).await?;
        let blocked = plan.target.everything_else().await?;
        create_private(&plan.directory)?;
        // k6 gets full paths: its own directory is not ours.
        let directory = plan.directory.canonicalize()?;
        let artifacts = RunArtifacts::within(&directory);
        let entry = entry::write(&directory, &plan.script, &plan.options)?;
        let arguments = Arguments::new(&plan, entry, blocked);

        let requirements = inspect(&binary, &arguments, &directory).await?;
        check_size(&requirements)?;
        let Launched { child, process } =
            launch::launch(&binary, &arguments, &artifacts, &self.client).await?;
        let supervisor = Supervisor::new(child, process, artifacts.clone());
        let deadline = supervisor::deadline(requirements.total_duration);
        let (end, stop) = supervisor.watch(deadline);
        tracing::info!(
            process.pid = process.pid,
            k6.version = binary.version,
            "k6 runs"
        );
        Ok(RunHandle {
            artifacts,
            requirements,
            process,
            end,
            stop,
        })
    }
}

/// Makes the directory of a run: for its owner only, and new.
fn create_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(directory)
}

async fn inspect(
    binary: &K6Binary,
    arguments: &Arguments,
    directory: &Path,
) -> Result<Requirements, InspectError> {
    let mut command = process::command(&binary.path, directory);
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
fn check_size(requirements: &Requirements) -> Result<(), StartError> {
    let users = requirements.max_virtual_users;
    if users > MAX_VIRTUAL_USERS {
        let asked = format!("{users} virtual users, allowed are {MAX_VIRTUAL_USERS}");
        return Err(StartError::TooLarge(asked));
    }
    let total = requirements.total_duration;
    if total > MAX_DURATION + GRACE {
        let asked = format!(
            "{} s of load, allowed are {} s",
            total.as_secs(),
            MAX_DURATION.as_secs()
        );
        return Err(StartError::TooLarge(asked));
    }
    Ok(())
}
