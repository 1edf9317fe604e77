//! The JSON of chat completions.

use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage,
    ChatCompletionRequestSystemMessage, ChatCompletionRequestUserMessage,
    ChatCompletionStreamOptions, CreateChatCompletionRequest, ServiceTier as AskedTier,
};
use serde::Deserialize;
use serde_json::Value;

use super::{error::stream_error, usage::WireUsage};
use crate::{
    ChatRequest, LlmError, MessageRole, ServiceTier,
    answer::{Ending, Frame, FrameDecoder, Start, WholeAnswer},
    capabilities::Capabilities,
};

/// What the stream ends with instead of a last event.
const DONE: &str = "[DONE]";

/// How a server of this protocol is to be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    capabilities: Capabilities,
    service_tier: Option<&'static str>,
}

/// A whole answer.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    service_tier: Option<String>,
    #[serde(default)]
    error: Option<Value>,
}

/// A choice of a whole answer, or of a piece of one: there is only ever one.
#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default, alias = "delta")]
    message: Option<Content>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Content {
    #[serde(default)]
    content: Option<String>,
}

impl Dialect {
    /// Servers other than `OpenAI`'s own know the older name of the output's bound only.
    pub(super) const COMPATIBLE: Self = Self {
        capabilities: Capabilities::PLAIN,
        service_tier: None,
    };

    /// `service_tier` is the vendor's own word.
    pub(super) fn of_openai(model: &str, service_tier: Option<&'static str>) -> Self {
        Self {
            capabilities: Capabilities::of(model),
            service_tier,
        }
    }
}

/// Writes a request.
///
/// # Errors
/// A temperature that JSON cannot carry.
#[expect(
    deprecated,
    reason = "models that do not reason, and other servers, know the older name"
)]
pub(super) fn request_body(
    request: &ChatRequest,
    model: &str,
    dialect: Dialect,
    stream: bool,
) -> Result<Vec<u8>, LlmError> {
    let Capabilities {
        temperature,
        max_completion_tokens,
        ..
    } = dialect.capabilities;
    let bound = Some(request.max_tokens);
    let body = CreateChatCompletionRequest {
        model: model.to_owned(),
        messages: messages(request),
        max_completion_tokens: bound.filter(|_| max_completion_tokens),
        max_tokens: bound.filter(|_| !max_completion_tokens),
        temperature: request.temperature.filter(|_| temperature),
        service_tier: dialect.service_tier.and_then(asked_tier),
        stream: Some(stream),
        // Without this a stream counts nothing.
        stream_options: stream.then_some(ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        }),
        ..CreateChatCompletionRequest::default()
    };
    serde_json::to_vec(&body).map_err(|error| LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
    })
}

fn asked_tier(word: &str) -> Option<AskedTier> {
    Some(match word {
        "auto" => AskedTier::Auto,
        "default" => AskedTier::Default,
        "flex" => AskedTier::Flex,
        "scale" => AskedTier::Scale,
        "priority" => AskedTier::Priority,
        _ => return None,
    })
}

fn messages(request: &ChatRequest) -> Vec<ChatCompletionRequestMessage> {
    let system = request.system.as_deref().map(|text| {
        ChatCompletionRequestMessage::from(ChatCompletionRequestSystemMessage::from(text))
    });
    let messages = request.messages.iter().map(|message| {
        let text = message.content.as_str();
        match message.role {
            MessageRole::User => ChatCompletionRequestUserMessage::from(text).into(),
            MessageRole::Assistant => ChatCompletionRequestAssistantMessage::from(text).into(),
        }
    });
    system.into_iter().chain(messages).collect()
}

impl Completion {
    pub(super) fn into_answer(self, asked: &str) -> Result<WholeAnswer, LlmError> {
        check_error(self.error.as_ref())?;
        let choices = self.choices.unwrap_or_default();
        let choice = choices
            .into_iter()
            .next()
            .ok_or_else(|| LlmError::Malformed {
                message: "the answer has no choice".to_owned(),
            })?;
        Ok(WholeAnswer {
            model: self.model.unwrap_or_else(|| asked.to_owned()),
            response_id: self.id,
            text: choice
                .message
                .and_then(|message| message.content)
                .unwrap_or_default(),
            ending: Ending {
                finish_reason: choice.finish_reason,
                usage: self.usage.unwrap_or_default().reported(),
                service_tier: ServiceTier::reported(self.service_tier.as_deref()),
            },
        })
    }
}

/// Reads the chunks of one streamed answer.
pub(super) struct ChunkDecoder {
    asked: String,
    started: bool,
    finish_reason: Option<String>,
    usage: WireUsage,
    service_tier: Option<ServiceTier>,
}

impl ChunkDecoder {
    /// `asked` is the model of an answer that names none.
    pub(super) fn new(asked: String) -> Self {
        Self {
            asked,
            started: false,
            finish_reason: None,
            usage: WireUsage::default(),
            service_tier: None,
        }
    }
}

impl FrameDecoder<String> for ChunkDecoder {
    /// The counts stand in the last chunk, with a choice or without one, or nowhere.
    fn decode(&mut self, frame: String) -> Result<Frame, LlmError> {
        let mut read = Frame::default();
        if frame.trim() == DONE {
            read.end = Some(Ending {
                finish_reason: self.finish_reason.take(),
                usage: self.usage.reported(),
                service_tier: self.service_tier.take(),
            });
            return Ok(read);
        }
        let chunk: Completion =
            serde_json::from_str(&frame).map_err(|error| LlmError::Malformed {
                message: format!("a chunk is not the expected JSON: {error}"),
            })?;
        check_error(chunk.error.as_ref())?;
        self.usage = chunk.usage.unwrap_or(self.usage);
        if let Some(tier) = ServiceTier::reported(chunk.service_tier.as_deref()) {
            self.service_tier = Some(tier);
        }
        let choice = chunk.choices.and_then(|choices| choices.into_iter().next());
        if !self.started && choice.is_some() {
            self.started = true;
            let model = chunk.model.filter(|model| !model.is_empty());
            read.start = Some(Start {
                model: model.unwrap_or_else(|| self.asked.clone()),
                response_id: chunk.id,
                usage: None,
                service_tier: self.service_tier.clone(),
            });
        }
        if let Some(choice) = choice {
            self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
            let content = choice.message.and_then(|message| message.content);
            read.text = content.unwrap_or_default();
        }
        Ok(read)
    }
}

fn check_error(error: Option<&Value>) -> Result<(), LlmError> {
    match error {
        None | Some(Value::Null) => Ok(()),
        Some(error) => Err(stream_error(error)),
    }
}
