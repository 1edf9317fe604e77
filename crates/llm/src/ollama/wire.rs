//! The JSON of Ollama's chat API.

use ollama_rs::{
    generation::chat::{ChatMessage, request::ChatMessageRequest},
    models::ModelOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ChatRequest, LlmError, MessageRole,
    answer::{Ending, Frame, FrameDecoder, ReportedUsage, Start, WholeAnswer},
    status::{error_text, stream_error},
    usage::Count,
};

/// The crate keeps its `stream` field to itself and writes `false`; serde's flattening would write
/// the key twice, so the fields that are sent stand here.
#[derive(Serialize)]
struct RequestBody<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    options: &'a Option<ModelOptions>,
    stream: bool,
}

/// A line of a streamed answer, or the whole of one that is not streamed.
///
/// The crate's own type refuses a line without timings and knows no `done_reason`.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    message: Option<LineMessage>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Count,
    #[serde(default)]
    eval_count: Count,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct LineMessage {
    #[serde(default)]
    content: String,
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
    let system = request.system.clone().map(ChatMessage::system);
    let messages = request.messages.iter().map(|message| {
        let content = message.content.clone();
        match message.role {
            MessageRole::User => ChatMessage::user(content),
            MessageRole::Assistant => ChatMessage::assistant(content),
        }
    });
    let most_tokens = i32::try_from(request.max_tokens).unwrap_or(i32::MAX);
    let mut options = ModelOptions::default().num_predict(most_tokens);
    if let Some(temperature) = request.temperature {
        options = options.temperature(temperature);
    }
    let message_request = ChatMessageRequest::new(
        model.to_owned(),
        system.into_iter().chain(messages).collect(),
    )
    .options(options);
    let body = RequestBody {
        model: &message_request.model_name,
        messages: &message_request.messages,
        options: &message_request.options,
        stream,
    };
    serde_json::to_vec(&body).map_err(|error| LlmError::Malformed {
        message: format!("the request cannot be written: {error}"),
    })
}

impl Line {
    pub(super) fn into_answer(self) -> Result<WholeAnswer, LlmError> {
        self.check_error()?;
        if !self.done {
            return Err(LlmError::Malformed {
                message: "the answer is not marked as done".to_owned(),
            });
        }
        let ending = self.ending();
        let text = self.message.map(|message| message.content);
        Ok(WholeAnswer {
            model: self.model.ok_or_else(nameless)?,
            response_id: None,
            text: text.unwrap_or_default(),
            ending,
        })
    }

    fn ending(&self) -> Ending {
        Ending {
            finish_reason: self.done_reason.clone(),
            usage: ReportedUsage {
                input: self.prompt_eval_count.believed,
                output: self.eval_count.believed,
                doubtful: self.prompt_eval_count.doubtful || self.eval_count.doubtful,
                ..ReportedUsage::default()
            },
            service_tier: None,
        }
    }

    fn check_error(&self) -> Result<(), LlmError> {
        match &self.error {
            None | Some(Value::Null) => Ok(()),
            Some(error) => {
                let message = error_text(error).unwrap_or_default();
                Err(stream_error(None, &message))
            }
        }
    }
}

/// Reads the lines of one streamed answer.
#[derive(Default)]
pub(super) struct LineDecoder {
    started: bool,
}

impl FrameDecoder<String> for LineDecoder {
    fn decode(&mut self, frame: String) -> Result<Frame, LlmError> {
        if frame.trim().is_empty() {
            return Ok(Frame::default());
        }
        let line: Line = serde_json::from_str(&frame).map_err(|error| LlmError::Malformed {
            message: format!("a line is not the expected JSON: {error}"),
        })?;
        line.check_error()?;
        let mut read = Frame::default();
        if !std::mem::replace(&mut self.started, true) {
            read.start = Some(Start {
                model: line.model.clone().ok_or_else(nameless)?,
                response_id: None,
                usage: None,
                service_tier: None,
            });
        }
        read.end = line.done.then(|| line.ending());
        read.text = line
            .message
            .map(|message| message.content)
            .unwrap_or_default();
        Ok(read)
    }
}

fn nameless() -> LlmError {
    LlmError::Malformed {
        message: "the answer names no model".to_owned(),
    }
}
