//! The performance service's own binary with a target, a state directory and a port of its own.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use tempfile::TempDir;

use crate::load_target::LoadTarget;
use crate::process::{Process, Program};
use crate::{http, port, tools};

/// A debug binary on a machine under load starts in a second or two.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// Scripts that are made for tests, with limits beside them.
const SCRIPTS: &str = "crates/performance-service/tests/service/k6";

/// A service that listens on a free loopback port, with real k6.
#[derive(Debug)]
pub struct PerformanceService {
    /// Its process.
    pub process: Process,
    /// What it may put under load.
    pub target: LoadTarget,
    /// Its state directory.
    pub state: TempDir,
    /// Where it listens.
    pub base_url: String,
}

impl PerformanceService {
    /// Starts the binary with further settings; it need not become ready.
    ///
    /// # Errors
    /// The binary or k6 is missing, or no port is free.
    pub async fn launch(
        binary: impl Into<PathBuf>,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let target = LoadTarget::start().await?;
        let state = tempfile::tempdir()?;
        let address = format!("127.0.0.1:{}", port::free()?);
        let mut program = Program::new("performance-service", binary)?
            .env("PERFORMANCE_HTTP_ADDR", &address)
            .env("PERFORMANCE_STATE_DIR", state.path())
            .env("PERFORMANCE_SCRIPTS_DIR", tools::workspace().join(SCRIPTS))
            .env("PERFORMANCE_TARGETS", format!("local={}", target.base_url))
            .env("PERFORMANCE_K6", tools::k6()?)
            .env("PERFORMANCE_K6_V1", tools::k6_v1()?)
            .env("RUST_BACKTRACE", "0");
        for (name, value) in settings {
            program = program.env(*name, *value);
        }
        Ok(Self {
            process: program.start()?,
            target,
            state,
            base_url: format!("http://{address}"),
        })
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It ended, or is not ready in time.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let client = http::client()?;
        let address = format!("{}/health/ready", self.base_url);
        self.process
            .ready(START_DEADLINE, async || {
                let status = client.get(&address).send().await?.status();
                ensure!(status.as_u16() == 200, "{status}");
                Ok(())
            })
            .await
    }
}
