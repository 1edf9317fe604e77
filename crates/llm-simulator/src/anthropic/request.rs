//! Requests for messages: what they say, and what this vendor refuses.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Error;
use crate::{
    call::CallRequest,
    credentials::Caller,
    prompt::{CacheTime, Caching, Prompt},
};

/// Longest model name: the vendor's own have less than 60 characters.
const MAX_MODEL_NAME: usize = 256;
/// What the frame around each message counts.
const MESSAGE_TOKENS: u64 = 4;
/// What an image, a document or a tool's block counts here; the vendor's own
/// figure depends on its content, which the simulator does not look into.
const OTHER_BLOCK_TOKENS: u64 = 100;
/// The model line that takes no sampling parameters but their defaults.
const FIXED_SAMPLING: &str = "claude-sonnet-5";
/// The default of `temperature` and `top_p`.
const DEFAULT_SAMPLING: f64 = 1.0;

/// The fields that matter here; the others are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct MessagesRequest {
    model: Option<String>,
    max_tokens: Option<i64>,
    messages: Option<Vec<InputMessage>>,
    system: Option<Content>,
    stream: Option<bool>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    tools: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Deserialize)]
struct InputMessage {
    role: String,
    content: Content,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Blocks(Vec<Block>),
}

/// A text, or something else that may be marked as well.
#[derive(Debug, Deserialize)]
struct Block {
    text: Option<String>,
    cache_control: Option<CacheControl>,
}

/// What of a tool is looked at beside its length.
#[derive(Debug, Deserialize)]
struct Marks {
    cache_control: Option<CacheControl>,
}

#[derive(Debug, Deserialize)]
struct CacheControl {
    ttl: Option<String>,
}

impl MessagesRequest {
    /// The same for a model that is named elsewhere.
    pub(crate) fn of_model(self, model: &str) -> Self {
        Self {
            model: Some(model.to_owned()),
            ..self
        }
    }

    /// The caller's limit on the answer.
    pub(crate) fn max_tokens(&self) -> Option<i64> {
        self.max_tokens
    }

    pub(super) fn is_streamed(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    pub(super) fn call(&self, caller: Caller) -> CallRequest {
        CallRequest {
            model: self.model.clone().unwrap_or_default(),
            streamed: self.is_streamed(),
            caller,
            prompt: self.prompt(),
            max_tokens: self.max_tokens.and_then(|limit| u64::try_from(limit).ok()),
        }
    }

    /// The whole prompt in the order in which the vendor caches it.
    pub(crate) fn prompt(&self) -> Prompt {
        let mut prompt = Prompt::new(Caching::Breakpoints);
        for tool in self.tools.iter().flatten() {
            prompt.text("tool", tool.get(), 0);
            let marks: Option<Marks> = serde_json::from_str(tool.get()).ok();
            mark(
                &mut prompt,
                marks
                    .as_ref()
                    .and_then(|marks| marks.cache_control.as_ref()),
            );
        }
        if let Some(system) = &self.system {
            system.add_to(&mut prompt, "system", 0);
        }
        for message in self.messages.iter().flatten() {
            message
                .content
                .add_to(&mut prompt, &message.role, MESSAGE_TOKENS);
        }
        prompt
    }

    /// What every route needs: a model and messages.
    pub(crate) fn check_prompt(&self) -> Result<(), Error> {
        match &self.model {
            None => return Err(Error::invalid("model: Field required")),
            Some(model) if model.is_empty() || model.len() > MAX_MODEL_NAME => {
                return Err(Error::invalid(
                    "model: String should have 1 to 256 characters",
                ));
            }
            Some(_) => {}
        }
        let Some(messages) = &self.messages else {
            return Err(Error::invalid("messages: Field required"));
        };
        if messages.is_empty() {
            return Err(Error::invalid("messages: at least one message is required"));
        }
        for (index, message) in messages.iter().enumerate() {
            message.check(index)?;
        }
        if messages[0].role != "user" {
            return Err(Error::invalid(
                "messages: first message must use the \"user\" role",
            ));
        }
        Ok(())
    }

    /// What generating needs beside the prompt.
    pub(crate) fn check_generation(&self) -> Result<(), Error> {
        match self.max_tokens {
            None => return Err(Error::invalid("max_tokens: Field required")),
            Some(limit) if limit < 1 => {
                return Err(Error::invalid(
                    "max_tokens: Input should be greater than or equal to 1",
                ));
            }
            Some(_) => {}
        }
        for (name, value) in [("temperature", self.temperature), ("top_p", self.top_p)] {
            if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                return Err(Error::invalid(format!(
                    "{name}: Input should be between 0 and 1"
                )));
            }
        }
        self.check_capabilities()
    }

    fn check_capabilities(&self) -> Result<(), Error> {
        let fixed = self
            .model
            .as_deref()
            .is_some_and(|model| model.starts_with(FIXED_SAMPLING));
        let set = |value: Option<f64>| value.is_some_and(|value| value < DEFAULT_SAMPLING);
        let refused = [
            ("temperature", set(self.temperature)),
            ("top_p", set(self.top_p)),
            ("top_k", self.top_k.is_some()),
        ];
        match refused.into_iter().find(|(_, is_set)| *is_set) {
            Some((name, _)) if fixed => Err(Error::invalid(format!(
                "{name}: this model accepts only the default"
            ))),
            _ => Ok(()),
        }
    }
}

impl InputMessage {
    fn check(&self, index: usize) -> Result<(), Error> {
        if !matches!(self.role.as_str(), "user" | "assistant") {
            let reason = "Input should be 'user' or 'assistant'";
            return Err(Error::invalid(format!("messages.{index}.role: {reason}")));
        }
        if self.content.is_empty() {
            let reason = "all messages must have non-empty content";
            return Err(Error::invalid(format!("messages.{index}: {reason}")));
        }
        Ok(())
    }
}

impl Content {
    fn add_to(&self, prompt: &mut Prompt, role: &str, frame: u64) {
        match self {
            Self::Text(text) => prompt.text(role, text, frame),
            Self::Blocks(blocks) => {
                for (index, block) in blocks.iter().enumerate() {
                    block.add_to(prompt, role, if index == 0 { frame } else { 0 });
                }
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Blocks(blocks) => blocks.is_empty(),
        }
    }
}

impl Block {
    fn add_to(&self, prompt: &mut Prompt, role: &str, frame: u64) {
        match &self.text {
            Some(text) => prompt.text(role, text, frame),
            None => prompt.opaque(role, frame + OTHER_BLOCK_TOKENS),
        }
        mark(prompt, self.cache_control.as_ref());
    }
}

fn mark(prompt: &mut Prompt, control: Option<&CacheControl>) {
    match control.map(|control| control.ttl.as_deref()) {
        None => {}
        Some(Some("1h")) => prompt.mark(CacheTime::OneHour),
        Some(_) => prompt.mark(CacheTime::FiveMinutes),
    }
}
