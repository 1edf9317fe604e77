//! A baseline as JSON.

use std::collections::BTreeMap;

use load_analysis::baseline::{Centre, Replacement};
use performance_store::BaselineVersion;
use serde::Serialize;
use utoipa::ToSchema;

/// A version of a baseline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaselineBody {
    /// The test.
    pub(crate) test: String,
    /// The target's name.
    pub(crate) environment: String,
    /// The scenario.
    pub(crate) scenario: String,
    /// Counts from 1. The newest is in force, unless it is the one that says that none is.
    pub(crate) version: u64,
    /// When it came into force.
    pub(crate) created_at: String,
    /// Who established it.
    pub(crate) created_by: String,
    /// Why it replaced the one before: `{improved: [measures]}`, `{byHand: {reason, hides}}`,
    /// `{rolledBack: {to, reason, hides}}`; or why none is in force: `{withdrawn: {reason}}`.
    /// Absent where none was in force before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) replacement: Option<Replacement>,
    /// The ids of its runs, oldest first.
    pub(crate) runs: Vec<String>,
    /// Where each measure lies: `{median, min, max, noise, runs}`, in k6's unit.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub(crate) measures: BTreeMap<String, Centre>,
}

impl From<BaselineVersion> for BaselineBody {
    fn from(version: BaselineVersion) -> Self {
        let runs = version.baseline.runs.into_iter();
        Self {
            test: version.name.test,
            environment: version.name.environment,
            scenario: version.name.scenario,
            version: version.version,
            created_at: version.created_at.to_string(),
            created_by: version.created_by,
            replacement: version.replacement,
            runs: runs.map(|run| run.run).collect(),
            measures: version.baseline.measures,
        }
    }
}
