//! Watching a k6 until it is gone, and ending it when it must.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::exit::K6Exit;
use crate::process::{ProcessIdentity, signal_group};
use crate::runner::{RunArtifacts, RunEnd, StopReason};

/// Setup and teardown may take k6's own 60 s each.
const SETUP_AND_TEARDOWN: Duration = Duration::from_secs(120);

/// For everything that the plan does not tell: start, last flush, summary.
const MARGIN: Duration = Duration::from_secs(60);

/// Time for teardown and summary after a stop. A stopped run is gone within 10 s: this, and a
/// second for the kill.
const STOP_GRACE: Duration = Duration::from_secs(9);

/// How often k6's files are measured.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The largest log. A failing request costs a line; beyond this the log starts over.
const MAX_LOG_LENGTH: u64 = 64 * 1024 * 1024;

/// The one that owns the child.
pub(super) struct Supervisor {
    child: Child,
    process: ProcessIdentity,
    artifacts: RunArtifacts,
    disk: u64,
    stopped: Option<StopReason>,
}

/// What happened to the child.
enum Turn {
    Ended(K6Exit),
    Stop(StopReason),
    Kill,
    Look,
}

/// The latest that a run may end: beyond what k6 computed there are setup, teardown and a
/// margin.
pub(super) fn deadline(total_duration: Duration) -> Instant {
    Instant::now() + total_duration + SETUP_AND_TEARDOWN + MARGIN
}

impl Supervisor {
    pub(super) const fn new(
        child: Child,
        process: ProcessIdentity,
        artifacts: RunArtifacts,
        disk: u64,
    ) -> Self {
        Self {
            child,
            process,
            artifacts,
            disk,
            stopped: None,
        }
    }

    /// Goes on in a task of its own. Dropping the returned sender stops the run, and dropping
    /// the task (at the end of the runtime) kills it.
    pub(super) fn watch(
        self,
        deadline: Instant,
    ) -> (watch::Receiver<Option<RunEnd>>, watch::Sender<bool>) {
        let (end, receiver) = watch::channel(None);
        let (stop, requested) = watch::channel(false);
        tokio::spawn(async move {
            end.send_replace(Some(self.run(deadline, requested).await));
        });
        (receiver, stop)
    }

    async fn run(mut self, mut deadline: Instant, mut requested: watch::Receiver<bool>) -> RunEnd {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let exit = loop {
            let turn = tokio::select! {
                status = self.child.wait() => Turn::Ended(status.map_or(K6Exit::Unknown, Into::into)),
                // An error means that the handle was dropped.
                _ = requested.wait_for(|stop| *stop), if self.stopped.is_none() => {
                    Turn::Stop(StopReason::Requested)
                }
                () = tokio::time::sleep_until(deadline) => {
                    if self.stopped.is_some() { Turn::Kill } else { Turn::Stop(StopReason::Deadline) }
                }
                _ = looks.tick() => Turn::Look,
            };
            match turn {
                Turn::Ended(exit) => break exit,
                Turn::Stop(reason) => deadline = self.interrupt(reason),
                Turn::Kill => {
                    signal_group(self.process.pid, Signal::SIGKILL);
                    deadline = Instant::now() + STOP_GRACE;
                }
                Turn::Look => {
                    if let Some(reason) = self.look() {
                        deadline = self.interrupt(reason);
                    }
                }
            }
        };
        RunEnd {
            exit,
            stopped: self.stopped,
        }
    }

    /// Sends the one SIGINT that a run gets: a second would cost teardown and summary.
    fn interrupt(&mut self, reason: StopReason) -> Instant {
        self.stopped = Some(reason);
        signal_group(self.process.pid, Signal::SIGINT);
        Instant::now() + STOP_GRACE
    }

    /// Measures k6's files; gives a reason to stop, if there is one.
    fn look(&self) -> Option<StopReason> {
        if self.stopped.is_some() {
            return None;
        }
        if length(&self.artifacts.log) > MAX_LOG_LENGTH {
            empty(&self.artifacts.log);
        }
        (space(&self.artifacts.directory) > self.disk).then_some(StopReason::DiskQuota)
    }
}

/// Bytes of all files in a directory. k6 cannot make directories.
fn space(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()))
        .sum()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn empty(path: &Path) {
    let emptied = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(0));
    if let Err(error) = emptied {
        tracing::warn!(%error, "k6's log has grown too large and cannot be emptied");
    }
}
