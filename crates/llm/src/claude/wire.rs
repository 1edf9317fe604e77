//! The JSON of Anthropic's messages API.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ChatRequest, LlmError, MessageRole, ServiceTier,
    answer::{Ending, Frame, FrameDecoder, ReportedUsage, Start, WholeAnswer},
    capabilities::Capabilities,
    status, typed_json,
    usage::Count,
};

#[derive(Serialize)]
struct RequestBody<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a str>,
    messages: Vec<RequestMessage<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    stream: bool,
}

#[derive(Serialize)]
struct RequestMessage<'a> {
    role: &'static str,
    content: &'a str,
}

/// A whole answer.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    id: Option<String>,
    model: String,
    #[serde(default)]
    content: Vec<ContentBlock>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Debug, Deserialize)]
struct ContentBlock {
    #[serde(rename = "type")]
    kind: BlockKind,
    #[serde(default)]
    text: Option<String>,
}

/// Of a block, or of what is added to one.
#[derive(Debug, PartialEq, Eq, Deserialize)]
enum BlockKind {
    #[serde(rename = "text", alias = "text_delta")]
    Text,
    /// Thinking, tools and the rest.
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct WireUsage {
    /// Without the cached ones.
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
    #[serde(default)]
    cache_read_input_tokens: Count,
    #[serde(default)]
    cache_creation_input_tokens: Count,
    #[serde(default)]
    cache_creation: Option<CacheCreation>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
    #[serde(default)]
    service_tier: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct CacheCreation {
    #[serde(default)]
    ephemeral_5m_input_tokens: Count,
    #[serde(default)]
    ephemeral_1h_input_tokens: Count,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Count,
}

#[derive(Deserialize)]
struct MessageStart {
    message: Message,
}

#[derive(Deserialize)]
struct BlockEvent {
    #[serde(alias = "content_block")]
    delta: ContentBlock,
}

#[derive(Deserialize)]
struct MessageChange {
    delta: MessageDelta,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct ErrorEvent {
    error: Value,
}

#[derive(Debug, Deserialize)]
struct MessageDelta {
    #[serde(default)]
    stop_reason: Option<String>,
}

/// Writes a request.
///
/// # Errors
/// A temperature that JSON cannot carry.
pub(super) fn request_body(
    request: &ChatRequest,
    model: &str,
    service_tier: Option<&'static str>,
    stream: bool,
) -> Result<Vec<u8>, LlmError> {
    let takes_temperature = Capabilities::of(model).temperature;
    let messages = request.messages.iter().map(|message| RequestMessage {
        role: match message.role {
            MessageRole::User => "user",
            MessageRole::Assistant => "assistant",
        },
        content: &message.content,
    });
    let body = RequestBody {
        model,
        max_tokens: request.max_tokens,
        system: request.system.as_deref(),
        messages: messages.collect(),
        temperature: request.temperature.filter(|_| takes_temperature),
        service_tier,
        stream,
    };
    serde_json::to_vec(&body).map_err(|error| LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
    })
}

impl Message {
    pub(super) fn into_answer(self) -> WholeAnswer {
        let blocks = self.content.into_iter();
        let usage = self.usage.unwrap_or_default();
        WholeAnswer {
            model: self.model,
            response_id: self.id,
            text: blocks.filter_map(ContentBlock::into_text).collect(),
            ending: Ending {
                finish_reason: self.stop_reason,
                usage: usage.reported(),
                service_tier: usage.tier(),
            },
        }
    }
}

impl ContentBlock {
    /// The text of a text block or of its delta; `None` for thinking, tools and the rest.
    fn into_text(self) -> Option<String> {
        self.text.filter(|_| self.kind == BlockKind::Text)
    }
}

impl WireUsage {
    /// Takes over what a later report says: its counts are totals, never to be added.
    fn replace_with(&mut self, later: Self) {
        let replace = |count: &mut Count, later: Count| *count = later.or(*count);
        replace(&mut self.input_tokens, later.input_tokens);
        replace(&mut self.output_tokens, later.output_tokens);
        replace(
            &mut self.cache_read_input_tokens,
            later.cache_read_input_tokens,
        );
        replace(
            &mut self.cache_creation_input_tokens,
            later.cache_creation_input_tokens,
        );
        self.cache_creation = later.cache_creation.or(self.cache_creation.take());
        self.output_tokens_details = later
            .output_tokens_details
            .or(self.output_tokens_details.take());
        self.service_tier = later.service_tier.or(self.service_tier.take());
    }

    fn tier(&self) -> Option<ServiceTier> {
        ServiceTier::reported(self.service_tier.as_deref())
    }

    /// OpenTelemetry's input tokens include the cached ones, Anthropic's do not.
    fn reported(&self) -> ReportedUsage {
        let by_lifetime = self.cache_creation.clone().unwrap_or_default();
        let details = self.output_tokens_details.clone().unwrap_or_default();
        let all = [
            self.input_tokens,
            self.output_tokens,
            self.cache_read_input_tokens,
            self.cache_creation_input_tokens,
            by_lifetime.ephemeral_5m_input_tokens,
            by_lifetime.ephemeral_1h_input_tokens,
            details.thinking_tokens,
        ];
        let cache_read = self.cache_read_input_tokens.or_zero();
        let write_1h = by_lifetime.ephemeral_1h_input_tokens.or_zero();
        let known_5m = by_lifetime.ephemeral_5m_input_tokens.or_zero();
        // Written tokens that no lifetime claims are of the default one, five minutes.
        let written = self.cache_creation_input_tokens.or_zero();
        let write_5m = known_5m + written.saturating_sub(write_1h + known_5m);
        let cached = cache_read + write_5m + write_1h;
        ReportedUsage {
            input: self.input_tokens.believed.map(|uncached| uncached + cached),
            output: self.output_tokens.believed,
            cache_read,
            cache_write_5m: write_5m,
            cache_write_1h: write_1h,
            reasoning: details.thinking_tokens.or_zero(),
            doubtful: all.iter().any(|count| count.doubtful),
        }
    }
}

/// Reads the events of one streamed answer.
pub(super) struct EventDecoder {
    usage: WireUsage,
    stop_reason: Option<String>,
    input_estimate: u64,
}

impl EventDecoder {
    pub(super) fn new(input_estimate: u64) -> Self {
        Self {
            usage: WireUsage::default(),
            stop_reason: None,
            input_estimate,
        }
    }
}

impl FrameDecoder<String> for EventDecoder {
    fn decode(&mut self, frame: String) -> Result<Frame, LlmError> {
        let mut read = Frame::default();
        match &*typed_json::kind_of(&frame)? {
            "message_start" => {
                let MessageStart { message } = typed_json::read(&frame)?;
                self.usage.replace_with(message.usage.unwrap_or_default());
                read.start = Some(Start {
                    model: message.model,
                    response_id: message.id,
                    usage: Some(self.usage.reported().complete(self.input_estimate, "")),
                    service_tier: self.usage.tier(),
                });
            }
            "content_block_start" | "content_block_delta" => {
                let BlockEvent { delta } = typed_json::read(&frame)?;
                read.text = delta.into_text().unwrap_or_default();
            }
            "message_delta" => {
                let MessageChange { delta, usage } = typed_json::read(&frame)?;
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
                self.usage.replace_with(usage.unwrap_or_default());
            }
            "message_stop" => {
                read.end = Some(Ending {
                    finish_reason: self.stop_reason.take(),
                    usage: self.usage.reported(),
                    service_tier: self.usage.tier(),
                });
            }
            "error" => {
                let ErrorEvent { error } = typed_json::read(&frame)?;
                return Err(stream_error(&error));
            }
            _ => {}
        }
        Ok(read)
    }
}

/// An error that comes after a successful status stands for the status that it would have been.
fn stream_error(error: &Value) -> LlmError {
    let message = status::error_text(error).unwrap_or_default();
    let kind = error
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let stands_for = match kind {
        "invalid_request_error" => Some(400),
        "authentication_error" => Some(401),
        "permission_error" => Some(403),
        "not_found_error" => Some(404),
        "request_too_large" => Some(413),
        "rate_limit_error" => Some(429),
        "api_error" => Some(500),
        "timeout_error" => Some(504),
        "overloaded_error" => Some(529),
        _ => None,
    };
    status::stream_error(stands_for, &format!("{kind}: {message}"))
}
