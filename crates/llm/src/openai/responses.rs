//! The JSON of responses.

use async_openai::types::responses::{
    CreateResponse, EasyInputContent, EasyInputMessage, InputItem, InputParam, Role,
};
use serde::Deserialize;
use serde_json::Value;

use super::{error::stream_error, usage::WireUsage};
use crate::{
    ChatRequest, LlmError, MessageRole,
    answer::{Ending, Frame, FrameDecoder, Start, WholeAnswer},
    capabilities::Capabilities,
    status,
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

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "response.created")]
    Created { response: Response },
    #[serde(rename = "response.output_text.delta")]
    TextDelta { delta: String },
    #[serde(rename = "response.completed", alias = "response.incomplete")]
    Ended { response: Response },
    #[serde(rename = "response.failed")]
    Failed { response: Response },
    /// Its members stand beside its type, or in an object of their own.
    #[serde(rename = "error")]
    Error {
        #[serde(flatten)]
        error: Value,
    },
    #[serde(other)]
    Other,
}

/// Writes a request.
///
/// # Errors
/// A temperature that JSON cannot carry.
pub(super) fn request_body(
    request: &ChatRequest,
    model: &str,
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
        // The vendor keeps answers for a month unless told otherwise.
        store: Some(false),
        stream: Some(stream),
        ..CreateResponse::default()
    };
    serde_json::to_vec(&body).map_err(|error| LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
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
        }
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
        let event: Event = serde_json::from_str(&frame).map_err(|error| LlmError::Malformed {
            message: format!("an event is not the expected JSON: {error}"),
        })?;
        let mut read = Frame::default();
        match event {
            Event::Created { response } => {
                read.start = Some(Start {
                    model: response.model.unwrap_or_else(|| self.asked.clone()),
                    response_id: response.id,
                    usage: None,
                });
            }
            Event::TextDelta { delta } => read.text = delta,
            Event::Ended { response } => read.end = Some(response.ending()),
            Event::Failed { response } => {
                return Err(stream_error(&response.error.unwrap_or_default()));
            }
            Event::Error { error } => {
                return Err(stream_error(error.get("error").unwrap_or(&error)));
            }
            Event::Other => {}
        }
        Ok(read)
    }
}
