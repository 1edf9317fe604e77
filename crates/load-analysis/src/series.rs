//! What is counted apart from what (keys), and what is kept of it (values).

mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::value::{GaugeValue, SeriesValue};
use crate::metric::MetricKind;

/// One series of a run: a metric and a tag set. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The metric's name.
    pub metric: Arc<str>,
    /// The tags that tell it from other series of the metric.
    pub tags: Arc<SeriesTags>,
}

/// The tags that a series is kept apart by. Empty text means that samples do not carry the tag.
/// Tags beyond these (url, group, check, …) do not split a series, but for values that a limit
/// names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesTags {
    /// The k6 scenario.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scenario: String,
    /// The request's name: the suite's grouping of URLs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The HTTP method.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The HTTP status, `0` when no answer came.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// `true` or `false`: whether the status was one that the script expects.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expected_response: String,
    /// Our suites' class of route: catalogue, ai, ops.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub route_class: String,
    /// Our suites' user journey.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub journey: String,
    /// The LLM provider that a request asks for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// k6's number for what went wrong, of requests that failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error_code: String,
    /// Values of other tags that a limit of the run names; see [`WantedTags`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub own: BTreeMap<String, String>,
    /// True for the one set that holds everything beyond
    /// [`MAX_TAG_SETS`](crate::aggregate::MAX_TAG_SETS); its texts are empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub other: bool,
}

/// Tags beyond those of every run, with the values of each that are kept apart from all others. A
/// tag may have any number of values; only those that somebody asks for make series.
pub type WantedTags = BTreeMap<String, BTreeSet<String>>;

impl SeriesTags {
    /// The names of the tags, as samples carry them.
    pub const NAMES: [&str; 9] = [
        "scenario",
        "name",
        "method",
        "status",
        "expected_response",
        "route_class",
        "journey",
        "provider",
        "error_code",
    ];

    /// The value of a tag; empty when samples do not carry it, and for a name beyond
    /// [`Self::NAMES`] whose value no limit names.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        match name {
            "scenario" => &self.scenario,
            "name" => &self.name,
            "method" => &self.method,
            "status" => &self.status,
            "expected_response" => &self.expected_response,
            "route_class" => &self.route_class,
            "journey" => &self.journey,
            "provider" => &self.provider,
            "error_code" => &self.error_code,
            name => self.own.get(name).map_or("", String::as_str),
        }
    }

    /// Whether a value with these tags belongs to the load. Setup and teardown carry no scenario
    /// and are none of it; neither do gauges of k6 itself, and what came after the bound on tag
    /// sets, which are.
    #[must_use]
    pub fn is_load(&self, kind: MetricKind) -> bool {
        !self.scenario.is_empty() || self.other || kind == MetricKind::Gauge
    }

    /// The set that everything beyond the bound is merged into.
    #[must_use]
    pub fn other() -> Self {
        Self {
            other: true,
            ..Self::default()
        }
    }
}
