//! The k6 of a run in containers: made, started, listened to, measured and removed.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use hyper::body::Incoming;
use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::generators::{Ended, log_file};
use super::order::{GeneratorOrder, Order};
use crate::container::{ContainerLimits, Containers, Description, Network};
use crate::engine::{Container, EngineError, copy_log};
use crate::runner::{ProcessArtifacts, RunArtifacts, Usage};

/// How often it is asked what a container used.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);

/// What it used when less time than this has passed says nothing: k6 makes its users then.
const LEAST_MEASURED: Duration = Duration::from_secs(2);

/// How long what a container said last may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A container with a k6 that runs.
pub(super) struct Started {
    container: Container,
    said: Incoming,
    log: PathBuf,
    limits: ContainerLimits,
}

/// What all containers of a run used.
#[derive(Debug, Default)]
pub(super) struct Used {
    parts: Vec<Usage>,
    /// Of one container nobody knows.
    incomplete: bool,
}

/// Makes and starts every container of an order. When one of them fails none is left.
pub(super) async fn start(
    containers: &Containers,
    order: &Order,
    artifacts: &RunArtifacts,
) -> io::Result<Vec<Started>> {
    let started = start_all(containers, order, artifacts).await;
    if started.is_err() {
        let left = containers.remove_all(&artifacts.directory).await;
        left.map_err(io::Error::other)?;
    }
    started.map_err(io::Error::other)
}

async fn start_all(
    containers: &Containers,
    order: &Order,
    artifacts: &RunArtifacts,
) -> Result<Vec<Started>, EngineError> {
    let mut made = Vec::new();
    for (generator, files) in order.generators.iter().zip(&artifacts.processes) {
        let GeneratorOrder { sandbox, arguments } = generator;
        let description = Description {
            containers,
            run: &artifacts.directory,
            sandbox: Some(sandbox),
            arguments,
            network: Network::Host,
            trace: Some(&order.trace),
        };
        let container = description.create().await?;
        made.push(Started::of(container, files, containers.limits).await?);
    }
    for (started, files) in made.iter().zip(&artifacts.processes) {
        // The run is shown with its id, which is worth no failure.
        if let Err(error) = std::fs::write(&files.container, started.container.id()) {
            complain(&format!("the id of a container is not kept: {error}"));
        }
    }
    for started in &made {
        started.container.start().await?;
    }
    Ok(made)
}

/// Sends a signal in a task of its own, since the engine takes its time.
pub(super) fn signal(container: Container, signal: Signal) {
    tokio::spawn(async move {
        if let Err(error) = container.signal(signal).await {
            complain(&format!("{signal} does not reach a container: {error}"));
        }
    });
}

impl Started {
    async fn of(
        container: Container,
        files: &ProcessArtifacts,
        limits: ContainerLimits,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            said: container.attach().await?,
            container,
            log: files.log.clone(),
            limits,
        })
    }

    pub(super) fn container(&self) -> Container {
        self.container.clone()
    }

    /// Follows it to its end and removes it.
    pub(super) async fn follow(self, index: usize) -> Ended {
        let Self {
            container,
            said,
            log,
            limits,
        } = self;
        let copied = log_file(&log).map(|file| {
            let copy = copy_log(said, tokio::fs::File::from_std(file));
            tokio::spawn(copy)
        });
        let mut usage = None;
        let ended = {
            let ended = container.ended();
            tokio::pin!(ended);
            let begun = Instant::now();
            let mut looks = interval(MEASURE_INTERVAL);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    ended = &mut ended => break ended,
                    _ = looks.tick() => {
                        let used = container.cpu().await;
                        usage = used.ok().map(|cpu| part(cpu, begun, limits)).or(usage);
                    }
                }
            }
        };
        match copied {
            Ok(copy) => drop(tokio::time::timeout(LAST_WORDS, copy).await),
            Err(error) => complain(&format!("k6's log is not kept: {error}")),
        }
        if let Some(note) = &ended.note {
            drop(log_file(&log).and_then(|mut file| write_line(&mut file, note)));
        }
        if let Err(error) = container.remove().await {
            complain(&format!("a container is not removed: {error}"));
        }
        Ended {
            index,
            exit: ended.exit,
            usage: usage.filter(|usage| usage.wall >= LEAST_MEASURED),
        }
    }
}

fn part(cpu: Duration, begun: Instant, limits: ContainerLimits) -> Usage {
    Usage {
        cpu,
        wall: begun.elapsed(),
        processors: Some(limits.processors),
    }
}

impl Used {
    pub(super) fn add(&mut self, usage: Option<Usage>) {
        self.incomplete |= usage.is_none();
        self.parts.extend(usage);
    }

    pub(super) fn sum(&self) -> Option<Usage> {
        let wall = self.parts.iter().map(|part| part.wall).max()?;
        let processors = self.parts.iter().filter_map(|part| part.processors);
        let sum = Usage {
            cpu: self.parts.iter().map(|part| part.cpu).sum(),
            wall,
            processors: Some(processors.fold(0, u32::saturating_add)),
        };
        (!self.incomplete).then_some(sum)
    }
}

/// A line of ours in the form of k6's log.
fn write_line(file: &mut File, message: &str) -> io::Result<()> {
    let time = Timestamp::now().to_string();
    writeln!(
        file,
        "{}",
        json!({"time": time, "level": "error", "msg": message})
    )
}

#[expect(
    clippy::print_stderr,
    reason = "stderr of a supervisor is the log of the run"
)]
fn complain(message: &str) {
    eprintln!("{}", json!({"level": "error", "msg": message}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_summed_when_all_are_known() {
        let part = |cpu, wall| Usage {
            cpu: Duration::from_secs(cpu),
            wall: Duration::from_secs(wall),
            processors: Some(1),
        };
        let mut used = Used::default();
        assert_eq!(used.sum(), None);
        used.add(Some(part(3, 10)));
        used.add(Some(part(4, 9)));
        let sum = used.sum().unwrap();
        assert_eq!(
            (sum, sum.processors),
            (
                Usage {
                    processors: Some(2),
                    ..part(7, 10)
                },
                Some(2)
            )
        );
        used.add(None);
        assert_eq!(used.sum(), None);
    }
}
