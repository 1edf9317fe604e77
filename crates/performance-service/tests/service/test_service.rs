//! The service's own binary, and its calls.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use test_support::performance_service::PerformanceService;
use test_support::{http, wait};

/// Short runs take three seconds; the rest is for a machine under load.
pub(crate) const RUN_DEADLINE: Duration = Duration::from_secs(60);

const FAMILY: &str = "/api/v1/performancetest";

pub(crate) struct TestService {
    service: PerformanceService,
    pub(crate) client: Client,
}

impl Deref for TestService {
    type Target = PerformanceService;

    fn deref(&self) -> &PerformanceService {
        &self.service
    }
}

impl TestService {
    /// A service that is ready.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// A service with other settings.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let service = Self::launch(settings).await?;
        service.ready().await?;
        Ok(service)
    }

    /// A service that need not become ready.
    pub(crate) async fn launch(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let binary = env!("CARGO_BIN_EXE_performance-service");
        Ok(Self {
            service: PerformanceService::launch(binary, settings).await?,
            client: http::client()?,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.base_url);
        Ok(self.client.get(url).send().await?)
    }

    pub(crate) async fn get_json(&self, path: &str) -> anyhow::Result<Value> {
        let reply = self.get(path).await?;
        let status = reply.status();
        let body = reply.text().await?;
        ensure!(status == StatusCode::OK, "{path} answered {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    pub(crate) async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.get(path).await?.error_for_status()?.text().await?)
    }

    pub(crate) async fn get_text_of_any_status(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.get(path).await?.text().await?)
    }

    /// Posts without a body.
    pub(crate) async fn post(&self, path: &str) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.base_url);
        Ok(self.client.post(url).send().await?)
    }

    /// Asks for a run.
    pub(crate) async fn ask(&self, body: &Value) -> anyhow::Result<Response> {
        let url = format!("{}{FAMILY}/start", self.base_url);
        Ok(self.client.post(url).json(body).send().await?)
    }

    /// Asks what a run would take.
    pub(crate) async fn ask_forecast(&self, body: &Value) -> anyhow::Result<Response> {
        let url = format!("{}{FAMILY}/forecast", self.base_url);
        Ok(self.client.post(url).json(body).send().await?)
    }

    /// What a run would take.
    pub(crate) async fn forecast(&self, body: &Value) -> anyhow::Result<Value> {
        let reply = self.ask_forecast(body).await?;
        let status = reply.status();
        let body = reply.text().await?;
        ensure!(status == StatusCode::OK, "{status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// Starts a run and gives its id.
    pub(crate) async fn begin(&self, body: &Value) -> anyhow::Result<String> {
        let reply = self.ask(body).await?;
        let status = reply.status();
        let run: Value = reply.json().await?;
        ensure!(status == StatusCode::CREATED, "{status}: {run}");
        let id = run["testId"].as_str().context("an id")?;
        Ok(id.to_owned())
    }

    /// Starts a run of a minute and waits until load is on.
    pub(crate) async fn begin_long(&self) -> anyhow::Result<String> {
        let id = self.begin(&json!({"scenario": "Load"})).await?;
        self.wait_for(&id, "Running").await?;
        let before = self.target.requests();
        wait::until("load reaches the target", RUN_DEADLINE, async || {
            ensure!(self.target.requests() > before, "no request yet");
            Ok(())
        })
        .await?;
        Ok(id)
    }

    pub(crate) async fn run(&self, id: &str) -> anyhow::Result<Value> {
        self.get_json(&format!("{FAMILY}/{id}")).await
    }

    /// Waits until a run has a status.
    pub(crate) async fn wait_for(&self, id: &str, status: &str) -> anyhow::Result<Value> {
        wait::until(&format!("run is {status}"), RUN_DEADLINE, async || {
            let run = self.run(id).await?;
            ensure!(run["status"] == status, "{run}");
            Ok(run)
        })
        .await
    }

    /// Waits until a run is over.
    pub(crate) async fn wait_for_end(&self, id: &str) -> anyhow::Result<Value> {
        wait::until("the run is over", RUN_DEADLINE, async || {
            let run = self.run(id).await?;
            ensure!(run["completedAt"].is_string(), "{run}");
            Ok(run)
        })
        .await
    }

    /// The directory of a run.
    pub(crate) fn directory(&self, id: &str) -> PathBuf {
        self.state.path().join("runs").join(id)
    }
}

/// A run outlives its service, but not its test.
impl Drop for TestService {
    fn drop(&mut self) {
        self.process.kill();
        end_processes_of(self.state.path());
    }
}

/// Kills what [`processes_of`] finds: supervisors, and k6 with them.
pub(crate) fn end_processes_of(directory: &Path) {
    for pid in processes_of(directory) {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap());
        // One dies with the other.
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// The processes whose command line names this directory.
pub(crate) fn processes_of(directory: &Path) -> Vec<u32> {
    let directory = directory.display().to_string();
    let names_it = |pid: u32| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(&directory)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| names_it(*pid))
        .collect()
}
