//! What goes out: the vendor's documents, field for field in its order.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;

use super::limits;
use crate::{body::to_json, call::Call, service_tier::ServiceTier};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

#[derive(Serialize)]
pub(crate) struct Message<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<TextBlock<'a>>,
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'static str>,
    usage: Usage,
}

#[derive(Serialize)]
pub(crate) struct TextBlock<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
}

/// `input_tokens` excludes cached tokens; the sum of all three is the prompt.
#[derive(Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    service_tier: ServiceTier,
}

#[derive(Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Serialize)]
pub(super) struct TokenCount {
    pub(super) input_tokens: u64,
}

#[derive(Serialize)]
pub(super) struct ErrorDocument<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) error: ErrorBody<'a>,
    pub(super) request_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct ErrorBody<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) message: &'a str,
}

/// The events of a stream; the tag is also the name on the `event:` line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: u32,
        content_block: TextBlock<'a>,
    },
    Ping,
    ContentBlockDelta {
        index: u32,
        delta: TextBlock<'a>,
    },
    ContentBlockStop {
        index: u32,
    },
    MessageDelta {
        delta: StopDelta,
        usage: StreamUsage,
    },
    MessageStop,
}

#[derive(Serialize)]
pub(crate) struct StopDelta {
    stop_reason: &'static str,
    stop_sequence: Option<&'static str>,
}

/// Totals so far, not differences.
#[derive(Serialize)]
pub(crate) struct StreamUsage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
}

impl<'a> Message<'a> {
    /// The whole answer at once.
    pub(crate) fn whole(call: &'a Call, text: &'a str) -> Self {
        Self {
            content: vec![TextBlock { kind: "text", text }],
            stop_reason: Some(stop_reason(call)),
            ..Self::started(call, call.output_tokens())
        }
    }

    /// An answer of which nothing was said yet. The vendor counts its first
    /// token already when the stream starts.
    pub(super) fn start(call: &'a Call) -> Self {
        Self::started(call, 1)
    }

    fn started(call: &'a Call, output_tokens: u64) -> Self {
        let cached = call.cache_usage();
        Self {
            id: format!("msg_{}", call.response_id()),
            kind: "message",
            role: "assistant",
            model: call.model(),
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: Usage {
                input_tokens: call.uncached_tokens(),
                cache_creation_input_tokens: cached.written(),
                cache_read_input_tokens: cached.read,
                cache_creation: CacheCreation {
                    ephemeral_5m_input_tokens: cached.write_5m,
                    ephemeral_1h_input_tokens: cached.write_1h,
                },
                output_tokens,
                service_tier: call.service_tier(),
            },
        }
    }
}

impl Event<'_> {
    pub(super) fn end(call: &Call) -> Self {
        Self::MessageDelta {
            delta: StopDelta {
                stop_reason: stop_reason(call),
                stop_sequence: None,
            },
            usage: StreamUsage {
                input_tokens: call.uncached_tokens(),
                cache_creation_input_tokens: call.cache_usage().written(),
                cache_read_input_tokens: call.cache_usage().read,
                output_tokens: call.output_tokens(),
            },
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::Ping => "ping",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
        }
    }
}

/// The head of an answer.
pub(super) fn headers(call: &Call, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::try_from(call.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(state) = call.limits() {
        limits::add(&mut headers, state);
    }
    headers
}

/// A JSON reply with its request id.
pub(super) fn reply(document: &impl Serialize, request_id: &str) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (REQUEST_ID, request_id)];
    (headers, to_json(document)).into_response()
}

fn stop_reason(call: &Call) -> &'static str {
    if call.was_limited() {
        "max_tokens"
    } else {
        "end_turn"
    }
}
