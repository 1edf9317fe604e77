//! A configured test as JSON.

use jiff::{SignedDuration, Timestamp};
use load_runner::options::RunOptions;
use performance_store::{Configuration, Run, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use crate::runs::body::VerdictBody;
use crate::runs::request::StartBody;
use crate::scenarios::Scenario;

/// What is executed, and where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecuteBody {
    /// `load`, `stress`, `spike` or `endurance`.
    pub(crate) test_type: String,
    /// As for `POST /start`, without the scenario and the target.
    #[serde(default)]
    pub(crate) configuration: StartBody,
    /// `staging` or `production`.
    pub(crate) environment: String,
}

/// What clients call a shape of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TestType {
    /// The expected load.
    Load,
    /// Load that grows.
    Stress,
    /// A sudden peak.
    Spike,
    /// The expected load for long.
    Endurance,
}

/// What became of an execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecutedBody {
    /// The id of the test.
    pub(crate) test_id: String,
    /// The id of its run, in the first family.
    pub(crate) run_id: String,
    /// `queued`, `running`, `completed` or `failed`.
    pub(crate) status: &'static str,
    /// The results document, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) results: Option<Box<RawValue>>,
    /// When the load ends, if it begins at once and the configuration says how long it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) estimated_completion: Option<String>,
}

/// A configured test with its latest results.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestBody {
    /// Its id.
    pub(crate) test_id: String,
    /// Its name.
    pub(crate) test_name: String,
    /// `load`, `stress`, `spike` or `endurance`.
    pub(crate) test_type: String,
    /// `staging` or `production`.
    pub(crate) environment: String,
    /// What is asked for.
    pub(crate) configuration: StartBody,
    /// Who changed it last.
    pub(crate) changed_by: String,
    /// When that was.
    pub(crate) changed_at: String,
    /// What became of its latest run, if that is still kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<ExecutedBody>,
    /// The judgement of that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<VerdictBody>,
}

impl TestType {
    pub(crate) const RULE: &str = "must be load, stress, spike or endurance";

    pub(crate) const ALL: [Self; 4] = [Self::Load, Self::Stress, Self::Spike, Self::Endurance];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.as_str().eq_ignore_ascii_case(text))
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Stress => "stress",
            Self::Spike => "spike",
            Self::Endurance => "endurance",
        }
    }

    /// The same in the first family.
    pub(crate) const fn scenario(self) -> Scenario {
        match self {
            Self::Load => Scenario::Load,
            Self::Stress => Scenario::Stress,
            Self::Spike => Scenario::Spike,
            Self::Endurance => Scenario::Soak,
        }
    }
}

impl TestBody {
    /// A test, its latest run and that one's results document, which is JSON of our own.
    ///
    /// # Errors
    /// 500 for a configuration that was not written here.
    pub(crate) fn new(
        one: Configuration,
        run: Option<&Run>,
        results: Option<String>,
    ) -> Result<Self, Problem> {
        let configuration = super::document(&one)?;
        let latest = run.map(|run| ExecutedBody::new(&one.id, run, &configuration, results));
        let verdict = run.and_then(|run| run.verdict.as_ref());
        Ok(Self {
            test_id: one.id,
            test_name: one.name.name,
            test_type: one.name.test_type,
            environment: one.name.environment,
            changed_by: one.changed_by,
            changed_at: one.changed_at.to_string(),
            latest,
            verdict: verdict.map(VerdictBody::from),
            configuration,
        })
    }
}

impl ExecutedBody {
    pub(crate) fn new(
        test_id: &str,
        run: &Run,
        configuration: &StartBody,
        results: Option<String>,
    ) -> Self {
        let going_on = !run.status.is_final();
        let completion = completion(run, configuration).filter(|_| going_on);
        Self {
            test_id: test_id.to_owned(),
            run_id: run.id.to_string(),
            status: word(run.status),
            results: results.and_then(|json| RawValue::from_string(json).ok()),
            estimated_completion: completion.map(|at| at.to_string()),
        }
    }
}

fn completion(run: &Run, configuration: &StartBody) -> Option<Timestamp> {
    let options = RunOptions::parse(&configuration.options.requested()).ok()?;
    let begin = run.started_at.unwrap_or(run.queued_at);
    let length = SignedDuration::try_from(options.duration()?).ok()?;
    begin.checked_add(length).ok()
}

const fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued | RunStatus::Starting => "queued",
        RunStatus::Running => "running",
        RunStatus::Completed => "completed",
        RunStatus::Failed | RunStatus::Cancelled => "failed",
    }
}
