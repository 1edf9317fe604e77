//! What every load generator offers: start a plan, watch it, stop it, await its end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use load_analysis::threshold::Threshold;
use tokio::sync::watch;

use crate::binary::BinaryError;
use crate::exit::K6Exit;
use crate::inspect::InspectError;
use crate::plan::RunPlan;
use crate::process::ProcessIdentity;

/// Starts load tests. The local process is one; a container and Kubernetes can be others.
#[async_trait]
pub trait LoadRunner: Send + Sync {
    /// Checks the plan with k6 itself, starts it and returns when the load begins.
    ///
    /// Dropping the returned future before it is done leaves no process behind.
    ///
    /// # Errors
    /// [`StartError`]; then nothing runs.
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError>;
}

/// A run that has begun. Dropping it stops the run.
#[derive(Debug)]
pub struct RunHandle {
    /// The files of the run.
    pub artifacts: RunArtifacts,
    /// What k6 made of the script and the options.
    pub requirements: Requirements,
    /// What a script may do here beyond its sandbox, as a sentence; mostly nothing.
    pub gap: Option<&'static str>,
    /// The process, for finding it again after a crash of this one.
    pub process: ProcessIdentity,
    pub(crate) end: watch::Receiver<Option<RunEnd>>,
    pub(crate) stop: watch::Sender<bool>,
}

/// Where a run's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunArtifacts {
    /// The directory of k6, within that of the run.
    pub directory: PathBuf,
    /// k6's samples as JSON lines, read by [`SampleReader`](crate::sample::SampleReader).
    pub samples: PathBuf,
    /// k6's log as JSON lines, read by [`LogReader`](crate::log::LogReader).
    pub log: PathBuf,
    /// k6's own summary, read by [`Summary`](crate::summary::Summary); absent when k6 was
    /// killed.
    pub summary: PathBuf,
}

/// What a run will take, as k6 computes it before the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirements {
    /// The longest time of the load, with the time that iterations get to end.
    pub total_duration: Duration,
    /// The most virtual users at once.
    pub max_virtual_users: u32,
    /// The thresholds of script and request together.
    pub thresholds: Vec<Threshold>,
}

/// Why a run was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody asked for it.
    Requested,
    /// It ran longer than its plan can take.
    Deadline,
    /// Its files grew beyond their bound.
    DiskQuota,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnd {
    /// How k6 ended.
    pub exit: K6Exit,
    /// Why it was stopped; absent when it came to its own end.
    pub stopped: Option<StopReason>,
}

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// k6 is missing or of the wrong version.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// k6 refuses the script with these options.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// An uploaded script on a machine that cannot hold it.
    #[error("an uploaded script runs in a whole sandbox only, and {0}")]
    Unconfined(&'static str),
    /// Script and options together ask for more than is allowed.
    #[error("the script asks for {0}")]
    TooLarge(String),
    /// The target's name has no address.
    #[error("the target {target} has no address: {reason}")]
    Target {
        /// The target's host.
        target: String,
        /// What the look-up said.
        reason: String,
    },
    /// k6 ended before the load began.
    #[error("k6 ended before the load began: {meaning}; it logged: {log}", meaning = .exit.meaning())]
    Ended {
        /// How it ended.
        exit: K6Exit,
        /// The last lines of its log.
        log: String,
    },
    /// k6 did not get ready in time.
    #[error("k6 was not ready within {0:?}")]
    NotReady(Duration),
    /// The run's directory or files cannot be made, or k6 cannot be executed.
    #[error("the run's files cannot be made: {0}")]
    Files(#[from] std::io::Error),
}

impl RunHandle {
    /// Asks the run to stop: SIGINT once, which lets teardown and summary run, and after 9 s
    /// SIGKILL to the process group. Returns at once; calling it again changes nothing.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Awaits the end.
    pub async fn ended(&self) -> RunEnd {
        let mut end = self.end.clone();
        let ended = end.wait_for(Option::is_some).await;
        ended.ok().and_then(|end| *end).unwrap_or(RunEnd {
            exit: K6Exit::Unknown,
            stopped: None,
        })
    }
}

impl RunArtifacts {
    /// The files of a run in its directory.
    #[must_use]
    pub fn within(run: &Path) -> Self {
        let directory = run.join("k6-1");
        Self {
            samples: directory.join("samples.ndjson"),
            log: directory.join("k6.log"),
            summary: directory.join("summary.json"),
            directory,
        }
    }
}
