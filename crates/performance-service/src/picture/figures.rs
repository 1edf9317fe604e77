//! Sums and distributions of a part of a run.

use std::collections::BTreeMap;

use load_analysis::distribution::Distribution;
use load_analysis::series::{SeriesKey, SeriesValue};

use crate::timeline::{FailureKind, whole};

/// What a part of a run measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadFigures {
    /// Requests.
    pub(crate) requests: u64,
    /// Those of them that failed.
    pub(crate) failed: u64,
    /// Their durations, in milliseconds.
    pub(crate) durations: Distribution,
    /// Requests whose answer the script did not expect, by kind and status; `0` is no answer.
    pub(crate) unexpected: BTreeMap<(FailureKind, String), u64>,
    /// Checks that held, and all.
    pub(crate) checks: (u64, u64),
    /// Times to a model's first token, in milliseconds.
    pub(crate) ttft: Distribution,
    /// Tokens that models read and wrote.
    pub(crate) tokens: (u64, u64),
    /// What models cost, in 10⁻¹² US dollars; absent where nothing was priced.
    pub(crate) real_pico_usd: Option<u64>,
    /// What simulated models would have cost.
    pub(crate) simulated_pico_usd: Option<u64>,
}

/// An endpoint: the requests that a suite gives one name.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The name.
    pub(crate) name: String,
    /// What it measured.
    pub(crate) figures: LoadFigures,
}

impl LoadFigures {
    /// Adds a series of a second.
    pub(super) fn add(&mut self, key: &SeriesKey, value: &SeriesValue) {
        match (key.metric.as_ref(), value) {
            ("http_reqs", SeriesValue::Counter { sum, .. }) => {
                let requests = whole(*sum);
                self.requests += requests;
                if let Some(kind) = FailureKind::of(&key.tags) {
                    let failed = (kind, key.tags.status.clone());
                    *self.unexpected.entry(failed).or_default() += requests;
                }
            }
            ("http_req_failed", SeriesValue::Rate { passes, .. }) => self.failed += passes,
            ("http_req_duration", SeriesValue::Trend(durations)) => self.durations.merge(durations),
            ("checks", SeriesValue::Rate { passes, total }) => {
                self.checks.0 += passes;
                self.checks.1 += total;
            }
            ("ai_ttft", SeriesValue::Trend(times)) => self.ttft.merge(times),
            ("ai_tokens_input", SeriesValue::Counter { sum, .. }) => self.tokens.0 += whole(*sum),
            ("ai_tokens_output", SeriesValue::Counter { sum, .. }) => self.tokens.1 += whole(*sum),
            ("ai_cost_real_pico_usd", SeriesValue::Counter { sum, .. }) => {
                *self.real_pico_usd.get_or_insert(0) += whole(*sum);
            }
            ("ai_cost_simulated_pico_usd", SeriesValue::Counter { sum, .. }) => {
                *self.simulated_pico_usd.get_or_insert(0) += whole(*sum);
            }
            _ => {}
        }
    }

    /// Whether models were asked.
    pub(crate) fn has_models(&self) -> bool {
        self.ttft.count() > 0 || self.tokens != (0, 0)
    }

    /// Failed requests of all; `None` without any.
    pub(crate) fn failed_share(&self) -> Option<f64> {
        let (failed, all) = (crate::timeline::count(self.failed), self.requests);
        (all > 0).then(|| failed / crate::timeline::count(all))
    }
}
