//! The results document of a run. Its JSON shape is fixed by the contract; `coverage` is ours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::findings::Findings;
use crate::limits::LimitResult;
use crate::metric::{Contains, MetricKind};
use crate::notation::{Unit, number};
use crate::number::whole;
use crate::phases::Phases;
use crate::slowest::SlowRequest;
use crate::spend::Spend;
use crate::threshold::Threshold;
use crate::validity::Validity;

/// Everything that a finished run is judged by and shown with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    /// Metrics by name; parts of a metric that a threshold names stand beside it under k6's
    /// name for them, for example `http_req_duration{scenario:browse}`.
    pub metrics: BTreeMap<String, MetricResult>,
    /// Checks, in the order of their first sample.
    pub checks: Vec<CheckResult>,
    /// Thresholds and whether they held.
    pub thresholds: ThresholdResults,
    /// The limits of the test and how the run did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitResult>,
    /// Whether the figures show what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Warm-up, ramps and steady load apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    /// Where the time went, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// What the calls of models cost; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Spend>,
    /// The slowest requests of the load, the slowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slowest: Vec<SlowRequest>,
    /// What the figures are made of.
    pub coverage: Coverage,
}

/// Below this many samples a 99th percentile is the opinion of ten of them at most.
pub const LEAST_FOR_P99: u64 = 1_000;

/// Statistics of one metric under k6's names: trends have `avg min med max p(90) p(95) p(99)
/// count`, counters `count rate`, rates `rate passes fails`, gauges `value min max`. Times are
/// milliseconds, data is bytes. A counter's `count` is of the whole run; its `rate` is what the
/// load alone counted, per second of load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricResult {
    /// The metric's kind.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// The unit of its values.
    pub contains: Contains,
    /// Statistic by name.
    pub values: BTreeMap<String, f64>,
}

impl MetricResult {
    /// A statistic that counts: `count`, `passes` or `fails`.
    #[must_use]
    pub fn count_of(&self, statistic: &str) -> Option<u64> {
        let count = self.values.get(statistic)?;
        Some(whole(count.round()))
    }
}

/// One check of the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The check's name in the script.
    pub name: String,
    /// How often it held.
    pub passes: u64,
    /// How often it did not.
    pub fails: u64,
    /// `passes` ÷ all, 0 to 1.
    pub success_rate: f64,
}

/// All thresholds of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThresholdResults {
    /// By `metric: expression`.
    pub results: BTreeMap<String, ThresholdResult>,
    /// Whether each of them held. True without any.
    pub all_passed: bool,
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThresholdResult {
    /// Whether it held. False as well when there was nothing to judge.
    pub ok: bool,
    /// The statistic, in k6's unit of the metric; absent without samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_value: Option<f64>,
    /// How many samples it was judged by. k6 lets trends and rates without samples pass.
    pub samples: u64,
    /// What k6 itself said, where it wrote a summary. It has no say in a counter's rate, which
    /// it divides by setup and teardown too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_ok: Option<bool>,
}

/// What the figures are made of and what the bounds of the analysis left out of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Coverage {
    /// Samples read, of all metrics.
    pub samples: u64,
    /// Samples of what the script measured: all but k6's own bookkeeping of users, iterations
    /// and bytes.
    pub measurements: u64,
    /// Seconds from the start of the first iteration or request to the last sample of a
    /// scenario: the time that rates are computed over. Setup and teardown are not part of it.
    pub load_seconds: f64,
    /// Tag sets that are kept apart.
    pub tag_sets: u64,
    /// Samples whose tag set came after the bound; they are in the series `other` and in every
    /// figure of this document.
    pub samples_in_other: u64,
    /// Samples of metrics or checks after the bound on their number; they are in no figure.
    pub samples_left_out: u64,
    /// The load generator's time on processors as a share of what it could have had, 0 to 1;
    /// absent where nobody measured it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator_cpu: Option<f64>,
    /// What the load generator wrote its samples as, `json` or `csv`; absent where nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_format: Option<String>,
}

impl Results {
    /// What the calls of models cost: as it was told, else as the script counted it.
    #[must_use]
    pub fn spent(&self) -> Spend {
        let counted = |metric: &str| self.metrics.get(metric)?.values.get("count").copied();
        let spend = self.spend.clone();
        spend.unwrap_or_else(|| Spend::of_samples(counted))
    }

    /// The metrics of the judged phase, or those of the whole run without one.
    #[must_use]
    pub fn judged_metrics(&self) -> &BTreeMap<String, MetricResult> {
        let steady = self.phases.as_ref().and_then(|it| it.steady.as_ref());
        steady.unwrap_or(&self.metrics)
    }

    /// What a threshold of these results saw, with its unit; `None` without samples.
    #[must_use]
    pub fn observed(&self, threshold: &str) -> Option<String> {
        let value = self.thresholds.results.get(threshold)?.observed_value?;
        let beside_bound = |(metric, expression): (&str, &str)| {
            let parsed = Threshold::parse(metric, expression).ok()?.expression;
            let of = self.metrics.get(metric)?;
            let unit = Unit::of(parsed.statistic, of.kind, of.contains);
            Some(unit.beside(value, parsed.bound))
        };
        let text = threshold.rsplit_once(": ").and_then(beside_bound);
        Some(text.unwrap_or_else(|| number(value)))
    }
}

/// What k6 itself says of the thresholds: metric → expression → held.
pub type ReportedThresholds = BTreeMap<String, BTreeMap<String, bool>>;

impl Default for ThresholdResults {
    fn default() -> Self {
        Self {
            results: BTreeMap::new(),
            all_passed: true,
        }
    }
}
