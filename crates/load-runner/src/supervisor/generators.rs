//! The k6 of a run as processes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::Signal;
use tokio::task::JoinSet;

use super::order::Order;
use crate::exit::K6Exit;
use crate::process::{self, signal_group};
use crate::runner::RunArtifacts;

/// The same program as this process.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Every k6 of one run. Dropping it kills those that are left.
pub(super) struct Generators {
    /// Each gives its process id and how it ended.
    ends: JoinSet<(u32, K6Exit)>,
    left: Vec<u32>,
    /// How they ended, in that order.
    exits: Vec<K6Exit>,
}

impl Generators {
    /// Starts them all, each the leader of a process group.
    pub(super) fn start(order: &Order, artifacts: &RunArtifacts) -> io::Result<Self> {
        let mut generators = Self {
            ends: JoinSet::new(),
            left: Vec::new(),
            exits: Vec::new(),
        };
        for (generator, files) in order.generators.iter().zip(&artifacts.processes) {
            let mut command = process::confined(Path::new(THIS_PROGRAM), &generator.sandbox)?;
            let mut child = command
                .args(&generator.arguments)
                .stdout(Stdio::null())
                .stderr(log_file(&files.log)?)
                .spawn()?;
            let pid = child.id().unwrap_or_default();
            generators.left.push(pid);
            generators.ends.spawn(async move {
                let status = child.wait().await;
                (pid, status.map_or(K6Exit::Unknown, Into::into))
            });
        }
        Ok(generators)
    }

    pub(super) const fn any_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Awaits the next end; pending when none is left.
    pub(super) async fn next_end(&mut self) -> K6Exit {
        match self.ends.join_next().await {
            Some(Ok((pid, exit))) => {
                self.left.retain(|left| *left != pid);
                self.exits.push(exit);
                exit
            }
            // A task of ours cannot fail; if it did, nobody would wait for its k6 any more.
            Some(Err(_)) => {
                self.left.clear();
                self.exits.push(K6Exit::Unknown);
                K6Exit::Unknown
            }
            None => std::future::pending().await,
        }
    }

    pub(super) fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// How the run ended: as the first that did not come to a good end, since the others were
    /// stopped then.
    pub(super) fn exit(&self) -> K6Exit {
        let failed = self.exits.iter().find(|exit| !exit.is_whole());
        let crossed = || self.exits.iter().find(|exit| **exit != K6Exit::Code(0));
        failed
            .or_else(crossed)
            .or(self.exits.first())
            .copied()
            .unwrap_or(K6Exit::Unknown)
    }

    fn signal(&self, signal: Signal) {
        for pid in &self.left {
            signal_group(*pid, signal);
        }
    }
}

/// Appending, so that the file can be emptied under k6 when it grows too large.
fn log_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_end_is_the_end_of_all() {
        let check = |exits: &[i32], expected| {
            let generators = Generators {
                ends: JoinSet::new(),
                left: Vec::new(),
                exits: exits.iter().map(|code| K6Exit::Code(*code)).collect(),
            };
            assert_eq!(generators.exit(), K6Exit::Code(expected), "{exits:?}");
        };
        check(&[0, 0], 0);
        check(&[0, 99], 99);
        check(&[99, 107, 105], 107);
        check(&[0, 105, 107], 105);
    }
}
