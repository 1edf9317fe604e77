//! Our own binary, before a service of its own or none.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use test_support::performance_service::PerformanceService;
use test_support::process::{Process, Program};

/// Runs of a second or two, up to five of them, on a machine under load.
const DEADLINE: Duration = Duration::from_secs(120);

/// What one call of `perf` gave.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    /// Standard output and standard error.
    pub(crate) text: String,
}

impl Outcome {
    pub(crate) fn json(&self) -> Value {
        let document = serde_json::from_str(&self.text);
        assert!(document.is_ok(), "{}", self.text);
        document.unwrap()
    }

    /// The text of a call that ended with this code.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.text);
        self.text
    }
}

/// A service that is ready. Its binary stands beside ours; `make test` builds both.
pub(crate) async fn service() -> anyhow::Result<PerformanceService> {
    let binary = Path::new(env!("CARGO_BIN_EXE_perf")).with_file_name("performance-service");
    ensure!(
        binary.is_file(),
        "performance-service is not built; `cargo build -p performance-service` builds it"
    );
    let service = PerformanceService::launch(binary, &[]).await?;
    service.ready().await?;
    Ok(service)
}

/// `perf` with these arguments, which asks this address.
pub(crate) fn perf(base_url: &str, arguments: &[&str]) -> anyhow::Result<Program> {
    Ok(Program::new("perf", env!("CARGO_BIN_EXE_perf"))?
        .env("PERFORMANCE_URL", base_url)
        .args(arguments.iter().copied()))
}

/// Runs it to its end.
pub(crate) async fn call(
    service: &PerformanceService,
    arguments: &[&str],
) -> anyhow::Result<Outcome> {
    end(&perf(&service.base_url, arguments)?.start()?).await
}

/// Waits for the end of a call.
pub(crate) async fn end(process: &Process) -> anyhow::Result<Outcome> {
    let status = process.wait(DEADLINE).await?;
    Ok(Outcome {
        code: status.code().context("it was ended by a signal")?,
        text: process.log(),
    })
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
