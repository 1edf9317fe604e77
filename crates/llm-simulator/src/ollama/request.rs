//! Requests for a chat or a completion: what they say, and what is refused.

use serde::{Deserialize, de::IgnoredAny};

use super::error::Error;
use crate::{
    call::CallRequest,
    credentials::Caller,
    prompt::{Caching, Prompt},
    service_tier::ServiceTier,
};

/// Longest model name: the vendor's own have less than 100 characters.
const MAX_MODEL_NAME: usize = 256;
/// What the template around each message counts.
const MESSAGE_TOKENS: u64 = 4;
/// What an image counts here; the vendor's own figure depends on the model.
const IMAGE_TOKENS: u64 = 100;

/// A request that has a prompt of some kind.
pub(super) trait Asking {
    fn model(&self) -> &str;
    fn prompt(&self) -> Prompt;
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
            caller: Caller::anonymous(),
            prompt: self.prompt(),
            max_tokens: self.max_tokens(),
            service_tier: ServiceTier::Standard,
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

impl Asking for ChatRequest {
    fn model(&self) -> &str {
        &self.model
    }

    fn prompt(&self) -> Prompt {
        let mut prompt = Prompt::new(Caching::Off);
        for message in &self.messages {
            prompt.text(&message.role, &message.content, MESSAGE_TOKENS);
            add_images(&mut prompt, message.images.as_deref());
        }
        prompt
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

impl Asking for GenerateRequest {
    fn model(&self) -> &str {
        &self.model
    }

    fn prompt(&self) -> Prompt {
        let mut prompt = Prompt::new(Caching::Off);
        prompt.text("system", &self.system, MESSAGE_TOKENS);
        prompt.text("user", &self.prompt, 0);
        prompt.text("suffix", &self.suffix, 0);
        add_images(&mut prompt, self.images.as_deref());
        prompt
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

fn check_model(model: &str) -> Result<(), Error> {
    match model.len() {
        0 => Err(Error::invalid("model is required")),
        1..=MAX_MODEL_NAME => Ok(()),
        _ => Err(Error::invalid("invalid model name")),
    }
}

fn add_images(prompt: &mut Prompt, images: Option<&[IgnoredAny]>) {
    for _ in images.unwrap_or_default() {
        prompt.opaque("image", IMAGE_TOKENS);
    }
}

fn limit(options: Option<&Options>) -> Option<u64> {
    let limit = options.and_then(|options| options.num_predict)?;
    u64::try_from(limit).ok().filter(|limit| *limit > 0)
}
