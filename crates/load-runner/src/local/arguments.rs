//! k6's command line, as a list: no shell reads it.

use std::io;
use std::path::Path;

use crate::plan::RunPlan;

/// What the command lines of one run have in common.
#[derive(Debug)]
pub(super) struct Arguments {
    entry: String,
    /// `NAME=value`, each for a `-e`.
    variables: Vec<String>,
    blocked: Vec<String>,
}

impl Arguments {
    /// # Errors
    /// When the path of the entry is no text.
    pub(super) fn new(plan: &RunPlan, entry: &Path, blocked: Vec<String>) -> io::Result<Self> {
        let entry = entry.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
        let base_url = plan.target.base_url();
        let variables = plan
            .environment
            .iter()
            .filter(|(name, _)| *name != "BASE_URL")
            .chain([("BASE_URL", base_url)])
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Ok(Self {
            entry: entry.to_owned(),
            variables,
            blocked,
        })
    }

    /// `k6 inspect`: what the run will take.
    pub(super) fn inspect(&self) -> Vec<String> {
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
    pub(super) fn run(&self, port: u16) -> Vec<String> {
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

    fn append_shared(&self, list: &mut Vec<String>) {
        list.extend(owned(["--include-system-env-vars=false"]));
        for variable in &self.variables {
            list.extend(owned(["-e", variable]));
        }
        list.push(self.entry.clone());
    }
}

fn owned<T: Into<String>, const N: usize>(parts: [T; N]) -> Vec<String> {
    parts.into_iter().map(Into::into).collect()
}
