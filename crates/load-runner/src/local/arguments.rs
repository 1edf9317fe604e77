//! k6's command line, as a list: no shell reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::plan::RunPlan;

/// What the command lines of one run have in common.
#[derive(Debug)]
pub(super) struct Arguments {
    entry: PathBuf,
    /// `NAME=value`, each for a `-e`.
    variables: Vec<String>,
    blocked: Vec<String>,
}

impl Arguments {
    pub(super) fn new(plan: &RunPlan, entry: PathBuf, blocked: Vec<String>) -> Self {
        let base_url = plan.target.base_url();
        let variables = plan
            .environment
            .iter()
            .filter(|(name, _)| *name != "BASE_URL")
            .chain([("BASE_URL", base_url)])
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Self {
            entry,
            variables,
            blocked,
        }
    }

    /// `k6 inspect`: what the run will take.
    pub(super) fn inspect(&self) -> Vec<OsString> {
        let mut list = owned([
            "inspect",
            "--execution-requirements",
            "--log-format",
            "json",
        ]);
        self.append_shared(&mut list);
        list
    }

    /// `k6 run`, waiting for its start on the REST interface at `port`.
    pub(super) fn run(&self, port: u16) -> Vec<OsString> {
        let mut list = owned([
            "run",
            "-q",
            "--no-color",
            "--log-format",
            "json",
            "--paused",
        ]);
        list.extend(owned(["--address".to_owned(), format!("127.0.0.1:{port}")]));
        list.extend(owned(["--out", "json=samples.ndjson"]));
        // A script that needs them asks for them at the request.
        list.extend(owned(["--max-redirects", "0"]));
        for range in &self.blocked {
            list.extend(owned(["--blacklist-ip", range]));
        }
        self.append_shared(&mut list);
        list
    }

    fn append_shared(&self, list: &mut Vec<OsString>) {
        list.extend(owned(["--include-system-env-vars=false"]));
        for variable in &self.variables {
            list.extend(owned(["-e", variable]));
        }
        list.push(self.entry.clone().into());
    }
}

fn owned<T: Into<OsString>, const N: usize>(parts: [T; N]) -> Vec<OsString> {
    parts.into_iter().map(Into::into).collect()
}
