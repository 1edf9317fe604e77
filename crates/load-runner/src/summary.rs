//! k6's own summary of a run, as the entry script wrote it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::ReportedThresholds;
use serde::Deserialize;

/// The largest summary that is read: 200 metrics take about 60 KiB.
const MAX_LENGTH: u64 = 16 * 1024 * 1024;

/// What k6 computed from every value of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Metrics by name, parts of metrics among them.
    pub metrics: BTreeMap<String, SummaryMetric>,
    /// Seconds of the whole run, setup and teardown included.
    pub duration_seconds: f64,
}

/// One metric of the summary.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SummaryMetric {
    /// The metric's kind.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// The unit of its values.
    pub contains: Contains,
    /// Statistic by k6's name, for example `p(95)`.
    pub values: BTreeMap<String, f64>,
    /// Thresholds by expression.
    #[serde(default)]
    pub thresholds: BTreeMap<String, SummaryThreshold>,
}

/// One threshold of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SummaryThreshold {
    /// Whether it held, as k6 saw it. True without samples, for trends and rates.
    pub ok: bool,
}

#[derive(Debug, Deserialize)]
struct Document {
    metrics: BTreeMap<String, SummaryMetric>,
    state: State,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    test_run_duration_ms: f64,
}

impl Summary {
    /// Reads the file of a finished run. Blocking.
    ///
    /// # Errors
    /// When there is no such file (k6 was killed, or never ran), or it is no summary.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut text = Vec::new();
        let read = File::open(path)?
            .take(MAX_LENGTH + 1)
            .read_to_end(&mut text)?;
        if read as u64 > MAX_LENGTH {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the summary is too large",
            ));
        }
        let document: Document = serde_json::from_slice(&text)?;
        let duration_seconds = document.state.test_run_duration_ms / 1_000.0;
        Ok(Self {
            metrics: document.metrics,
            duration_seconds,
        })
    }

    /// How often a counter was counted up; 0 where there was no sample.
    #[must_use]
    pub fn count(&self, metric: &str) -> f64 {
        let metric = self.metrics.get(metric);
        let count = metric.and_then(|metric| metric.values.get("count"));
        count.copied().unwrap_or(0.0)
    }

    /// What k6 says of the thresholds, for comparison with what the samples say.
    #[must_use]
    pub fn thresholds(&self) -> ReportedThresholds {
        self.metrics
            .iter()
            .filter(|(_, metric)| !metric.thresholds.is_empty())
            .map(|(name, metric)| {
                let held = metric
                    .thresholds
                    .iter()
                    .map(|(text, said)| (text.clone(), said.ok));
                (name.clone(), held.collect())
            })
            .collect()
    }
}
