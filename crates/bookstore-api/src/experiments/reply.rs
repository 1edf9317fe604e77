//! Experiments as JSON.

use jiff::Timestamp;
use money::format_usd;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    collect::{Counts, Observations, Spent},
    definition::{Experiment, Measure, StickyBy, Variant},
    results::{Comparison, Verdict},
    statistics::{Estimate, mean, percentile, rate},
};

/// An experiment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExperimentReply {
    name: String,
    feature: String,
    /// running or stopped.
    state: &'static str,
    sticky_by: StickyBy,
    decide_by: Measure,
    #[schema(format = DateTime)]
    started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    stopped_at: Option<String>,
    variants: Vec<Variant>,
}

/// The experiments of a tenant.
#[derive(Serialize, ToSchema)]
pub(super) struct ExperimentList {
    pub(super) experiments: Vec<ExperimentReply>,
}

/// An experiment and what its calls have shown so far.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultsReply {
    #[serde(flatten)]
    experiment: ExperimentReply,
    results: Vec<VariantResult>,
    /// The other variants beside the first one, by what decides.
    comparisons: Vec<ComparisonReply>,
    /// Whether every comparison is decided, so that more data will not tell more.
    decided: bool,
}

/// What a variant's calls have shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VariantResult {
    variant: String,
    /// With an answer or an error.
    calls: u64,
    errors: u64,
    /// Callers left.
    cancelled: u64,
    error_rate: Option<EstimateReply>,
    time_to_first_token_ms: TimesReply,
    latency_ms: TimesReply,
    input_tokens: u64,
    output_tokens: u64,
    cost: CostsReply,
    checks: CountsReply,
    feedback: FeedbackReply,
    /// Whether there are more calls than were looked at.
    truncated: bool,
}

/// A value with its 95 % confidence interval.
#[derive(Serialize, ToSchema)]
struct EstimateReply {
    value: f64,
    low: f64,
    high: f64,
}

/// Milliseconds; null without calls.
#[derive(Serialize, ToSchema)]
struct TimesReply {
    p50: Option<EstimateReply>,
    p95: Option<EstimateReply>,
    mean: Option<EstimateReply>,
}

/// Real and simulated money are never in one sum.
#[derive(Serialize, ToSchema)]
struct CostsReply {
    real: SpentReply,
    simulated: SpentReply,
}

/// Money of one kind.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SpentReply {
    /// Units of 10⁻¹² USD, exactly.
    #[schema(value_type = i64)]
    pico_usd: i128,
    usd: String,
    /// Dollars.
    per_call_usd: Option<EstimateReply>,
    unpriced_calls: u64,
}

/// Answers that passed the checks.
#[derive(Serialize, ToSchema)]
struct CountsReply {
    passed: u64,
    all: u64,
    rate: Option<EstimateReply>,
}

/// What readers think.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FeedbackReply {
    ratings: u64,
    /// up, 4 and 5.
    good: u64,
    good_rate: Option<EstimateReply>,
    /// 1 to 5.
    mean: Option<f64>,
}

/// A variant beside the first one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ComparisonReply {
    variant: String,
    with: String,
    by: Measure,
    /// Its share less the first one's; of times and costs the natural logarithm of their ratio.
    difference: f64,
    /// Valid however often it is looked at; 1 below 100 samples each.
    p_value: f64,
    /// better, worse or not enough data.
    verdict: &'static str,
}

impl ExperimentReply {
    pub(super) fn new(experiment: &Experiment) -> Self {
        let time = |at: i64| {
            Timestamp::from_millisecond(at)
                .unwrap_or_default()
                .to_string()
        };
        Self {
            name: experiment.name.clone(),
            feature: experiment.feature.clone(),
            state: if experiment.is_running() {
                "running"
            } else {
                "stopped"
            },
            sticky_by: experiment.sticky_by,
            decide_by: experiment.decide_by,
            started_at: time(experiment.started_at),
            stopped_at: experiment.stopped_at.map(time),
            variants: experiment.variants.clone(),
        }
    }
}

impl ResultsReply {
    pub(super) fn new(
        experiment: &Experiment,
        seen: &[Observations],
        compared: &[Comparison],
    ) -> Self {
        let names = experiment
            .variants
            .iter()
            .map(|variant| variant.name.clone());
        let first = names.clone().next().unwrap_or_default();
        let comparison = |(variant, compared): (String, &Comparison)| ComparisonReply {
            variant,
            with: first.clone(),
            by: experiment.decide_by,
            difference: compared.evidence.difference,
            p_value: compared.evidence.p,
            verdict: compared.verdict.as_str(),
        };
        let open = |one: &Comparison| one.verdict == Verdict::NotEnoughData;
        Self {
            experiment: ExperimentReply::new(experiment),
            results: names.clone().zip(seen).map(VariantResult::new).collect(),
            comparisons: names.skip(1).zip(compared).map(comparison).collect(),
            decided: !compared.iter().any(open),
        }
    }
}

impl VariantResult {
    fn new((variant, seen): (String, &Observations)) -> Self {
        Self {
            variant,
            calls: seen.calls,
            errors: seen.errors,
            cancelled: seen.cancelled,
            error_rate: estimate(rate(seen.errors, seen.calls)),
            time_to_first_token_ms: TimesReply::new(&seen.first_token),
            latency_ms: TimesReply::new(&seen.latency),
            input_tokens: seen.input_tokens,
            output_tokens: seen.output_tokens,
            cost: CostsReply {
                real: SpentReply::new(&seen.real),
                simulated: SpentReply::new(&seen.simulated),
            },
            checks: CountsReply {
                passed: seen.checks.good,
                all: seen.checks.all,
                rate: share(seen.checks),
            },
            feedback: FeedbackReply::new(seen),
            truncated: seen.truncated,
        }
    }
}

impl TimesReply {
    fn new(sorted: &[f64]) -> Self {
        Self {
            p50: estimate(percentile(sorted, 0.5)),
            p95: estimate(percentile(sorted, 0.95)),
            mean: estimate(mean(sorted)),
        }
    }
}

impl SpentReply {
    fn new(spent: &Spent) -> Self {
        Self {
            pico_usd: spent.total,
            usd: format_usd(spent.total),
            per_call_usd: estimate(mean(&spent.per_call)),
            unpriced_calls: spent.unpriced,
        }
    }
}

impl FeedbackReply {
    #[expect(clippy::cast_precision_loss, reason = "a mean of small numbers")]
    fn new(seen: &Observations) -> Self {
        let Counts { good, all } = seen.ratings;
        Self {
            ratings: all,
            good,
            good_rate: share(seen.ratings),
            mean: (all > 0).then(|| seen.stars as f64 / all as f64),
        }
    }
}

fn share(counts: Counts) -> Option<EstimateReply> {
    estimate(rate(counts.good, counts.all))
}

fn estimate(estimate: Option<Estimate>) -> Option<EstimateReply> {
    estimate.map(|Estimate { value, low, high }| EstimateReply { value, low, high })
}
