//! The k6 of a run, as processes or in containers.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::task::JoinSet;

use super::containers::{self, Used};
use super::order::Order;
use super::record;
use crate::engine::Container;
use crate::exit::K6Exit;
use crate::process::{self, signal_group};
use crate::runner::{RunArtifacts, Usage};

/// The same program as this process.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Every k6 of one run. Dropping it kills those that are left and are processes of ours.
pub(super) struct Generators {
    ends: JoinSet<Ended>,
    left: BTreeMap<usize, Generator>,
    /// How they ended, in that order.
    exits: Vec<K6Exit>,
    /// What those in containers used; `None` when none is in one.
    used: Option<Used>,
}

/// One k6.
enum Generator {
    /// Its process leads a group.
    Process(u32),
    Container(Container),
}

/// The end of one k6.
pub(super) struct Ended {
    pub(super) index: usize,
    pub(super) exit: K6Exit,
    /// Of a container.
    pub(super) usage: Option<Usage>,
}

impl Generators {
    /// Starts them all.
    pub(super) async fn start(order: &Order, artifacts: &RunArtifacts) -> io::Result<Self> {
        let mut generators = Self {
            ends: JoinSet::new(),
            left: BTreeMap::new(),
            exits: Vec::new(),
            used: order.containers.as_ref().map(|_| Used::default()),
        };
        match &order.containers {
            None => generators.start_processes(order, artifacts)?,
            Some(containers) => {
                let started = containers::start(containers, order, artifacts).await?;
                for (index, started) in started.into_iter().enumerate() {
                    let container = Generator::Container(started.container());
                    generators.left.insert(index, container);
                    generators.ends.spawn(started.follow(index));
                }
            }
        }
        Ok(generators)
    }

    fn start_processes(&mut self, order: &Order, artifacts: &RunArtifacts) -> io::Result<()> {
        let ordered = order.generators.iter().zip(&artifacts.processes);
        for (index, (generator, files)) in ordered.enumerate() {
            let mut command = process::confined(Path::new(THIS_PROGRAM), &generator.sandbox)?;
            let mut child = command
                .envs(order.trace.variables())
                .args(&generator.arguments)
                .stdout(Stdio::null())
                .stderr(log_file(&files.log)?)
                .spawn()?;
            let pid = child.id().unwrap_or_default();
            self.left.insert(index, Generator::Process(pid));
            self.ends.spawn(async move {
                let status = child.wait().await;
                Ended {
                    index,
                    exit: status.map_or(K6Exit::Unknown, Into::into),
                    usage: None,
                }
            });
        }
        Ok(())
    }

    pub(super) fn any_left(&self) -> bool {
        !self.left.is_empty()
    }

    /// Awaits the next end; pending when none is left.
    pub(super) async fn next_end(&mut self) -> K6Exit {
        match self.ends.join_next().await {
            Some(Ok(ended)) => {
                self.left.remove(&ended.index);
                self.exits.push(ended.exit);
                if let Some(used) = &mut self.used {
                    used.add(ended.usage);
                }
                ended.exit
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

    /// Bytes of memory that those of our processes that are left use. Containers have a bound of
    /// their own.
    pub(super) fn memory(&self) -> u64 {
        let processes = self.left.values().filter_map(|generator| match generator {
            Generator::Process(pid) => process::resident_bytes(*pid),
            Generator::Container(_) => None,
        });
        processes.sum()
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

    /// What all of them used, now that they have ended.
    pub(super) fn usage(&self, wall: Duration) -> Option<Usage> {
        match &self.used {
            None => record::usage_of_children(wall),
            Some(used) => used.sum(),
        }
    }

    fn signal(&self, signal: Signal) {
        for generator in self.left.values() {
            match generator {
                Generator::Process(pid) => signal_group(*pid, signal),
                Generator::Container(container) => {
                    containers::signal(container.clone(), signal);
                }
            }
        }
    }
}

/// Appending, so that the file can be emptied under k6 when it grows too large.
pub(super) fn log_file(path: &Path) -> io::Result<File> {
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
                left: BTreeMap::new(),
                exits: exits.iter().map(|code| K6Exit::Code(*code)).collect(),
                used: None,
            };
            assert_eq!(generators.exit(), K6Exit::Code(expected), "{exits:?}");
        };
        check(&[0, 0], 0);
        check(&[0, 99], 99);
        check(&[99, 107, 105], 107);
        check(&[0, 105, 107], 105);
    }
}
