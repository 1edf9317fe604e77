//! What goes out: the reply and the events of a stream, field for field.

use serde::Serialize;

use super::super::{event_stream::milliseconds, service_tier::GivenTier};
use crate::call::Call;

/// The one content block of an answer.
const BLOCK: u32 = 0;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reply<'a> {
    metrics: Metrics,
    output: Output<'a>,
    service_tier: GivenTier,
    stop_reason: &'static str,
    usage: Usage,
}

#[derive(Serialize)]
pub(in crate::bedrock) struct Output<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    content: [Text<'a>; 1],
    role: &'static str,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

/// `inputTokens` excludes cached tokens; the sum of all three is the prompt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache_details: Vec<CacheDetail>,
    cache_read_input_tokens: u64,
    cache_write_input_tokens: u64,
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
}

/// Tokens that were written to the cache, by the time that they are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    input_tokens: u64,
    ttl: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: u64,
}

#[derive(Serialize)]
pub(in crate::bedrock) struct MessageStart {
    role: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bedrock) struct Delta<'a> {
    content_block_index: u32,
    delta: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bedrock) struct BlockStop {
    content_block_index: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bedrock) struct MessageStop {
    stop_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    metrics: Metrics,
    service_tier: GivenTier,
    usage: Usage,
}

impl<'a> Reply<'a> {
    pub(super) fn of(call: &Call, text: &'a str) -> Self {
        Self {
            metrics: Metrics::of(call),
            output: Output::of(text),
            service_tier: GivenTier::of(call),
            stop_reason: stop_reason(call),
            usage: Usage::of(call),
        }
    }
}

impl<'a> Output<'a> {
    pub(in crate::bedrock) fn of(text: &'a str) -> Self {
        let message = Message {
            content: [Text { text }],
            role: "assistant",
        };
        Self { message }
    }
}

impl MessageStart {
    pub(in crate::bedrock) fn assistant() -> Self {
        Self { role: "assistant" }
    }
}

impl<'a> Delta<'a> {
    pub(in crate::bedrock) fn of(text: &'a str) -> Self {
        Self {
            content_block_index: BLOCK,
            delta: Text { text },
        }
    }
}

impl BlockStop {
    pub(in crate::bedrock) fn first() -> Self {
        Self {
            content_block_index: BLOCK,
        }
    }
}

impl MessageStop {
    pub(in crate::bedrock) fn of(call: &Call) -> Self {
        Self {
            stop_reason: stop_reason(call),
        }
    }
}

impl Metadata {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            metrics: Metrics::of(call),
            service_tier: GivenTier::of(call),
            usage: Usage::of(call),
        }
    }
}

impl Metrics {
    fn of(call: &Call) -> Self {
        Self {
            latency_ms: milliseconds(call.elapsed().0),
        }
    }
}

impl Usage {
    fn of(call: &Call) -> Self {
        Self {
            cache_details: cache_details(call),
            cache_read_input_tokens: call.cache_usage().read,
            cache_write_input_tokens: call.cache_usage().written(),
            input_tokens: call.uncached_tokens(),
            output_tokens: call.output_tokens(),
            total_tokens: call.input_tokens() + call.output_tokens(),
        }
    }
}

fn cache_details(call: &Call) -> Vec<CacheDetail> {
    let written = call.cache_usage();
    [(written.write_5m, "5m"), (written.write_1h, "1h")]
        .into_iter()
        .filter(|(tokens, _)| *tokens > 0)
        .map(|(input_tokens, ttl)| CacheDetail { input_tokens, ttl })
        .collect()
}

pub(in crate::bedrock) fn stop_reason(call: &Call) -> &'static str {
    if call.was_limited() {
        "max_tokens"
    } else {
        "end_turn"
    }
}
