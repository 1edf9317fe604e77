//! The process that watches over the k6 of one run, also when the service is gone.
//!
//! It is a program of ours in a session of its own, told by an [`Order`] in the run's directory
//! what to start. It starts each k6 in its sandbox, with its samples and its log in files, and
//! ends it when it must: by the hard deadline, when its files or its memory grow too large, and at
//! SIGTERM or SIGINT, which is how the service stops a run. What came of it is an [`EndRecord`] in the same
//! directory, written whole or not at all. If it is killed, its k6 are killed with it; those in
//! containers by whoever follows the run, or finds it at the next start.

mod containers;
mod exceptions;
mod generators;
mod order;
mod record;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use self::generators::Generators;
pub(crate) use self::order::{GeneratorOrder, Order};
pub(crate) use self::record::EndRecord;
use crate::exit::K6Exit;
use crate::runner::{RunArtifacts, StopReason};

/// Time for teardown and summary after a stop. A stopped run is gone within 10 s: this, and a
/// second for the kill.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(9);

/// How often k6's files are measured.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The largest log. A failing request costs a line; beyond this the log starts over.
const MAX_LOG_LENGTH: u64 = 64 * 1024 * 1024;

/// Carries out the order of a run's directory and leaves a record of its end there.
///
/// # Errors
/// When the order cannot be read, a k6 cannot be started, or the record cannot be written. Then
/// no k6 is left.
pub(crate) fn supervise(directory: &Path) -> io::Result<()> {
    // Out of the service's process group and terminal: what ends it does not end us.
    nix::unistd::setsid()?;
    let order = Order::read(directory)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let record = runtime.block_on(async {
        let begun = Instant::now();
        let supervisor = Supervisor::start(&order, directory).await?;
        io::Result::Ok(supervisor.run(begun + order.deadline).await)
    })?;
    record.write(directory).map_err(|error| {
        let message = format!("the record of the run's end cannot be written: {error}");
        io::Error::new(error.kind(), message)
    })
}

struct Supervisor<'a> {
    order: &'a Order,
    artifacts: RunArtifacts,
    generators: Generators,
    terminate: Signal,
    interrupt: Signal,
    started: Instant,
    /// Why all of it was stopped.
    stopped: Option<StopReason>,
    /// Whether every k6 has had its SIGINT.
    ending: bool,
    /// Iterations that threw by logs that were emptied since.
    thrown: u64,
}

enum Turn {
    Ended(K6Exit),
    Stop(StopReason),
    Kill,
    Look,
}

impl<'a> Supervisor<'a> {
    async fn start(order: &'a Order, directory: &Path) -> io::Result<Self> {
        let artifacts = RunArtifacts::within(directory, order.generators.len(), order.samples);
        // Signals that come while k6 starts are kept.
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self {
            terminate,
            interrupt,
            generators: Generators::start(order, &artifacts).await?,
            order,
            artifacts,
            started: Instant::now(),
            stopped: None,
            ending: false,
            thrown: 0,
        })
    }

    async fn run(mut self, mut deadline: Instant) -> EndRecord {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.generators.any_left() {
            match self.turn(deadline, &mut looks).await {
                // Without one of them the others' load is not what was asked for.
                Turn::Ended(exit) if !exit.is_whole() && !self.ending => {
                    deadline = self.interrupt_all();
                }
                Turn::Ended(_) => {}
                Turn::Stop(reason) => {
                    self.stopped = Some(reason);
                    deadline = self.interrupt_all();
                    // It would go on growing while it ends.
                    if reason == StopReason::Memory {
                        self.generators.kill();
                    }
                }
                Turn::Kill => {
                    self.generators.kill();
                    deadline = Instant::now() + STOP_GRACE;
                }
                Turn::Look => self.shorten_logs(),
            }
        }
        let usage = self.generators.usage(self.started.elapsed());
        let logs = self.artifacts.processes.iter();
        let thrown: u64 = logs.map(|files| exceptions::thrown(&files.log)).sum();
        let thrown = self.thrown + thrown;
        EndRecord::new(self.generators.exit(), self.stopped, usage, thrown)
    }

    /// Awaits what comes next.
    async fn turn(&mut self, deadline: Instant, looks: &mut Interval) -> Turn {
        let may_stop = !self.ending;
        tokio::select! {
            exit = self.generators.next_end() => Turn::Ended(exit),
            _ = self.terminate.recv(), if may_stop => Turn::Stop(StopReason::Requested),
            _ = self.interrupt.recv(), if may_stop => Turn::Stop(StopReason::Requested),
            () = sleep_until(deadline) => {
                if may_stop { Turn::Stop(StopReason::Deadline) } else { Turn::Kill }
            }
            _ = looks.tick() => {
                self.exceeded().filter(|_| may_stop).map_or(Turn::Look, Turn::Stop)
            }
        }
    }

    /// Which bound the k6 are beyond.
    fn exceeded(&self) -> Option<StopReason> {
        let limits = &self.order.limits;
        if self.generators.memory() > limits.memory {
            Some(StopReason::Memory)
        } else if space(&self.artifacts) > limits.disk {
            Some(StopReason::DiskQuota)
        } else {
            None
        }
    }

    /// Sends the one SIGINT that a k6 gets: a second would cost teardown and summary. Gives the
    /// time of the kill.
    fn interrupt_all(&mut self) -> Instant {
        self.ending = true;
        self.generators.interrupt();
        Instant::now() + STOP_GRACE
    }

    fn shorten_logs(&mut self) {
        for files in &self.artifacts.processes {
            if length(&files.log) > MAX_LOG_LENGTH {
                self.thrown += exceptions::thrown(&files.log);
                // It goes on growing then, within the bound on all files.
                drop(
                    std::fs::OpenOptions::new()
                        .write(true)
                        .open(&files.log)
                        .and_then(|log| log.set_len(0)),
                );
            }
        }
    }
}

/// Bytes of all files of all k6. They cannot make directories.
fn space(artifacts: &RunArtifacts) -> u64 {
    let files = artifacts
        .processes
        .iter()
        .flat_map(|files| std::fs::read_dir(&files.directory));
    files
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()))
        .sum()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
