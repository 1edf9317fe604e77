//! Requests to converse: what they say, and what is refused.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{
    Asked,
    error::Error,
    model, parse,
    service_tier::{self, AskedTier},
};
use crate::prompt::{CacheTime, Caching, Prompt};

/// What the frame around each message counts.
const MESSAGE_TOKENS: u64 = 4;
/// What an image, a document or a tool's block counts here; the vendor's own
/// figure depends on its content, which the simulator does not look into.
const OTHER_BLOCK_TOKENS: u64 = 100;
/// The model line that takes no sampling parameters but their defaults.
const FIXED_SAMPLING: &str = "anthropic.claude-sonnet-5";
/// The default of `temperature` and `topP` there.
const DEFAULT_SAMPLING: f64 = 1.0;

/// The fields that matter here; the others are ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConverseRequest {
    messages: Option<Vec<Message>>,
    system: Option<Vec<Block>>,
    inference_config: Option<InferenceConfig>,
    tool_config: Option<ToolConfig>,
    service_tier: Option<AskedTier>,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    content: Vec<Block>,
}

/// A text, a mark for the cache, or something else.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    cache_point: Option<CachePoint>,
}

#[derive(Debug, Deserialize)]
struct CachePoint {
    ttl: Option<TimeToLive>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum TimeToLive {
    #[serde(rename = "5m")]
    FiveMinutes,
    #[serde(rename = "1h")]
    OneHour,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InferenceConfig {
    max_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct ToolConfig {
    tools: Vec<Box<RawValue>>,
}

/// What a body asks for.
///
/// # Errors
/// Names the field that is wrong.
pub(in crate::bedrock) fn read(bytes: &[u8], model: &str) -> Result<Asked, Error> {
    let request: ConverseRequest = parse(bytes)?;
    request.check_messages()?;
    request.check_inference(model)?;
    let config = request.inference_config.as_ref();
    Ok(Asked {
        max_tokens: config.and_then(|config| config.max_tokens),
        prompt: request.prompt(),
        service_tier: service_tier::in_body(request.service_tier.as_ref())?,
    })
}

impl ConverseRequest {
    fn prompt(&self) -> Prompt {
        let mut prompt = Prompt::new(Caching::Breakpoints);
        for tool in self.tool_config.iter().flat_map(|config| &config.tools) {
            // A list of tools may hold marks, too.
            match serde_json::from_str(tool.get()) {
                Ok(Block {
                    cache_point: Some(point),
                    ..
                }) => point.mark(&mut prompt),
                _ => prompt.text("tool", tool.get(), 0),
            }
        }
        for block in self.system.iter().flatten() {
            block.add_to(&mut prompt, "system");
        }
        for message in self.messages.iter().flatten() {
            prompt.opaque(&message.role, MESSAGE_TOKENS);
            for block in &message.content {
                block.add_to(&mut prompt, &message.role);
            }
        }
        prompt
    }

    fn check_messages(&self) -> Result<(), Error> {
        let messages = self.messages.as_deref().unwrap_or_default();
        for (index, message) in messages.iter().enumerate() {
            if !matches!(message.role.as_str(), "user" | "assistant") {
                return Err(Error::invalid(format!(
                    "messages.{index}.role: Member must satisfy enum value set: [user, assistant]"
                )));
            }
            let says_something = |block: &Block| block.text.as_deref() != Some("");
            if message.content.is_empty() || !message.content.iter().all(says_something) {
                return Err(Error::invalid(format!(
                    "The content field in the Message object at messages.{index} is empty. \
                     Add a ContentBlock object to the content field and try again."
                )));
            }
        }
        match messages.first() {
            Some(first) if first.role == "user" => Ok(()),
            _ => Err(Error::invalid(
                "messages: A conversation must start with a user message. \
                 Try again with a conversation that starts with a user message.",
            )),
        }
    }

    fn check_inference(&self, model: &str) -> Result<(), Error> {
        let Some(config) = &self.inference_config else {
            return Ok(());
        };
        if config.max_tokens.is_some_and(|limit| limit < 1) {
            return Err(Error::invalid(
                "inferenceConfig.maxTokens: Member must have value greater than or equal to 1",
            ));
        }
        let fixed = model::name(model).starts_with(FIXED_SAMPLING);
        for (name, value) in [("temperature", config.temperature), ("topP", config.top_p)] {
            let Some(value) = value else { continue };
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::invalid(format!(
                    "inferenceConfig.{name}: Member must have value between 0 and 1"
                )));
            }
            if fixed && value < DEFAULT_SAMPLING {
                return Err(Error::invalid(format!(
                    "inferenceConfig.{name}: this model accepts only the default"
                )));
            }
        }
        Ok(())
    }
}

impl Block {
    fn add_to(&self, prompt: &mut Prompt, role: &str) {
        match (&self.cache_point, &self.text) {
            (Some(point), _) => point.mark(prompt),
            (None, Some(text)) => prompt.text(role, text, 0),
            (None, None) => prompt.opaque(role, OTHER_BLOCK_TOKENS),
        }
    }
}

impl CachePoint {
    fn mark(&self, prompt: &mut Prompt) {
        prompt.mark(match self.ttl {
            Some(TimeToLive::OneHour) => CacheTime::OneHour,
            Some(TimeToLive::FiveMinutes) | None => CacheTime::FiveMinutes,
        });
    }
}
