//! k6's command line, as a list: no shell reads it.

use std::io;
use std::path::Path;

use crate::plan::RunPlan;
use crate::sample::SampleFormat;

/// What the command lines of one run have in common.
#[derive(Debug)]
pub(crate) struct Arguments {
    entry: String,
    /// `NAME=value`, each for a `-e`.
    variables: Vec<String>,
    blocked: Vec<String>,
}

/// One of the k6 that share a load, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) index: usize,
    pub(crate) count: usize,
}

impl Part {
    /// What makes a k6 one of several: its share of the load, and no judgement of its own. Setup
    /// is run through the REST interface of the first, which also has the teardown.
    fn arguments(self) -> Vec<String> {
        let Self { index, count } = self;
        if count == 1 {
            return Vec::new();
        }
        let bounds: Vec<_> = (0..=count).map(|bound| share(bound, count)).collect();
        let segment = format!("{}:{}", bounds[index], bounds[index + 1]);
        let mut list = owned(["--execution-segment", &segment]);
        list.extend(owned(["--execution-segment-sequence", &bounds.join(",")]));
        list.extend(owned(["--no-setup", "--no-thresholds"]));
        if index > 0 {
            list.extend(owned(["--no-teardown"]));
        }
        list
    }
}

/// `1/3` of a load as k6 writes it.
fn share(bound: usize, count: usize) -> String {
    match bound {
        0 => "0".to_owned(),
        all if all == count => "1".to_owned(),
        part => format!("{part}/{count}"),
    }
}

impl Arguments {
    /// # Errors
    /// When the path of the entry is no text.
    pub(crate) fn new(plan: &RunPlan, entry: &Path, blocked: Vec<String>) -> io::Result<Self> {
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
    pub(crate) fn inspect(&self) -> Vec<String> {
        let mut list = owned([
            "inspect",
            "--execution-requirements",
            "--log-format",
            "json",
        ]);
        self.append_shared(&mut list);
        list
    }

    /// `k6 run` of a part of the load, waiting for its start on the REST interface at `port`.
    pub(crate) fn run(&self, part: Part, port: u16, samples: SampleFormat) -> Vec<String> {
        let mut list = owned([
            "run",
            "-q",
            "--no-color",
            "--log-format",
            "json",
            "--paused",
        ]);
        list.extend(owned(["--address".to_owned(), format!("127.0.0.1:{port}")]));
        list.extend(owned(["--out", samples.output()]));
        // A script that needs them asks for them at the request.
        list.extend(owned(["--max-redirects", "0"]));
        list.extend(part.arguments());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_the_whole() {
        assert!(Part { index: 0, count: 1 }.arguments().is_empty());
        let second = Part { index: 1, count: 3 }.arguments().join(" ");
        let expected = "--execution-segment 1/3:2/3 --execution-segment-sequence 0,1/3,2/3,1 \
                        --no-setup --no-thresholds --no-teardown";
        assert_eq!(second, expected);
        let first = Part { index: 0, count: 2 }.arguments().join(" ");
        assert!(first.contains("0:1/2") && !first.contains("teardown"));
    }
}
