//! Generated files in a directory of their own, and k6 over them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use script_generation::configuration::Configuration;
use script_generation::script::{self, Files};
use script_generation::{Draft, Invalid};
use serde_json::Value;
use tempfile::TempDir;
use test_support::process::Program;
use test_support::tools;

/// Runs of the tests take two seconds; the rest is for a machine under load.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct Script {
    pub(crate) files: Files,
    directory: TempDir,
}

impl Script {
    pub(crate) fn of(configuration: &Configuration, warnings: &[String]) -> anyhow::Result<Self> {
        let files =
            script::write(configuration, "script.json", warnings).map_err(|it| told(&it))?;
        let directory = tempfile::tempdir()?;
        std::fs::write(directory.path().join("script.js"), &files.script)?;
        std::fs::write(directory.path().join("script.json"), files.data.to_string())?;
        Ok(Self { files, directory })
    }

    pub(crate) fn of_draft(draft: &Draft) -> anyhow::Result<Self> {
        Self::of(&draft.configuration, &draft.warnings)
    }

    /// What both lines of k6 make of it; they agree.
    pub(crate) async fn inspect(&self) -> anyhow::Result<Value> {
        let mut seen = Vec::new();
        for k6 in [tools::k6()?, tools::k6_v1()?] {
            let arguments = ["inspect", "--execution-requirements"];
            let (code, log) = self.k6(k6, &arguments).await?;
            ensure!(
                code == Some(0),
                "k6 inspect: {code:?}\n{log}\n{}",
                self.files.script
            );
            let json: Value = serde_json::from_str(&log).with_context(|| log.clone())?;
            seen.push(json);
        }
        for member in ["scenarios", "thresholds", "maxVUs", "totalDuration"] {
            ensure!(seen[0][member] == seen[1][member], "{member}: {seen:?}");
        }
        Ok(seen.remove(0))
    }

    /// Runs it against a target; the log of a run in which every threshold held.
    pub(crate) async fn run(&self, k6: PathBuf, base_url: &str) -> anyhow::Result<String> {
        let base_url = format!("BASE_URL={base_url}");
        let arguments = [
            "run",
            "-q",
            "--no-color",
            "--address",
            "127.0.0.1:0",
            "-e",
            "TEST_ID=run-7",
        ];
        let arguments = [&arguments[..], &["-e", &base_url]].concat();
        let (code, log) = self.k6(k6, &arguments).await?;
        ensure!(
            code == Some(0),
            "k6 run: {code:?}\n{log}\n{}",
            self.files.script
        );
        Ok(log)
    }

    async fn k6(&self, k6: PathBuf, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
        let process = Program::new("k6", k6)?
            .args(arguments)
            .arg(self.directory.path().join("script.js"))
            .env("K6_NO_USAGE_REPORT", "true")
            .env("K6_AUTO_EXTENSION_RESOLUTION", "false")
            .start()?;
        let status = process.wait(DEADLINE).await?;
        Ok((status.code(), process.log()))
    }
}

/// What is refused, as one error.
pub(crate) fn told(refused: &[Invalid]) -> anyhow::Error {
    let lines: Vec<String> = refused.iter().map(ToString::to_string).collect();
    anyhow::anyhow!(lines.join("\n"))
}
