//! What k6 says about a metric before its first sample.

use serde::{Deserialize, Serialize};

/// The four kinds of k6 metric; each has its own statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// A sum: `count` and `rate`.
    Counter,
    /// The latest value, with the smallest and the largest.
    Gauge,
    /// The share of values that are not zero.
    Rate,
    /// A distribution: averages and percentiles.
    Trend,
}

/// What the values of a metric are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contains {
    /// Plain numbers.
    Default,
    /// Durations in milliseconds.
    Time,
    /// Amounts in bytes.
    Data,
}

/// Name, kind and unit of one metric of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricDefinition {
    /// The name in the script, for example `http_req_duration`.
    pub name: String,
    /// Which statistics the metric has.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// The unit of its values.
    pub contains: Contains,
}
