//! The metric series of one provider, made once per set of label values and kept.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use instrumentation::catalogue;
use metrics::{Counter, Gauge, Histogram};
use money::PicoUsd;

use crate::{CallContext, Cost, Outcome, ProviderName, Usage};

/// Distinct models, and distinct tenants, that get a label value of their own; models are named in
/// requests, so the rest is `other`.
const MAX_LABEL_VALUES: usize = 64;

/// Sets of handles kept; the ones beyond are made anew for each use.
const MAX_KEPT_SETS: usize = 1024;

const OTHER: &str = "other";
const CHAT: &str = "chat";

type Models = (Arc<str>, Arc<str>, &'static str);

/// All series of one provider.
pub(super) struct Series {
    provider: &'static str,
    simulated: &'static str,
    models: LabelValues,
    tenants: LabelValues,
    in_flight: Gauge,
    overhead: Histogram,
    timings: Kept<Models, Timings>,
    money: Kept<(Arc<str>, Arc<str>, &'static str), Money>,
    tokens: Kept<Arc<str>, Tokens>,
    attempts: Kept<(Arc<str>, &'static str, &'static str), Counter>,
}

/// What is known when an attempt is over.
pub(super) struct Settled<'a> {
    pub(super) context: &'a CallContext,
    pub(super) requested_model: &'a str,
    pub(super) response_model: &'a str,
    pub(super) outcome: Outcome,
    pub(super) error_type: &'static str,
    pub(super) usage: &'a Usage,
    pub(super) cost: Option<&'a Cost>,
    pub(super) duration: Duration,
    pub(super) time_to_first_chunk: Option<Duration>,
}

struct Timings {
    duration: Histogram,
    time_to_first_chunk: Histogram,
    time_per_output_chunk: Histogram,
    input_tokens: Histogram,
    output_tokens: Histogram,
}

struct Money {
    input: Counter,
    cache_read: Counter,
    cache_write: Counter,
    output: Counter,
}

struct Tokens {
    input: Counter,
    cache_read: Counter,
    cache_write: Counter,
    output: Counter,
    reasoning: Counter,
    operation_cost: Histogram,
    unpriced_calls: Counter,
}

impl Series {
    pub(super) fn new(provider: ProviderName, simulated: bool) -> Self {
        let provider = provider.telemetry_name();
        Self {
            provider,
            simulated: if simulated { "true" } else { "false" },
            models: LabelValues::default(),
            tenants: LabelValues::default(),
            in_flight: catalogue::GEN_AI_IN_FLIGHT.gauge(&[("gen_ai.provider.name", provider)]),
            overhead: catalogue::GEN_AI_OVERHEAD_DURATION
                .histogram(&[("gen_ai.provider.name", provider)]),
            timings: Kept::default(),
            money: Kept::default(),
            tokens: Kept::default(),
            attempts: Kept::default(),
        }
    }

    /// An attempt begins.
    pub(super) fn begin(&self) {
        self.in_flight.increment(1.0);
    }

    /// Where the gaps between the chunks of an answer are recorded.
    pub(super) fn gaps(&self, requested: &str, answering: &str) -> Histogram {
        let timings = self.timings(requested, answering, "");
        timings.time_per_output_chunk.clone()
    }

    /// An attempt succeeded: what we added to its time.
    pub(super) fn overhead(&self, overhead: Duration) {
        self.overhead.record(overhead.as_secs_f64());
    }

    /// An attempt is over.
    pub(super) fn settle(&self, settled: &Settled<'_>) {
        self.in_flight.decrement(1.0);
        let model = self.models.bounded(settled.requested_model);
        let timings = self.timings(
            settled.requested_model,
            settled.response_model,
            settled.error_type,
        );
        timings.duration.record(settled.duration.as_secs_f64());
        if let Some(wait) = settled.time_to_first_chunk {
            timings.time_to_first_chunk.record(wait.as_secs_f64());
        }
        let attempt = (
            Arc::clone(&model),
            settled.outcome.as_str(),
            settled.context.retry_reason.unwrap_or_default(),
        );
        self.attempts
            .get(attempt, |(model, outcome, reason)| {
                catalogue::GEN_AI_ATTEMPTS.counter(&[
                    ("gen_ai.provider.name", self.provider),
                    ("gen_ai.request.model", model),
                    ("outcome", outcome),
                    ("retry.reason", reason),
                ])
            })
            .increment(1);
        let answered = settled.outcome == Outcome::Succeeded || settled.usage.input_tokens > 0;
        if answered {
            self.count_tokens(&model, settled, &timings);
        }
    }

    fn count_tokens(&self, model: &Arc<str>, settled: &Settled<'_>, timings: &Timings) {
        let usage = settled.usage;
        timings.input_tokens.record(as_f64(usage.input_tokens));
        timings.output_tokens.record(as_f64(usage.output_tokens));
        let tokens = self
            .tokens
            .get(Arc::clone(model), |model| self.token_counters(model));
        tokens.input.increment(usage.input_tokens);
        tokens.cache_read.increment(usage.cache_read_tokens);
        tokens.cache_write.increment(usage.cache_write_tokens());
        tokens.output.increment(usage.output_tokens);
        tokens.reasoning.increment(usage.reasoning_tokens);
        let Some(cost) = settled.cost else {
            tokens.unpriced_calls.increment(1);
            return;
        };
        tokens.operation_cost.record(cost.total.approximate_usd());
        let tenant = self.tenants.bounded(settled.context.tenant.as_str());
        let payer = (Arc::clone(model), tenant, settled.context.feature);
        let money = self.money.get(payer, |(model, tenant, feature)| {
            self.money_counters(model, tenant, feature)
        });
        add(&money.input, cost.input);
        add(&money.cache_read, cost.cache_read);
        add(&money.cache_write, cost.cache_write);
        add(&money.output, cost.output);
    }

    fn timings(&self, requested: &str, answering: &str, error_type: &'static str) -> Arc<Timings> {
        let models = (
            self.models.bounded(requested),
            self.models.bounded(answering),
            error_type,
        );
        self.timings
            .get(models, |(requested, answering, error_type)| {
                let labels = [
                    ("gen_ai.operation.name", CHAT),
                    ("gen_ai.provider.name", self.provider),
                    ("gen_ai.request.model", requested),
                    ("gen_ai.response.model", answering),
                    ("error.type", *error_type),
                ];
                let tokens = |token_type: &str| {
                    let [operation, provider, requested, answering, error] = labels;
                    catalogue::GEN_AI_CLIENT_TOKEN_USAGE.histogram(&[
                        operation,
                        provider,
                        requested,
                        answering,
                        error,
                        ("gen_ai.token.type", token_type),
                    ])
                };
                Timings {
                    duration: catalogue::GEN_AI_CLIENT_OPERATION_DURATION.histogram(&labels),
                    time_to_first_chunk: catalogue::GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK
                        .histogram(&labels),
                    time_per_output_chunk: catalogue::GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK
                        .histogram(&labels),
                    input_tokens: tokens("input"),
                    output_tokens: tokens("output"),
                }
            })
    }

    fn token_counters(&self, model: &str) -> Tokens {
        let counter = |kind: &str| {
            catalogue::GEN_AI_TOKENS.counter(&[
                ("gen_ai.provider.name", self.provider),
                ("gen_ai.request.model", model),
                ("token.kind", kind),
                ("simulated", self.simulated),
            ])
        };
        let provider_and_model = [
            ("gen_ai.provider.name", self.provider),
            ("gen_ai.request.model", model),
        ];
        let [provider, requested] = provider_and_model;
        Tokens {
            input: counter("input"),
            cache_read: counter("cache_read"),
            cache_write: counter("cache_write"),
            output: counter("output"),
            reasoning: counter("reasoning"),
            operation_cost: catalogue::GEN_AI_OPERATION_COST.histogram(&[
                provider,
                requested,
                ("simulated", self.simulated),
            ]),
            unpriced_calls: catalogue::GEN_AI_UNPRICED_CALLS.counter(&provider_and_model),
        }
    }

    fn money_counters(&self, model: &str, tenant: &str, feature: &str) -> Money {
        let counter = |part: &str| {
            catalogue::GEN_AI_COST.counter(&[
                ("gen_ai.provider.name", self.provider),
                ("gen_ai.request.model", model),
                ("cost.part", part),
                ("tenant", tenant),
                ("feature", feature),
                ("simulated", self.simulated),
            ])
        };
        Money {
            input: counter("input"),
            cache_read: counter("cache_read"),
            cache_write: counter("cache_write"),
            output: counter("output"),
        }
    }
}

/// The label values that were seen first.
#[derive(Default)]
struct LabelValues(RwLock<HashSet<Arc<str>>>);

impl LabelValues {
    fn bounded(&self, value: &str) -> Arc<str> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = seen.get(value) {
            return Arc::clone(value);
        }
        drop(seen);
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let value = if seen.len() < MAX_LABEL_VALUES {
            value
        } else {
            OTHER
        };
        let value: Arc<str> = value.into();
        seen.insert(Arc::clone(&value));
        value
    }
}

/// Handles by label values.
struct Kept<K, V>(RwLock<HashMap<K, Arc<V>>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V> Kept<K, V> {
    fn get(&self, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = kept.get(&key) {
            return Arc::clone(value);
        }
        drop(kept);
        let value = Arc::new(make(&key));
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT_SETS {
            kept.insert(key, Arc::clone(&value));
        }
        value
    }
}

fn add(counter: &Counter, amount: PicoUsd) {
    counter.increment(u64::try_from(amount.get()).unwrap_or_default());
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a histogram of token counts, all far below 2^53"
)]
fn as_f64(tokens: u64) -> f64 {
    tokens as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_bounded() {
        let values = LabelValues::default();
        for number in 0..MAX_LABEL_VALUES {
            let name = number.to_string();
            assert_eq!(&*values.bounded(&name), name);
        }
        assert_eq!(&*values.bounded("one more"), OTHER);
        assert_eq!(&*values.bounded("0"), "0");
        assert!(values.0.read().expect("not poisoned").len() <= MAX_LABEL_VALUES + 1);
    }
}
