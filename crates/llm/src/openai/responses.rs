//! The JSON of responses.

use async_openai::types::responses::{
    CreateResponse, EasyInputContent, EasyInputMessage, InputItem, InputParam, Role,
    ServiceTierResponses,
};
use serde::Deserialize;
use serde_json::Value;

use super::{error::stream_error, usage::WireUsage};
use crate::{
    ChatRequest, LlmError, MessageRole, ServiceTier,
    answer::{Ending, Frame, FrameDecoder, Start, WholeAnswer},
    capabilities::Capabilities,
    status, typed_json,
};

/// A whole answer, or as much of one as an event tells.
#[derive(Debug, Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    output: Option<Vec<Item>>,
    #[serde(default)]
    incomplete_details: Option<IncompleteDetails>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    service_tier: Option<String>,
    #[serde(default)]
    error: Option<Value>,
}

/// A piece of output: a message, or reasoning and the like, which have no content of this kind.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    content: Option<Vec<Content>>,
}

#[derive(Debug, Deserialize)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct IncompleteDetails {
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct ResponseEvent {
    response: Response,
}

#[derive(Deserialize)]
struct TextDelta {
    delta: String,
}

/// Writes a request.
///
/// # Errors
/// A temperature that JSON cannot carry.
pub(super) fn request_body(
    request: &ChatRequest,
    model: &str,
    service_tier: Option<&str>,
    stream: bool,
) -> Result<Vec<u8>, LlmError> {
    let messages = request.messages.iter().map(|message| {
        InputItem::EasyMessage(EasyInputMessage {
            role: match message.role {
                MessageRole::User => Role::User,
                MessageRole::Assistant => Role::Assistant,
            },
            content: EasyInputContent::Text(message.content.clone()),
            ..EasyInputMessage::default()
        })
    });
    let takes_temperature = Capabilities::of(model).temperature;
    let body = CreateResponse {
        model: Some(model.to_owned()),
        instructions: request.system.clone(),
        input: InputParam::Items(messages.collect()),
        max_output_tokens: Some(request.max_tokens),
        temperature: request.temperature.filter(|_| takes_temperature),
        service_tier: service_tier.and_then(asked_tier),
        // The vendor keeps answers for a month unless told otherwise.
        store: Some(false),
        stream: Some(stream),
        ..CreateResponse::default()
    };
    serde_json::to_vec(&body).map_err(|error| LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
    })
}

fn asked_tier(word: &str) -> Option<ServiceTierResponses> {
    Some(match word {
        "auto" => ServiceTierResponses::Auto,
        "default" => ServiceTierResponses::Default,
        "flex" => ServiceTierResponses::Flex,
        "scale" => ServiceTierResponses::Scale,
        "priority" => ServiceTierResponses::Priority,
        _ => return None,
    })
}

impl Response {
    pub(super) fn into_answer(mut self, asked: &str) -> Result<WholeAnswer, LlmError> {
        if let Some(error) = self.error.take().filter(|error| !error.is_null()) {
            return Err(stream_error(&error));
        }
        let status = self.status.clone().unwrap_or_default();
        if !matches!(status.as_str(), "completed" | "incomplete") {
            let status = status::shortened(&status);
            return Err(LlmError::Malformed {
                message: format!("the answer is '{status}', not completed"),
            });
        }
        let text = self
            .output
            .take()
            .unwrap_or_default()
            .into_iter()
            .filter(|item| item.kind == "message")
            .flat_map(|item| item.content.unwrap_or_default())
            .filter(|content| content.kind == "output_text")
            .filter_map(|content| content.text)
            .collect();
        let ending = self.ending();
        Ok(WholeAnswer {
            model: self.model.unwrap_or_else(|| asked.to_owned()),
            response_id: self.id,
            text,
            ending,
        })
    }

    /// An answer that stopped early says why; a completed one is just that.
    fn ending(&self) -> Ending {
        let early = self.incomplete_details.as_ref();
        let early = early.and_then(|details| details.reason.clone());
        Ending {
            finish_reason: early.or_else(|| self.status.clone()),
            usage: self.usage.unwrap_or_default().reported(),
            service_tier: self.tier(),
        }
    }

    fn tier(&self) -> Option<ServiceTier> {
        ServiceTier::reported(self.service_tier.as_deref())
    }
}

/// Reads the events of one streamed answer.
pub(super) struct EventDecoder {
    asked: String,
}

impl EventDecoder {
    /// `asked` is the model of an answer that names none.
    pub(super) fn new(asked: String) -> Self {
        Self { asked }
    }
}

impl FrameDecoder<String> for EventDecoder {
    fn decode(&mut self, frame: String) -> Result<Frame, LlmError> {
        let mut read = Frame::default();
        let response = || typed_json::read(&frame).map(|event: ResponseEvent| event.response);
        match &*typed_json::kind_of(&frame)? {
            "response.created" => {
                let response = response()?;
                read.start = Some(Start {
                    service_tier: response.tier(),
                    model: response.model.unwrap_or_else(|| self.asked.clone()),
                    response_id: response.id,
                    usage: None,
                });
            }
            "response.output_text.delta" => {
                read.text = typed_json::read(&frame).map(|event: TextDelta| event.delta)?;
            }
            "response.completed" | "response.incomplete" => {
                read.end = Some(response()?.ending());
            }
            "response.failed" => {
                return Err(stream_error(&response()?.error.unwrap_or_default()));
            }
            // Its members stand beside its type, or in an object of their own.
            "error" => {
                let error: Value = typed_json::read(&frame)?;
                return Err(stream_error(error.get("error").unwrap_or(&error)));
            }
            _ => {}
        }
        Ok(read)
    }
}
