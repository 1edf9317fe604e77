//! k6 as processes of this machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use reqwest::Client;

use crate::binary::{BinaryError, K6Binary, MajorVersion};
use crate::inspect::{self, InspectError};
use crate::plan::RunPlan;
use crate::process::{self, ProcessIdentity};
use crate::runner::{AdoptError, LoadRunner, Requirements, RunHandle, StartError};
use crate::sandbox::{Confinement, Limits, Sandbox};
use crate::supervised::{self, Arguments, INSPECT_DEADLINE, Prepared, Start};

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

    /// Everything that comes before the load: k6's version, the files of the run, and k6's word on
    /// its plan.
    async fn prepare(
        &self,
        plan: &RunPlan,
    ) -> Result<(String, Prepared, Requirements), StartError> {
        supervised::check_origin(plan, self.confinement.gap())?;
        let binary = self.binary(plan.version).await?;
        let prepared = Prepared::new(plan, binary.path, self.limits).await?;
        let requirements = inspect(&self.program, &prepared.sandbox, &prepared.arguments).await?;
        supervised::check_size(&requirements, plan.options.processes(), plan.bounds)?;
        Ok((binary.version, prepared, requirements))
    }
}

#[async_trait]
impl LoadRunner for LocalProcess {
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError> {
        let (version, prepared, requirements) = self.prepare(&plan).await?;
        let prepared = prepared.connecting([plan.target.port()].into_iter().chain(plan.relay));
        let start = Start {
            program: &self.program,
            client: &self.client,
            version: &version,
            containers: None,
            gap: self.confinement.gap(),
        };
        prepared.start(start, requirements).await
    }

    async fn inspect(&self, plan: &RunPlan) -> Result<Requirements, StartError> {
        Ok(self.prepare(plan).await?.2)
    }

    async fn adopt(
        &self,
        directory: &Path,
        process: ProcessIdentity,
    ) -> Result<RunHandle, AdoptError> {
        supervised::adopt(directory, process, self.confinement.gap())
    }
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
