//! Following a supervisor to its end, as its parent or as who found it.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::container::Containers;
use crate::exit::K6Exit;
use crate::process::ProcessIdentity;
use crate::runner::{RunEnd, StopReason};
use crate::supervisor::{EndRecord, STOP_GRACE};

/// What a supervisor takes beyond the time that it gives k6.
const RECORD_TIME: Duration = Duration::from_secs(3);

/// A supervisor that was started or found.
pub(crate) struct Supervised {
    pub(crate) process: ProcessIdentity,
    /// Absent when an earlier life of this service started it.
    pub(super) child: Option<Child>,
    /// The run's directory.
    directory: PathBuf,
    /// Where its k6 are, when they are no processes that die with it.
    containers: Option<Containers>,
}

impl Supervised {
    pub(super) const fn begun(
        process: ProcessIdentity,
        child: Child,
        directory: PathBuf,
        containers: Option<Containers>,
    ) -> Self {
        Self {
            process,
            child: Some(child),
            directory,
            containers,
        }
    }

    pub(super) const fn found(
        process: ProcessIdentity,
        directory: PathBuf,
        containers: Option<Containers>,
    ) -> Self {
        Self {
            process,
            child: None,
            directory,
            containers,
        }
    }

    /// Goes on in a task of its own. Dropping the returned sender stops the run. At the end of
    /// the runtime a supervisor of our own is ended, and its k6 with it; one that was found
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
        if let Some(record) = EndRecord::read(&self.directory) {
            return record.end();
        }
        self.remove_containers().await;
        RunEnd {
            exit: K6Exit::Unknown,
            stopped: kill_at.map(|_| StopReason::Requested),
            usage: None,
            exceptions: 0,
        }
    }

    /// What a supervisor that was killed left running.
    async fn remove_containers(&self) {
        if let Some(containers) = &self.containers
            && let Err(error) = containers.remove_all(&self.directory).await
        {
            tracing::error!("the containers of a run are not removed: {error}");
        }
    }
}

impl Drop for Supervised {
    /// A supervisor of processes is killed with its [`Child`]. One of containers is asked to end
    /// them, since nothing else would.
    fn drop(&mut self) {
        let ours = self.child.as_ref().and_then(Child::id);
        if self.containers.is_some()
            && let Some(pid) = ours.and_then(|pid| i32::try_from(pid).ok())
        {
            // An error says that it is gone.
            let _gone = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
    }
}

async fn gone(process: &ProcessIdentity, child: Option<&mut Child>) {
    match child {
        // An error says that it was waited for before.
        Some(child) => drop(child.wait().await),
        None => process.gone().await,
    }
}
