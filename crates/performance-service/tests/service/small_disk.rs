//! A service on a file system that a test can fill and lock.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use test_support::performance_service::PerformanceService;
use test_support::process::Program;
use test_support::{http, wait};

use crate::test_service::{RUN_DEADLINE, end_processes_of};

/// A service whose state lies on a small disk of its own, in a mount namespace.
pub(crate) struct OnSmallDisk {
    pub(crate) service: PerformanceService,
    _script: tempfile::TempDir,
}

impl OnSmallDisk {
    /// A service on a file system of its own, made with these options of `tmpfs`. The directory of
    /// runs is mounted by itself, so that it can become read-only by itself.
    pub(crate) async fn start(options: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let script = directory.path().join("performance-service");
        let binary = env!("CARGO_BIN_EXE_performance-service");
        let text = format!(
            "#!/bin/sh\nexec unshare --user --map-root-user --mount sh -c \
             'mount -t tmpfs -o {options} tmpfs \"$PERFORMANCE_STATE_DIR\" && \
             runs=\"$PERFORMANCE_STATE_DIR/runs\" && mkdir -m 700 \"$runs\" && \
             mount --bind \"$runs\" \"$runs\" && exec {binary} \"$@\"' sh \"$@\"\n"
        );
        std::fs::write(&script, text)?;
        std::fs::set_permissions(&script, Permissions::from_mode(0o700))?;
        let service = PerformanceService::launch(script, &[]).await?;
        service.ready().await.context(
            "a small disk needs unshare and user namespaces: run the tests where they are allowed",
        )?;
        Ok(Self {
            service,
            _script: directory,
        })
    }

    /// The state directory as the service sees it.
    pub(crate) fn state(&self) -> anyhow::Result<PathBuf> {
        let pid = self.service.process.pid().context("a process")?;
        let state = self.service.state.path().strip_prefix("/")?;
        Ok(PathBuf::from(format!("/proc/{pid}/root")).join(state))
    }

    pub(crate) async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(u16, Value)> {
        let url = format!("{}/api/v1/performancetest/{path}", self.service.base_url);
        let request = http::client()?.request(method, url).json(body);
        let reply = request.send().await?;
        let status = reply.status().as_u16();
        Ok((status, reply.json().await?))
    }

    pub(crate) async fn ended(&self, id: &str) -> anyhow::Result<Value> {
        wait::until("the run is over", RUN_DEADLINE, async || {
            let (_, run) = self.ask(reqwest::Method::GET, id, &json!(null)).await?;
            ensure!(run["completedAt"].is_string(), "{run}");
            Ok(run)
        })
        .await
    }
}

impl OnSmallDisk {
    /// Lets the directory of runs take files, or none.
    pub(crate) async fn remount_runs(&self, access: &str) -> anyhow::Result<()> {
        let options = format!("remount,bind,{access}");
        self.inside(&["mount", "-o", &options], false).await
    }

    /// Lets the directory of runs take no new file, whatever is open in it: a mount with open files
    /// cannot become read-only, so that another one is put on top.
    pub(crate) async fn cover_runs(&self) -> anyhow::Result<()> {
        self.inside(&["mount", "-o", "bind,ro"], true).await
    }

    /// Takes the cover away, also while somebody is below it.
    pub(crate) async fn uncover_runs(&self) -> anyhow::Result<()> {
        self.inside(&["umount", "--lazy"], false).await
    }

    /// Has a command work on the directory of runs as the service sees it, which is named last;
    /// twice where it is its own source.
    async fn inside(&self, command: &[&str], twice: bool) -> anyhow::Result<()> {
        let pid = self.service.process.pid().context("a process")?;
        let runs = self.service.state.path().join("runs");
        let runs = std::iter::repeat_n(&runs, if twice { 2 } else { 1 });
        let done = Program::new("nsenter", "nsenter")?
            .args(["--target", &pid.to_string(), "--user", "--mount"])
            .args(command)
            .args(runs)
            .start()?;
        let status = done.wait(RUN_DEADLINE).await?;
        ensure!(status.success(), "{status}: {}", done.log());
        Ok(())
    }

    /// Whether the service lives.
    pub(crate) async fn lives(&self) -> anyhow::Result<bool> {
        let live = format!("{}/health/live", self.service.base_url);
        Ok(http::client()?.get(live).send().await?.status() == 200)
    }
}

impl Drop for OnSmallDisk {
    fn drop(&mut self) {
        self.service.process.kill();
        end_processes_of(self.service.state.path());
    }
}
