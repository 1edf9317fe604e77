//! What a run is: its identity, its place in the state machine, its outcome.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use load_analysis::spend::Spend;
use load_analysis::verdict::Verdict;
use tenancy::TenantId;
use uuid::Uuid;

use crate::error::StoreError;

/// Names a run: 32 lower-case hex digits, ordered by the time of acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Uuid);

impl RunId {
    /// A new id by the clock of this machine, later than every id that was made in this way in this
    /// process; a service's ids are those of its [clock](crate::Clock::run_id).
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    pub(crate) const fn of(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The id that a row has.
    pub(crate) fn stored(text: &str) -> Result<Self, StoreError> {
        text.parse()
            .map_err(|_| StoreError::Corrupt(format!("run id {text:?}")))
    }

    /// When it was made, milliseconds since 1970; `None` for an id that does not tell.
    pub(crate) fn milliseconds(self) -> Option<i64> {
        let (seconds, nanoseconds) = self.0.get_timestamp()?.to_unix();
        let milliseconds = seconds.checked_mul(1_000)? + u64::from(nanoseconds / 1_000_000);
        i64::try_from(milliseconds).ok()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(formatter)
    }
}

/// A run and whose it is: what every call names, so that no call can leave the tenant out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunAddress {
    /// Whose run it is.
    pub tenant: TenantId,
    /// Which one.
    pub id: RunId,
}

/// The text is no run id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run id has 32 hex digits")]
pub struct MalformedRunId;

impl FromStr for RunId {
    type Err = MalformedRunId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Uuid would also read braces, hyphens and a URN prefix; one run has one address.
        if text.len() != 32 {
            return Err(MalformedRunId);
        }
        Uuid::parse_str(text).map(Self).map_err(|_| MalformedRunId)
    }
}

/// Where a run is. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// Accepted, waits for its turn.
    Queued,
    /// Taken from the queue; the load generator is being prepared or started.
    Starting,
    /// The load generator puts load on the target.
    Running,
    /// The load generator ended by itself and was judged; the verdict says how well.
    Completed,
    /// The run could not be carried out or was interrupted.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl RunStatus {
    /// All states, in the order of a run's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Starting,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name, as the API and the database spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether nothing changes any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether its load is being prepared or is on.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Starting | Self::Running)
    }

    /// The state of a name, as the API and the database spell it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What a change of a run must find, or it does not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The state that the caller believes the run to be in.
    pub status: RunStatus,
    /// The take-over that the caller belongs to; see [`Run::fence`].
    pub fence: u64,
}

/// The load generator's process, so that a later service can tell it from another
/// process that was given the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProcess {
    /// The process id, which is its process group's id too.
    pub pid: u32,
    /// When the kernel started it, in clock ticks since boot (`/proc/<pid>/stat`, field 22).
    pub start_ticks: u64,
}

/// A run that was asked for.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The name that people gave it.
    pub test_name: String,
    /// The scenario's name.
    pub scenario: String,
    /// The script, relative to the scripts directory.
    pub script: String,
    /// The name of the target.
    pub environment: String,
    /// The user who asked for it.
    pub started_by: String,
    /// What asked for it on the user's behalf, such as `schedule nightly`; empty for nothing.
    pub triggered_by: String,
    /// Virtual users times seconds, as far as the request says; 0 when the script does.
    pub virtual_user_seconds: u64,
    /// Everything else that was asked, as JSON; the service writes and reads it.
    pub request: String,
    /// What it was expected to take, as JSON; absent where nobody could tell.
    pub forecast: Option<String>,
}

/// A run as it is stored, without its results.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Counts the tenant's runs from 1; never given twice.
    pub number: u64,
    /// The name that people gave it.
    pub test_name: String,
    /// The scenario's name.
    pub scenario: String,
    /// The script, relative to the scripts directory.
    pub script: String,
    /// The name of the target.
    pub environment: String,
    /// The user who asked for it; empty in runs of before that was kept.
    pub started_by: String,
    /// What asked for it on the user's behalf, such as `schedule nightly`; empty for nothing.
    pub triggered_by: String,
    /// What it took of its tenant's load of the day; 0 until that is known.
    pub virtual_user_seconds: u64,
    /// Everything else that was asked, as JSON.
    pub request: String,
    /// Where it is.
    pub status: RunStatus,
    /// Grows by one each time a conductor takes the run over; all its writes carry it.
    pub fence: u64,
    /// When it was accepted.
    pub queued_at: Timestamp,
    /// When it left the queue.
    pub started_at: Option<Timestamp>,
    /// When it reached its final state.
    pub completed_at: Option<Timestamp>,
    /// The load generator, once it was started.
    pub process: Option<LoadProcess>,
    /// What the engine calls the container of its load generator, if that runs in one.
    pub container_id: Option<String>,
    /// Why it failed or was cancelled, as a sentence.
    pub error: Option<String>,
    /// The judgement, once there is one.
    pub verdict: Option<Verdict>,
}

impl Run {
    /// How calls name this run.
    #[must_use]
    pub fn address(&self) -> RunAddress {
        RunAddress {
            tenant: self.tenant.clone(),
            id: self.id,
        }
    }

    /// The position to name in the next change of this run.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            status: self.status,
            fence: self.fence,
        }
    }

    /// Whether it is certain that none of its load ever reached the target.
    #[must_use]
    pub const fn put_on_no_load(&self) -> bool {
        matches!(self.status, RunStatus::Queued | RunStatus::Starting) && self.process.is_none()
    }
}

/// A change of a run that is not its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Queued to Starting: a conductor takes the run; the fence grows.
    Take,
    /// Starting, and stays so: the process that watches over the load is recorded.
    Spawned(LoadProcess),
    /// Starting to Running: load is on.
    Run,
}

/// How a run ended. `results` is the results document as JSON.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Completed, Failed or Cancelled.
    pub status: RunStatus,
    /// Why, when it did not complete.
    pub error: Option<String>,
    /// The judgement.
    pub verdict: Option<Verdict>,
    /// The results document, JSON.
    pub results: Option<String>,
    /// Figures by measure, for series over runs.
    pub figures: BTreeMap<String, f64>,
    /// What its calls of models cost; absent without any.
    pub spend: Option<Spend>,
}
