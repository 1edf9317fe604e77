//! Requests for a chat or a completion: what they say, and what is refused.

use serde::{Deserialize, de::IgnoredAny};

use super::error::Error;
use crate::{call::CallRequest, tokenizer};

/// Longest model name: the vendor's own have less than 100 characters.
const MAX_MODEL_NAME: usize = 256;
/// What the template around each message counts.
const MESSAGE_TOKENS: u64 = 4;
/// What an image counts here; the vendor's own figure depends on the model.
const IMAGE_TOKENS: u64 = 100;

/// A request that has a prompt of some kind.
pub(super) trait Prompt {
    fn model(&self) -> &str;
    fn input_tokens(&self) -> u64;
    fn is_streamed(&self) -> bool;
    fn max_tokens(&self) -> Option<u64>;

    /// An empty prompt asks only that the model be loaded.
    fn only_loads(&self) -> bool;

    fn check(&self) -> Result<(), Error> {
        check_model(self.model())
    }

    fn call(&self) -> CallRequest {
        CallRequest {
            model: self.model().to_owned(),
            streamed: self.is_streamed(),
            input_tokens: self.input_tokens(),
            max_tokens: self.max_tokens(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    #[serde(default)]
    model: String,
    #[serde(default)]
    messages: Vec<InputMessage>,
    stream: Option<bool>,
    options: Option<Options>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GenerateRequest {
    #[serde(default)]
    model: String,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    system: String,
    #[serde(default)]
    suffix: String,
    images: Option<Vec<IgnoredAny>>,
    stream: Option<bool>,
    options: Option<Options>,
}

#[derive(Debug, Deserialize)]
struct InputMessage {
    role: String,
    #[serde(default)]
    content: String,
    images: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Deserialize)]
struct Options {
    /// A limit on the answer; not positive means none.
    num_predict: Option<i64>,
}

impl Prompt for ChatRequest {
    fn model(&self) -> &str {
        &self.model
    }

    fn input_tokens(&self) -> u64 {
        self.messages.iter().map(InputMessage::tokens).sum()
    }

    fn is_streamed(&self) -> bool {
        self.stream.unwrap_or(true)
    }

    fn max_tokens(&self) -> Option<u64> {
        limit(self.options.as_ref())
    }

    fn only_loads(&self) -> bool {
        self.messages.is_empty()
    }

    fn check(&self) -> Result<(), Error> {
        check_model(&self.model)?;
        let known = |role: &str| matches!(role, "system" | "user" | "assistant" | "tool");
        match self.messages.iter().find(|message| !known(&message.role)) {
            Some(message) => Err(Error::invalid(format!("invalid role: {:?}", message.role))),
            None => Ok(()),
        }
    }
}

impl Prompt for GenerateRequest {
    fn model(&self) -> &str {
        &self.model
    }

    fn input_tokens(&self) -> u64 {
        let text = [&self.system, &self.prompt, &self.suffix];
        MESSAGE_TOKENS
            + text
                .into_iter()
                .map(|text| tokenizer::count(text))
                .sum::<u64>()
            + image_tokens(self.images.as_deref())
    }

    fn is_streamed(&self) -> bool {
        self.stream.unwrap_or(true)
    }

    fn max_tokens(&self) -> Option<u64> {
        limit(self.options.as_ref())
    }

    fn only_loads(&self) -> bool {
        self.prompt.is_empty()
    }
}

impl InputMessage {
    fn tokens(&self) -> u64 {
        MESSAGE_TOKENS + tokenizer::count(&self.content) + image_tokens(self.images.as_deref())
    }
}

fn check_model(model: &str) -> Result<(), Error> {
    match model.len() {
        0 => Err(Error::invalid("model is required")),
        1..=MAX_MODEL_NAME => Ok(()),
        _ => Err(Error::invalid("invalid model name")),
    }
}

fn image_tokens(images: Option<&[IgnoredAny]>) -> u64 {
    IMAGE_TOKENS * images.map_or(0, <[IgnoredAny]>::len) as u64
}

fn limit(options: Option<&Options>) -> Option<u64> {
    let limit = options.and_then(|options| options.num_predict)?;
    u64::try_from(limit).ok().filter(|limit| *limit > 0)
}
