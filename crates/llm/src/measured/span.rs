//! The CLIENT span of one attempt.

use std::time::Duration;

use tracing::{Span, field::Empty, record_all};

use super::{Books, attempt::Conclusion};
use crate::{ChatRequest, Cost, PriceCatalogue};

/// Opens the span of one attempt; what is not known yet is left empty.
pub(super) fn open(
    books: &Books,
    request: &ChatRequest,
    model: &str,
    prices: &PriceCatalogue,
    streamed: bool,
) -> Span {
    let span = instrumentation::client_span!(
        "chat",
        otel.name = format!("chat {model}"),
        otel.status_code = Empty,
        otel.status_description = Empty,
        "gen_ai.operation.name" = "chat",
        "gen_ai.provider.name" = books.provider.telemetry_name(),
        "gen_ai.request.model" = model,
        "gen_ai.request.max_tokens" = i64::from(request.max_tokens),
        "gen_ai.request.temperature" = Empty,
        "gen_ai.request.stream" = streamed,
        "gen_ai.response.id" = Empty,
        "gen_ai.response.model" = Empty,
        "gen_ai.response.time_to_first_chunk" = Empty,
        "gen_ai.usage.input_tokens" = Empty,
        "gen_ai.usage.output_tokens" = Empty,
        "gen_ai.usage.cache_read.input_tokens" = Empty,
        "gen_ai.usage.cache_creation.input_tokens" = Empty,
        "gen_ai.usage.reasoning.output_tokens" = Empty,
        "gen_ai.system_instructions" = Empty,
        "gen_ai.input.messages" = Empty,
        "gen_ai.output.messages" = Empty,
        "server.address" = &*books.endpoint.address,
        "server.port" = books.endpoint.port,
        "error.type" = Empty,
        "bookstore.gen_ai.cost.pico_usd" = Empty,
        "bookstore.gen_ai.cost.usd" = Empty,
        "bookstore.gen_ai.cost.source" = "local",
        "bookstore.gen_ai.simulated" = books.simulated,
        "bookstore.gen_ai.price_version" = &**prices.version(),
        "bookstore.gen_ai.attempt" = request.context.attempt,
        "bookstore.gen_ai.retry.reason" = Empty,
        "bookstore.gen_ai.fallback_from" = Empty,
        "bookstore.gen_ai.queue_ms" = milliseconds(request.context.queued),
        "bookstore.gen_ai.overhead_ms" = Empty,
        "bookstore.gen_ai.usage.estimated" = Empty,
        "bookstore.gen_ai.service_tier" = Empty,
        "bookstore.gen_ai.prompt_version" = Empty,
        "bookstore.gen_ai.variant" = Empty,
    );
    tell_context(&span, books, request);
    span
}

/// What only some requests have.
fn tell_context(span: &Span, books: &Books, request: &ChatRequest) {
    for (name, value) in [
        (
            "bookstore.gen_ai.prompt_version",
            &request.context.prompt_version,
        ),
        ("bookstore.gen_ai.variant", &request.context.variant),
    ] {
        if let Some(value) = value {
            span.record(name, value.as_str());
        }
    }
    if let Some(temperature) = request.temperature {
        span.record("gen_ai.request.temperature", f64::from(temperature));
    }
    if let Some(failed) = request.context.fallback_from {
        span.record("bookstore.gen_ai.fallback_from", failed.telemetry_name());
    }
    if let Some(content) = &books.content {
        content.asked(span, request);
    }
    if let Some(reason) = request.context.retry_reason {
        span.record("bookstore.gen_ai.retry.reason", reason);
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// As an attribute has it: integers of OpenTelemetry are signed, and others arrive as texts.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Writes how the attempt came out, all at once: each record of its own takes the span's locks
/// again.
pub(super) fn conclude(span: &Span, conclusion: &Conclusion<'_>, cost: Option<&Cost>) {
    if span.is_none() {
        return;
    }
    let usage = &conclusion.usage;
    let first = conclusion.time_to_first_chunk;
    let error = Some(conclusion.error_type).filter(|error| !error.is_empty());
    // A caller that left is no failure of the call.
    let failed = error.filter(|error| *error != "cancelled");
    record_all!(
        span,
        "gen_ai.response.model" = conclusion.model,
        "bookstore.gen_ai.service_tier" = conclusion.service_tier.as_str(),
        "gen_ai.usage.input_tokens" = whole(usage.input_tokens),
        "gen_ai.usage.output_tokens" = whole(usage.output_tokens),
        "gen_ai.usage.cache_read.input_tokens" = whole(usage.cache_read_tokens),
        "gen_ai.usage.cache_creation.input_tokens" = whole(usage.cache_write_tokens()),
        "gen_ai.usage.reasoning.output_tokens" = whole(usage.reasoning_tokens),
        "bookstore.gen_ai.usage.estimated" = usage.estimated,
        "gen_ai.response.time_to_first_chunk" = first.map(|first| first.as_secs_f64()),
        "bookstore.gen_ai.cost.pico_usd" = cost.map(|cost| cost.total.get()),
        "bookstore.gen_ai.cost.usd" = cost.map(|cost| cost.total.to_string()),
        "error.type" = error,
        "otel.status_code" = failed.map(|_| "ERROR"),
    );
    // It ends when it was left for the last time: for a stream that was before its first token.
    span.in_scope(|| ());
}
