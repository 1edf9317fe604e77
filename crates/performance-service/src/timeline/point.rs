//! One step of a run as numbers.

use std::collections::BTreeMap;

use load_analysis::distribution::Distribution;
use load_analysis::series::SeriesValue;
use serde::Serialize;
use utoipa::ToSchema;

use super::{FailureKind, Step};

/// One step of a run. What had no sample is absent, never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelinePoint {
    /// Seconds since the first sample, at the beginning of the step.
    pub(crate) t: u32,
    /// Requests of the load that ended in the step.
    pub(crate) requests: u64,
    /// The same per second.
    pub(crate) requests_per_second: f64,
    /// Median of the requests' durations, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50: Option<f64>,
    /// 95th percentile, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p95: Option<f64>,
    /// 99th percentile, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99: Option<f64>,
    /// Failed requests of all, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_rate: Option<f64>,
    /// Checks that held.
    pub(crate) checks_passed: u64,
    /// Checks that did not.
    pub(crate) checks_failed: u64,
    /// Failed requests by kind: `5xx`, `429`, `other status`, `timeout`, `refused`, `cut`,
    /// `no answer`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed_by_kind: BTreeMap<&'static str, u64>,
    /// Virtual users at the end of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) virtual_users: Option<f64>,
    /// Those that k6 had made, at work or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allocated_users: Option<f64>,
    /// Iterations that ended, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iterations_per_second: Option<f64>,
    /// Iterations that found no free user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dropped_iterations: Option<u64>,
    /// Median of the times to a model's first token, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttft_p50: Option<f64>,
    /// 95th percentile of them, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttft_p95: Option<f64>,
    /// Tokens that models read, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_tokens_per_second: Option<f64>,
    /// Tokens that models wrote, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_tokens_per_second: Option<f64>,
    /// What models cost in the step, in 10⁻¹² US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) real_pico_usd: Option<u64>,
    /// What simulated models would have cost in it, in 10⁻¹² US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) simulated_pico_usd: Option<u64>,
}

/// The numbers of a step that covers so many seconds.
pub(super) fn point(step: &Step, seconds: u32) -> TimelinePoint {
    let [
        requests,
        durations,
        failed,
        checks,
        users,
        allocated,
        iterations,
        dropped,
        ttft,
        input,
        output,
        real,
        simulated,
    ] = &step.values;
    let requests = requests.as_ref().map_or(0, SeriesValue::samples);
    let (checks_passed, checks_failed) = match checks {
        Some(SeriesValue::Rate { passes, total }) => (*passes, total - passes),
        _ => (0, 0),
    };
    let per_second = |value| Some(rounded(sum(value)? / f64::from(seconds)));
    TimelinePoint {
        t: step.t,
        requests,
        requests_per_second: rounded(count(requests) / f64::from(seconds)),
        p50: quantile(durations, 0.5),
        p95: quantile(durations, 0.95),
        p99: quantile(durations, 0.99),
        error_rate: match failed {
            Some(SeriesValue::Rate { passes, total }) if *total > 0 => {
                Some(count(*passes) / count(*total))
            }
            _ => None,
        },
        checks_passed,
        checks_failed,
        failed_by_kind: FailureKind::ALL
            .into_iter()
            .zip(step.failures)
            .filter(|(_, failed)| *failed > 0)
            .map(|(kind, failed)| (kind.words(), failed))
            .collect(),
        virtual_users: gauge(users),
        allocated_users: gauge(allocated),
        iterations_per_second: per_second(iterations),
        dropped_iterations: sum(dropped).map(whole),
        ttft_p50: quantile(ttft, 0.5),
        ttft_p95: quantile(ttft, 0.95),
        input_tokens_per_second: per_second(input),
        output_tokens_per_second: per_second(output),
        real_pico_usd: sum(real).map(whole),
        simulated_pico_usd: sum(simulated).map(whole),
    }
}

fn gauge(value: &Option<SeriesValue>) -> Option<f64> {
    match value {
        Some(SeriesValue::Gauge(Some(gauge))) => Some(gauge.value),
        _ => None,
    }
}

fn quantile(value: &Option<SeriesValue>, share: f64) -> Option<f64> {
    match value {
        Some(SeriesValue::Trend(distribution)) => Distribution::quantile(distribution, share),
        _ => None,
    }
    .map(rounded)
}

/// What a counter counted.
fn sum(value: &Option<SeriesValue>) -> Option<f64> {
    match value {
        Some(SeriesValue::Counter { sum, .. }) => Some(*sum),
        _ => None,
    }
}

/// Counts of one step are far below 2^53, up to where a float is exact.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a step are below 2^53"
)]
pub(crate) const fn count(number: u64) -> f64 {
    number as f64
}

/// A sum of whole amounts, which k6 keeps as a float.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast to an integer ends at its bounds; amounts are not negative"
)]
pub(crate) fn whole(sum: f64) -> u64 {
    sum.round() as u64
}

/// Microseconds are the resolution of the durations; further digits only look exact.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
