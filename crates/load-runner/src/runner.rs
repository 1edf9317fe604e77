//! What every load generator offers: start a plan, watch it, stop it, await its end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use load_analysis::execution::ExecutionPlan;
use load_analysis::threshold::Threshold;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::binary::BinaryError;
use crate::engine::EngineError;
use crate::exit::K6Exit;
use crate::inspect::InspectError;
use crate::options::RunnerKind;
use crate::plan::RunPlan;
use crate::process::ProcessIdentity;
use crate::sample::SampleFormat;
use crate::trace::TraceContext;

/// Starts load tests. The local process is one, a container another; Kubernetes can be a third.
#[async_trait]
pub trait LoadRunner: Send + Sync {
    /// Checks the plan with k6 itself, starts it and returns when the load begins.
    ///
    /// Dropping the returned future before it is done leaves no process behind.
    ///
    /// # Errors
    /// [`StartError`]; then nothing runs.
    async fn start(&self, plan: RunPlan) -> Result<RunHandle, StartError>;

    /// Has k6 say what a plan will take. Nothing is started, and the plan's directory, which is
    /// made as for a start, is the caller's to remove.
    ///
    /// # Errors
    /// [`StartError`], where a start would fail for the same reason.
    async fn inspect(&self, plan: &RunPlan) -> Result<Requirements, StartError>;

    /// Follows a run that an earlier life of this service started in `directory`, with its
    /// [`RunHandle::process`] of then. Its end may have come meanwhile; it is
    /// [`K6Exit::Unknown`] when nobody saw it.
    ///
    /// # Errors
    /// [`AdoptError`] when the run's files do not say what it was.
    async fn adopt(
        &self,
        directory: &Path,
        process: ProcessIdentity,
    ) -> Result<RunHandle, AdoptError>;
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
    /// The process that watches over k6, for finding it again after a crash of this one.
    pub process: ProcessIdentity,
    /// Where its k6 are.
    pub kind: RunnerKind,
    /// That of k6, such as `2.2.0`.
    pub version: String,
    /// The trace that it is part of, as its start was told.
    pub trace: TraceContext,
    pub(crate) end: watch::Receiver<Option<RunEnd>>,
    pub(crate) stop: watch::Sender<bool>,
}

/// Digits of a container's id.
const CONTAINER_ID_LENGTH: usize = 64;

/// Where a run's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunArtifacts {
    /// The directory of the run.
    pub directory: PathBuf,
    /// What the supervisor had to say; mostly nothing.
    pub supervisor_log: PathBuf,
    /// The files of each k6, at least of one.
    pub processes: Vec<ProcessArtifacts>,
}

/// Where the files of one k6 are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessArtifacts {
    /// Its directory, within that of the run.
    pub directory: PathBuf,
    /// Its samples, read by [`SampleReader`](crate::sample::SampleReader).
    pub samples: PathBuf,
    /// What they are written as.
    pub format: SampleFormat,
    /// Its log as JSON lines, read by [`LogReader`](crate::log::LogReader).
    pub log: PathBuf,
    /// Its own summary, read by [`Summary`](crate::summary::Summary); absent when it was
    /// killed.
    pub summary: PathBuf,
    /// What the engine calls its container, when it has one.
    pub container: PathBuf,
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
    /// What each scenario does when; absent where that cannot be read.
    pub execution: Option<ExecutionPlan>,
}

/// Why a run was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StopReason {
    /// Somebody asked for it.
    Requested,
    /// It ran longer than its plan can take.
    Deadline,
    /// Its files grew beyond their bound.
    DiskQuota,
    /// It used more memory than it may.
    Memory,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnd {
    /// How k6 ended.
    pub exit: K6Exit,
    /// Why it was stopped; absent when it came to its own end.
    pub stopped: Option<StopReason>,
    /// What the generator itself used; absent when its end was not seen.
    pub usage: Option<Usage>,
    /// Iterations that threw, by all that k6 logged; 0 also when its end was not seen.
    pub exceptions: u64,
}

/// What all k6 of a run used, from their start to the end of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Time on processors, of all processes together.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
    /// How many processors' worth they might use, where that is bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
}

/// Why a run cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("the files of the run cannot be read: {0}")]
pub struct AdoptError(#[from] std::io::Error);

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// k6 is missing or of the wrong version.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// A run in a container where no engine is set.
    #[error("this service runs no containers")]
    NoContainers,
    /// The container engine does not do what it is asked to.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An image that is missing, or holds another k6.
    #[error("the image {image} cannot be used: {reason}")]
    Image {
        /// Which one.
        image: String,
        /// What is wrong with it.
        reason: String,
    },
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
    /// The script's setup threw, for a run of several k6. Of one k6 it is the run's end.
    #[error("setup failed: {0}")]
    Setup(String),
    /// k6 did not get ready in time.
    #[error("k6 was not ready within {0:?}")]
    NotReady(Duration),
    /// The run's directory or files cannot be made, or k6 cannot be executed.
    #[error("the run's files cannot be made: {0}")]
    Files(#[from] std::io::Error),
}

impl Requirements {
    /// Virtual users times seconds, as if all of them were there all the time.
    #[must_use]
    pub const fn virtual_user_seconds(&self) -> u64 {
        (self.max_virtual_users as u64).saturating_mul(self.total_duration.as_secs())
    }
}

impl RunHandle {
    /// Asks the run to stop: SIGINT to each k6 once, which lets teardown and summary run, and
    /// after 9 s SIGKILL to their process groups. Returns at once; calling it again changes nothing.
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
            usage: None,
            exceptions: 0,
        })
    }
}

impl RunArtifacts {
    /// The files of a run of some k6 in its directory.
    #[must_use]
    pub fn within(run: &Path, processes: usize, format: SampleFormat) -> Self {
        let processes = (1..=processes.max(1)).map(|number| {
            let directory = process_directory(run, number);
            ProcessArtifacts {
                samples: directory.join(format.file_name()),
                format,
                log: directory.join("k6.log"),
                summary: directory.join("summary.json"),
                container: directory.join("container.id"),
                directory,
            }
        });
        Self {
            directory: run.to_owned(),
            supervisor_log: run.join("supervisor.log"),
            processes: processes.collect(),
        }
    }

    /// What the engine calls the container of the first k6; `None` when it runs in none. Blocks.
    #[must_use]
    pub fn container_id(&self) -> Option<String> {
        let id = std::fs::read_to_string(&self.processes.first()?.container).ok()?;
        let is_id = id.len() == CONTAINER_ID_LENGTH && id.bytes().all(|it| it.is_ascii_hexdigit());
        is_id.then_some(id)
    }

    /// The files of a run that was started before.
    #[must_use]
    pub fn found_in(run: &Path) -> Self {
        let exists = |number: &usize| process_directory(run, *number).is_dir();
        let processes = (1..).take_while(exists).count();
        let csv = Self::within(run, processes, SampleFormat::Csv);
        if csv.processes.iter().any(|files| files.samples.exists()) {
            return csv;
        }
        Self::within(run, processes, SampleFormat::Json)
    }

    /// What the samples are written as.
    #[must_use]
    pub fn format(&self) -> SampleFormat {
        let first = self.processes.first();
        first.map_or_else(SampleFormat::default, |files| files.format)
    }
}

fn process_directory(run: &Path, number: usize) -> PathBuf {
    run.join(format!("k6-{number}"))
}
