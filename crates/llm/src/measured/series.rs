//! The metric series of one provider, made once per set of label values and kept.

mod kept;

use std::{sync::Arc, time::Duration};

use instrumentation::catalogue;
use metrics::{Counter, Gauge, Histogram};
use money::PicoUsd;

use kept::{Kept, LabelValues, OTHER};

use crate::{CallContext, Cost, Outcome, ProviderName, RequestCost, Usage};

/// Models of a provider that get a label value of their own; requests name them, so the rest is
/// `other`. The configured one always has its own.
///
/// With the bounds below, five providers that are asked for everything by everybody have some
/// 40,000 series; Prometheus is told to take 50,000 of a process.
const MAX_MODELS: usize = 32;

/// Tenants of a provider that get a label value of their own.
const MAX_TENANTS: usize = 64;

/// Sets of a model asked for, one that answers, and a failure; the rest is `other`'s.
const MAX_OUTCOMES: usize = 128;

/// Sets of a model and a tenant that pays for it; the rest of the tenants is `other`.
const MAX_PAYERS: usize = 256;

const CHAT: &str = "chat";

/// Asked for, answering, and why it failed.
type Models = (Arc<str>, Arc<str>, &'static str);

/// A model, its tenant, and what for.
type Payer = (Arc<str>, Arc<str>, &'static str);

/// All series of one provider.
pub(super) struct Series {
    provider: &'static str,
    simulated: bool,
    models: LabelValues,
    tenants: LabelValues,
    in_flight: Gauge,
    overhead: Histogram,
    spend: Counter,
    timings: Kept<Models, Timings>,
    money: Kept<Payer, Money>,
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
    pub(super) fn new(provider: ProviderName, default_model: &str, simulated: bool) -> Self {
        let provider = provider.telemetry_name();
        let models = LabelValues::new(MAX_MODELS);
        models.bounded(default_model);
        // They shall be there before the first request, whose dollars are no growth else.
        let spend = catalogue::GEN_AI_SPEND.counter(&[
            ("gen_ai.provider.name", provider),
            ("simulated", as_label(simulated)),
        ]);
        spend.increment(0);
        drop(RequestCost::histogram(provider, simulated));
        Self {
            provider,
            simulated,
            models,
            tenants: LabelValues::new(MAX_TENANTS),
            in_flight: catalogue::GEN_AI_IN_FLIGHT.gauge(&[("gen_ai.provider.name", provider)]),
            overhead: catalogue::GEN_AI_OVERHEAD_DURATION
                .histogram(&[("gen_ai.provider.name", provider)]),
            spend,
            timings: Kept::new(MAX_OUTCOMES),
            money: Kept::new(MAX_PAYERS),
            // Models, and words of ours.
            tokens: Kept::new(usize::MAX),
            attempts: Kept::new(usize::MAX),
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
            .get(attempt, Clone::clone, |(model, outcome, reason)| {
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
        let tokens = self.tokens.get(Arc::clone(model), Clone::clone, |model| {
            self.token_counters(model)
        });
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
        add(&self.spend, cost.total);
        let request = &settled.context.cost;
        request.add(self.provider, self.simulated, cost.total);
        let tenant = self.tenants.bounded(settled.context.tenant.as_str());
        let payer = (Arc::clone(model), tenant, settled.context.feature);
        let anybody = |(model, _, feature): &Payer| (Arc::clone(model), OTHER.into(), *feature);
        let money = self.money.get(payer, anybody, |(model, tenant, feature)| {
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
        let any = |(_, _, error_type): &Models| (OTHER.into(), OTHER.into(), *error_type);
        self.timings
            .get(models, any, |(requested, answering, error_type)| {
                let labels = [
                    ("gen_ai.operation.name", CHAT),
                    ("gen_ai.provider.name", self.provider),
                    ("gen_ai.request.model", requested),
                    ("gen_ai.response.model", answering),
                    ("error.type", *error_type),
                ];
                let [operation, provider, requested, answering, _] = labels;
                // The conventions know failures of whole operations only.
                let answered = [operation, provider, requested, answering];
                let tokens = |token_type: &str| {
                    catalogue::GEN_AI_CLIENT_TOKEN_USAGE.histogram(&[
                        operation,
                        provider,
                        requested,
                        answering,
                        ("gen_ai.token.type", token_type),
                    ])
                };
                Timings {
                    duration: catalogue::GEN_AI_CLIENT_OPERATION_DURATION.histogram(&labels),
                    time_to_first_chunk: catalogue::GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK
                        .histogram(&answered),
                    time_per_output_chunk: catalogue::GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK
                        .histogram(&answered),
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
                ("simulated", as_label(self.simulated)),
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
                ("simulated", as_label(self.simulated)),
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
                ("simulated", as_label(self.simulated)),
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

/// The value of the label `simulated`.
pub(crate) const fn as_label(simulated: bool) -> &'static str {
    if simulated { "true" } else { "false" }
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
