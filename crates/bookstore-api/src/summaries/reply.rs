//! The reply of a summary: the old clients' five members, and ours.

use std::time::Duration;

use llm::{Cost, LatencySplit, Usage};
use serde::Serialize;
use utoipa::ToSchema;

use super::stream::{Answer, Summary};

/// A summary of a book.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryReply {
    book_id: String,
    title: String,
    author: String,
    /// Who answered, in lower case.
    provider: String,
    ai_generated_summary: String,
    model: String,
    /// Name and version of the prompt.
    prompt_version: String,
    /// The experiment and its variant that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    /// What feedback on it names: the model call that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_id: Option<String>,
    /// Whether it was there already, so that this request cost nothing.
    cached: bool,
    /// Whether a simulator answered: its cost is not real money.
    simulated: bool,
    /// The class of service that answered, such as standard or flex; absent of a summary that was
    /// there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<String>,
    /// Who was asked first and failed, so that another provider answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_from: Option<&'static str>,
    /// Whether it failed in the middle of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback_after_text: Option<bool>,
    /// How many requests shared the model's call: its cost is split among them.
    shared_by: usize,
    pub(super) usage: UsageReply,
    pub(super) cost: CostReply,
    latency: LatencyReply,
}

/// Tokens of the model's call, which other requests may have shared.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageReply {
    /// Cached ones included.
    input_tokens: u64,
    /// Reasoning included.
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write5m_tokens: u64,
    cache_write1h_tokens: u64,
    reasoning_tokens: u64,
    /// Whether the provider gave no count.
    estimated: bool,
}

/// What this request cost: its part of a call that several shared.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CostReply {
    /// Units of 10⁻¹² USD; null when the model has no known price.
    pico_usd: Option<i64>,
    /// The same in dollars, exactly.
    usd: Option<String>,
    price_version: Option<String>,
}

/// Where the time went, in milliseconds; null where nothing of the kind happened. Also in
/// `Server-Timing`, as `queue`, `connect`, `ttft`, `decode` and `total`; of a stream of events, whose
/// head is sent before its end, as `queue`, `connect` and `ttft`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LatencyReply {
    /// Waiting for a place at the provider, of the attempt that answered.
    queue_ms: Option<f64>,
    /// Opening a connection to it.
    connect_ms: Option<f64>,
    /// From the arrival of this request to the first text, failed attempts and waits included.
    time_to_first_token_ms: Option<f64>,
    /// From the first token of the answer to its last.
    decode_ms: Option<f64>,
    /// From the arrival of this request to the end.
    total_ms: f64,
}

impl SummaryReply {
    pub(super) fn new(book_id: String, summary: &Summary) -> Self {
        let kept = &summary.kept;
        let answer = summary.answer.as_ref();
        let response = answer.map(|answer| &answer.response);
        let fallback = response.and_then(|response| response.fallback);
        Self {
            book_id,
            title: kept.title.clone(),
            author: kept.author.clone(),
            provider: kept.provider.clone(),
            ai_generated_summary: kept.text.clone(),
            model: kept.model.clone(),
            prompt_version: kept.prompt_version.clone(),
            variant: kept.variant.clone(),
            summary_id: kept.call_id.clone(),
            cached: answer.is_none(),
            simulated: kept.simulated,
            service_tier: response
                .and_then(|response| response.service_tier.as_ref())
                .map(ToString::to_string),
            fallback_from: fallback.map(|failed| failed.from.as_str()),
            fallback_after_text: fallback.map(|failed| failed.after_text),
            shared_by: answer.map_or(0, |answer| answer.share.callers),
            usage: response
                .map(|response| UsageReply::new(&response.usage))
                .unwrap_or_default(),
            cost: answer.map_or_else(CostReply::nothing, CostReply::of_answer),
            latency: LatencyReply::new(response.map(|response| &response.latency), summary),
        }
    }

    /// The latency split as a `Server-Timing` header.
    pub(super) fn server_timing(&self) -> String {
        let LatencyReply {
            queue_ms,
            connect_ms,
            time_to_first_token_ms,
            decode_ms,
            total_ms,
        } = self.latency;
        timing_entries([
            ("queue", queue_ms),
            ("connect", connect_ms),
            ("ttft", time_to_first_token_ms),
            ("decode", decode_ms),
            ("total", Some(total_ms)),
        ])
    }
}

/// A `Server-Timing` header (<https://www.w3.org/TR/server-timing/>), which stock k6 can read, of
/// the times that are known.
pub(super) fn server_timing<const N: usize>(
    times: [(&'static str, Option<Duration>); N],
) -> String {
    timing_entries(times.map(|(name, time)| (name, time.map(milliseconds))))
}

fn timing_entries(entries: impl IntoIterator<Item = (&'static str, Option<f64>)>) -> String {
    let entries = entries.into_iter();
    let known = entries.filter_map(|(name, value)| Some(format!("{name};dur={}", value?)));
    known.collect::<Vec<_>>().join(", ")
}

/// Milliseconds with three decimals, as `Server-Timing` and the reply show them.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

impl UsageReply {
    pub(super) const fn new(usage: &Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_tokens: usage.cache_read_tokens,
            cache_write5m_tokens: usage.cache_write_5m_tokens,
            cache_write1h_tokens: usage.cache_write_1h_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            estimated: usage.estimated,
        }
    }
}

impl CostReply {
    pub(super) fn new(cost: Option<&Cost>) -> Self {
        Self {
            pico_usd: cost.map(|cost| cost.total.get()),
            usd: cost.map(|cost| cost.total.to_string()),
            price_version: cost.map(|cost| cost.price_version.to_string()),
        }
    }

    fn of_answer(answer: &Answer) -> Self {
        let cost = answer.response.cost.as_ref();
        Self {
            pico_usd: answer.share.cost.map(|cost| cost.get()),
            usd: answer.share.cost.map(|cost| cost.to_string()),
            price_version: cost.map(|cost| cost.price_version.to_string()),
        }
    }

    /// Of an answer that was there already.
    fn nothing() -> Self {
        Self {
            pico_usd: Some(0),
            usd: Some("0".to_owned()),
            price_version: None,
        }
    }
}

impl LatencyReply {
    fn new(split: Option<&LatencySplit>, summary: &Summary) -> Self {
        // It is measured where the answer is read, the others where the request is served.
        let rest = summary
            .total
            .saturating_sub(summary.first_text.unwrap_or_default());
        let decode = split.and_then(|split| split.decode);
        let decode = decode.map(|decode| decode.min(rest));
        Self {
            queue_ms: split.map(|split| milliseconds(split.queue)),
            connect_ms: split.and_then(|split| split.connect).map(milliseconds),
            time_to_first_token_ms: summary.first_text.map(milliseconds),
            decode_ms: decode.map(milliseconds),
            total_ms: milliseconds(summary.total),
        }
    }
}
