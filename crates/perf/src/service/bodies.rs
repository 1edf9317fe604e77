//! What the service answers, as far as it is shown; the rest is passed on in documents.

use std::collections::BTreeMap;
use std::fmt;

use load_analysis::baseline::Centre;
use load_analysis::comparison::Rerun;
use load_analysis::results::Results;
use load_analysis::verdict::{Level, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The states that a run does not leave.
const FINAL: [&str; 3] = ["Completed", "Failed", "Cancelled"];

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    pub(crate) test_id: String,
    pub(crate) number: u64,
    pub(crate) test_name: String,
    pub(crate) scenario: String,
    pub(crate) target: String,
    pub(crate) status: String,
    pub(crate) started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Run {
    pub(crate) fn is_over(&self) -> bool {
        FINAL.contains(&self.status.as_str())
    }

    /// `#12 checkout`
    pub(crate) fn name(&self) -> String {
        format!("#{} {}", self.number, self.test_name)
    }

    /// The results document; `None` without one that this version can read.
    pub(crate) fn results(&self) -> Option<Results> {
        serde_json::from_value(self.results.clone()?).ok()
    }

    /// A member that is passed on: `options`, `environment`, `testScript`.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.rest.get(name)
    }

    /// The verdict's level, or the state of a run without one.
    pub(crate) fn outcome(&self) -> &str {
        let verdict = self.verdict.as_ref();
        verdict.map_or(&self.status, |verdict| verdict.level.as_str())
    }
}

/// Two groups of runs, held against each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Compared {
    pub(crate) level: Level,
    pub(crate) differs: Vec<String>,
    pub(crate) comparisons: Vec<Comparison>,
    /// The runs that could decide what is inconclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rerun: Option<Box<Rerun>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One measure, compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) direction: String,
    /// Of measures that decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<Level>,
    pub(crate) sentence: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// What a baseline is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BaselineName {
    pub(crate) test: String,
    pub(crate) environment: String,
    pub(crate) scenario: String,
}

/// A version of a baseline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Baseline {
    #[serde(flatten)]
    pub(crate) name: BaselineName,
    pub(crate) version: u64,
    pub(crate) created_at: String,
    pub(crate) created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replacement: Option<Value>,
    pub(crate) runs: Vec<String>,
    pub(crate) measures: BTreeMap<String, Centre>,
}

impl BaselineName {
    /// What tells it apart, as parts of a query.
    pub(crate) fn address(&self) -> [(&'static str, &str); 3] {
        [
            ("test", &self.test),
            ("environment", &self.environment),
            ("scenario", &self.scenario),
        ]
    }
}

impl fmt::Display for BaselineName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scenario, target) = (&self.scenario, &self.environment);
        write!(formatter, "{} ({scenario}, {target})", self.test)
    }
}

impl Baseline {
    /// Whether runs like this one are held against it.
    pub(crate) fn is_of(&self, run: &Run) -> bool {
        let own = (&self.name.test, &self.name.environment, &self.name.scenario);
        own == (&run.test_name, &run.target, &run.scenario)
    }
}
