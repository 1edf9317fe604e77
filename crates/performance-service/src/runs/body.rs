//! A run as JSON.

use std::collections::BTreeMap;

use load_analysis::forecast::ForecastLine;
use load_analysis::spend::Spend;
use load_analysis::verdict::Verdict;
use performance_store::Run;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::faults::Fault;
use crate::presentation::money;
use crate::runs::request::{OptionsBody, StartBody, Word};

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunBody {
    /// Its id.
    pub(crate) test_id: String,
    /// Counts the tenant's runs from 1.
    pub(crate) number: u64,
    /// The name of the test.
    pub(crate) test_name: String,
    /// The scenario.
    pub(crate) scenario: String,
    /// The script, relative to the scripts directory.
    pub(crate) test_script: String,
    /// The name of the target.
    pub(crate) target: String,
    /// Who started it; empty when that was not kept.
    pub(crate) started_by: String,
    /// What asked for it on that user's behalf, such as `schedule nightly`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) trigger: String,
    /// Which build of the target it measured, as far as somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<String>,
    /// `Queued`, `Starting`, `Running`, `Completed`, `Failed` or `Cancelled`.
    pub(crate) status: &'static str,
    /// What the engine calls the container of its k6, if that runs in one; of several the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) container_id: Option<String>,
    /// When it was accepted.
    pub(crate) queued_at: String,
    /// When it left the queue; while it waits, when it was accepted.
    pub(crate) started_at: String,
    /// When it reached its final state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completed_at: Option<String>,
    /// Why it failed or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_message: Option<String>,
    /// The options that were asked for.
    pub(crate) options: OptionsBody,
    /// The variables that were asked for.
    #[schema(value_type = BTreeMap<String, String>)]
    pub(crate) environment: BTreeMap<String, Word>,
    /// The results document, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) results: Option<Box<RawValue>>,
    /// The judgement, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<VerdictBody>,
    /// Dollars after which it is stopped, where it asked for such a cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) max_dollars: Option<Word>,
    /// What it was expected to take, as `POST /forecast` says it. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) forecast: Option<Box<RawValue>>,
    /// The same line by line, with what came once the run is over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub(crate) forecast_lines: Vec<ForecastLine>,
    /// What it has spent so far, while it goes on; then it is part of the results.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) spend_so_far: Option<Spend>,
    /// What somebody broke while it was on, as they told. Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<Fault>,
}

/// A judgement.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerdictBody {
    /// `PASS`, `WARNING`, `FAIL`, `CRITICAL`, `INVALID` or `INCONCLUSIVE`.
    pub(crate) level: &'static str,
    /// 0 PASS · 1 WARNING, INCONCLUSIVE · 2 FAIL, CRITICAL, INVALID.
    pub(crate) exit_code: u8,
    /// Sentences, most important first.
    pub(crate) reasons: Vec<String>,
}

impl RunBody {
    /// A run with its results document, which is JSON of our own.
    #[must_use]
    pub(crate) fn new(run: &Run, results: Option<String>) -> Self {
        // What cannot be read any more is shown as not asked for; the run itself stands.
        let request: StartBody = serde_json::from_str(&run.request).unwrap_or_default();
        Self {
            test_id: run.id.to_string(),
            number: run.number,
            test_name: run.test_name.clone(),
            scenario: run.scenario.clone(),
            test_script: run.script.clone(),
            target: run.environment.clone(),
            started_by: run.started_by.clone(),
            trigger: run.triggered_by.clone(),
            revision: request.revision,
            status: run.status.as_str(),
            container_id: run.container_id.clone(),
            queued_at: run.queued_at.to_string(),
            started_at: run.started_at.unwrap_or(run.queued_at).to_string(),
            completed_at: run.completed_at.map(|at| at.to_string()),
            error_message: run.error.clone(),
            options: request.options,
            environment: request.environment,
            max_dollars: request.max_dollars,
            forecast: None,
            forecast_lines: Vec::new(),
            spend_so_far: None,
            faults: Vec::new(),
            results: results.and_then(|json| RawValue::from_string(json).ok()),
            verdict: run.verdict.as_ref().map(VerdictBody::from),
        }
    }

    /// The same with its forecast as it was stored.
    #[must_use]
    pub(crate) fn with_forecast(mut self, forecast: Option<String>) -> Self {
        let results = self.results.as_ref();
        let results = results.and_then(|json| serde_json::from_str(json.get()).ok());
        let lines = money::forecast(forecast.as_deref(), results.as_ref()).into_iter();
        let told = |line: &ForecastLine| line.has_figure || line.actual.is_some();
        self.forecast_lines = lines.filter(told).collect();
        self.forecast = forecast.and_then(|json| RawValue::from_string(json).ok());
        self
    }
}

impl From<&Verdict> for VerdictBody {
    fn from(verdict: &Verdict) -> Self {
        Self {
            level: verdict.level.as_str(),
            exit_code: verdict.exit_code,
            reasons: verdict.reasons.clone(),
        }
    }
}
