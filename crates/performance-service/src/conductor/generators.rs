//! What carries out runs, and whether it is there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use load_runner::binary::MajorVersion;
use load_runner::choice::Runners;
use load_runner::container::ContainerRunner;
use load_runner::local::LocalProcess;
use load_runner::options::RunnerKind;
use load_runner::plan::RunPlan;
use load_runner::runner::{LoadRunner, StartError};
use reqwest::Client;
use service_defaults::problem::Problem;

use crate::k6::InstalledK6;
use crate::runner_settings::RunnerSettings;

/// When a missing k6 or engine is worth another look: building k6 takes a minute or two.
const INSTALL_RETRY: Duration = Duration::from_secs(60);

/// What carries out runs.
pub(crate) struct Generators {
    /// k6 v2.
    pub(super) k6: Arc<InstalledK6>,
    /// k6 v1.
    pub(super) k6_v1: Arc<InstalledK6>,
    /// Where containers are made; absent when nowhere.
    pub(super) containers: Option<ContainerRunner>,
    /// What a run gets that asks for nothing else.
    pub(super) usual: RunnerKind,
    /// Starts any of them.
    pub(super) runner: Arc<dyn LoadRunner>,
}

impl Generators {
    /// What the settings name. The client talks to k6 on loopback.
    pub(crate) fn new(
        k6: PathBuf,
        k6_v1: PathBuf,
        settings: RunnerSettings,
        client: &Client,
    ) -> Self {
        let RunnerSettings {
            usual,
            limits,
            containers,
            program,
        } = settings;
        let binaries = [
            (MajorVersion::V2, k6.clone()),
            (MajorVersion::V1, k6_v1.clone()),
        ];
        let container = |config| ContainerRunner::new(config, client.clone(), program.clone());
        let containers = containers.map(container);
        Self {
            k6: Arc::new(InstalledK6::new(k6, MajorVersion::V2)),
            k6_v1: Arc::new(InstalledK6::new(k6_v1, MajorVersion::V1)),
            runner: Arc::new(Runners {
                local: LocalProcess::new(binaries, client.clone(), program).with_limits(limits),
                container: containers.clone(),
                usual,
            }),
            containers,
            usual,
        }
    }

    /// Finds what a run needs.
    ///
    /// # Errors
    /// 400 for a container where none is made, 503 when k6 or the engine is missing.
    pub(super) async fn check(&self, plan: &RunPlan) -> Result<(), Problem> {
        let kind = plan.options.runner().unwrap_or(self.usual);
        if kind == RunnerKind::Container && self.containers.is_none() {
            let reason = "this service runs no containers: PERFORMANCE_CONTAINER_SOCKET is not set";
            return Err(Problem::invalid_field("options.runner", reason));
        }
        let found = self.find(kind, plan.version).await;
        found.map_err(|reason| Problem::unavailable(reason, INSTALL_RETRY))
    }

    /// Finds what a run needs that asks for nothing else.
    ///
    /// # Errors
    /// What is missing, as a sentence.
    pub(super) async fn check_usual(&self) -> Result<(), String> {
        self.find(self.usual, MajorVersion::V2).await
    }

    async fn find(&self, kind: RunnerKind, version: MajorVersion) -> Result<(), String> {
        if kind == RunnerKind::Process {
            let k6 = match version {
                MajorVersion::V1 => &self.k6_v1,
                MajorVersion::V2 => &self.k6,
            };
            return k6.check().await.map_err(|error| error.to_string());
        }
        let containers = self.containers.as_ref();
        let containers = containers.ok_or_else(|| StartError::NoContainers.to_string())?;
        let found = containers.check(version).await;
        found.map_err(|error| error.to_string())
    }
}
