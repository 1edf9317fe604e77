//! Following a supervisor to its end, as its parent or as who found it.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::exit::K6Exit;
use crate::process::ProcessIdentity;
use crate::runner::{RunEnd, StopReason};
use crate::supervisor::{EndRecord, STOP_GRACE};

/// What a supervisor takes beyond the time that it gives k6.
const RECORD_TIME: Duration = Duration::from_secs(3);

/// A supervisor that was started or found.
pub(super) struct Supervised {
    pub(super) process: ProcessIdentity,
    /// Absent when an earlier life of this service started it.
    pub(super) child: Option<Child>,
    /// The run's directory.
    pub(super) directory: PathBuf,
}

impl Supervised {
    /// Goes on in a task of its own. Dropping the returned sender stops the run. At the end of
    /// the runtime a supervisor of our own is killed, and its k6 with it; one that was found
    /// goes on by itself.
    pub(super) fn follow(self) -> (watch::Receiver<Option<RunEnd>>, watch::Sender<bool>) {
        let (end, receiver) = watch::channel(None);
        let (stop, requested) = watch::channel(false);
        tokio::spawn(async move {
            end.send_replace(Some(self.run(requested).await));
        });
        (receiver, stop)
    }

    async fn run(mut self, mut requested: watch::Receiver<bool>) -> RunEnd {
        let mut kill_at: Option<Instant> = None;
        loop {
            let kill = kill_at.unwrap_or_else(Instant::now);
            tokio::select! {
                () = gone(&self.process, self.child.as_mut()) => break,
                // An error means that the handle was dropped.
                _ = requested.wait_for(|stop| *stop), if kill_at.is_none() => {
                    self.process.signal(Signal::SIGTERM);
                    kill_at = Some(Instant::now() + STOP_GRACE + RECORD_TIME);
                }
                () = tokio::time::sleep_until(kill), if kill_at.is_some() => {
                    // It does not even stop others. Its k6 are killed with it.
                    self.process.signal(Signal::SIGKILL);
                    kill_at = Some(Instant::now() + RECORD_TIME);
                }
            }
        }
        let unseen = RunEnd {
            exit: K6Exit::Unknown,
            stopped: kill_at.map(|_| StopReason::Requested),
            usage: None,
        };
        EndRecord::read(&self.directory).map_or(unseen, EndRecord::end)
    }
}

async fn gone(process: &ProcessIdentity, child: Option<&mut Child>) {
    match child {
        // An error says that it was waited for before.
        Some(child) => drop(child.wait().await),
        None => process.gone().await,
    }
}
