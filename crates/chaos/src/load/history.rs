//! What the performance service says happened when, read after the end.

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A run in the service's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) id: String,
    /// `Completed`, when all went well.
    pub(crate) status: String,
    /// When it left the queue, and the whole seconds from then to its end.
    pub(crate) began: Timestamp,
    pub(crate) seconds: i64,
    /// What it was told of faults, in its order.
    pub(crate) faults: Vec<String>,
}

/// As it stands in the service's answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunBody {
    test_id: String,
    status: String,
    started_at: String,
    completed_at: Option<String>,
    #[serde(default)]
    faults: Vec<FaultBody>,
}

#[derive(Debug, Deserialize)]
struct FaultBody {
    name: String,
}

impl Recorded {
    /// Reads a run that is over.
    ///
    /// # Errors
    /// It is not over, or something is missing.
    pub(super) fn read(run: Value) -> anyhow::Result<Self> {
        let run: RunBody = serde_json::from_value(run).context("a run")?;
        let began: Timestamp = run.started_at.parse().context("startedAt")?;
        let ended = run.completed_at.context("a run that is over")?;
        let ended: Timestamp = ended.parse().context("completedAt")?;
        Ok(Self {
            id: run.test_id,
            status: run.status,
            began,
            seconds: ended.duration_since(began).as_secs(),
            faults: run.faults.into_iter().map(|fault| fault.name).collect(),
        })
    }
}
