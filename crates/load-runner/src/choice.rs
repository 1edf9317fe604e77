//! The runner that a plan asks for, out of those that are set up.

use std::path::Path;

use async_trait::async_trait;

use crate::container::ContainerRunner;
use crate::local::LocalProcess;
use crate::options::RunnerKind;
use crate::plan::RunPlan;
use crate::process::ProcessIdentity;
use crate::runner::{AdoptError, LoadRunner, Requirements, RunHandle, StartError};

/// Every runner of a service.
#[derive(Debug, Clone)]
pub struct Runners {
    /// Processes of this machine.
    pub local: LocalProcess,
    /// Containers; absent when no engine is set.
    pub container: Option<ContainerRunner>,
    /// What a plan gets that asks for none.
    pub usual: RunnerKind,
}

impl Runners {
    fn runner_of(&self, plan: &RunPlan) -> Result<&dyn LoadRunner, StartError> {
        match plan.options.runner().unwrap_or(self.usual) {
            RunnerKind::Process => Ok(&self.local),
            RunnerKind::Container => {
                let container = self.container.as_ref().ok_or(StartError::NoContainers)?;
                Ok(container)
            }
        }
    }
}

#[async_trait]
impl LoadRunner for Runners {
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError> {
        self.runner_of(&plan)?.start(plan).await
    }

    async fn inspect(&self, plan: &RunPlan) -> Result<Requirements, StartError> {
        self.runner_of(plan)?.inspect(plan).await
    }

    async fn adopt(
        &self,
        directory: &Path,
        process: ProcessIdentity,
    ) -> Result<RunHandle, AdoptError> {
        // The run's own files say what it is.
        self.local.adopt(directory, process).await
    }
}
