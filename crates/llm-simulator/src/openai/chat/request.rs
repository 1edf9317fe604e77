//! Requests for a chat completion: what they say, and what is refused.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{
    Question, capabilities,
    content::{self, Content, MESSAGE_TOKENS},
    error::Error,
};
use crate::{call::CallRequest, credentials::Caller, prompt::Prompt, service_tier::ServiceTier};

/// The fields that matter here; the others are ignored.
#[derive(Debug, Deserialize)]
pub(in crate::openai) struct ChatRequest {
    model: Option<String>,
    messages: Option<Vec<InputMessage>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    n: Option<i64>,
    reasoning_effort: Option<String>,
    tools: Option<Vec<Box<RawValue>>>,
    service_tier: Option<String>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct InputMessage {
    role: String,
    content: Option<Content>,
}

impl ChatRequest {
    pub(super) fn is_streamed(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    pub(super) fn wants_usage(&self) -> bool {
        let options = self.stream_options.as_ref();
        options.and_then(|options| options.include_usage) == Some(true)
    }

    pub(super) fn call(&self, caller: Caller) -> CallRequest {
        let limit = self.max_completion_tokens.or(self.max_tokens);
        CallRequest {
            model: self.model.clone().unwrap_or_default(),
            streamed: self.is_streamed(),
            caller,
            prompt: self.prompt(),
            max_tokens: limit.and_then(|limit| u64::try_from(limit).ok()),
            service_tier: self.service_tier().unwrap_or_default(),
        }
    }

    fn service_tier(&self) -> Result<ServiceTier, Error> {
        capabilities::service_tier(self.service_tier.as_deref())
    }

    fn prompt(&self) -> Prompt {
        let mut prompt = content::prompt(self.tools());
        for message in self.messages.iter().flatten() {
            match &message.content {
                Some(content) => content.add_to(&mut prompt, &message.role),
                None => prompt.opaque(&message.role, MESSAGE_TOKENS),
            }
        }
        prompt
    }

    fn check_messages(&self) -> Result<(), Error> {
        let Some(messages) = &self.messages else {
            return Err(Error::missing("messages"));
        };
        if messages.is_empty() {
            return Err(Error::field(
                "messages",
                "empty_array",
                "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            ));
        }
        for (index, message) in messages.iter().enumerate() {
            message.check(index)?;
        }
        Ok(())
    }

    fn check_limits(&self, model: &str) -> Result<(), Error> {
        let limits = [
            ("max_tokens", self.max_tokens),
            ("max_completion_tokens", self.max_completion_tokens),
        ];
        for (name, limit) in limits {
            if limit.is_some_and(|limit| limit < 1) {
                let message =
                    format!("Invalid '{name}': integer below minimum value. Expected 1 or more.");
                return Err(Error::field(name, "integer_below_min_value", message));
            }
        }
        match (self.max_tokens, self.max_completion_tokens) {
            (Some(_), Some(_)) => Err(Error::field(
                "max_tokens",
                "invalid_parameter_combination",
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            )),
            (Some(_), None) if capabilities::reasons(model) => Err(Error::field(
                "max_tokens",
                "unsupported_parameter",
                "Unsupported parameter: 'max_tokens' is not supported with this model. \
                 Use 'max_completion_tokens' instead.",
            )),
            _ => Ok(()),
        }
    }

    fn tools(&self) -> &[Box<RawValue>] {
        self.tools.as_deref().unwrap_or_default()
    }
}

impl Question for ChatRequest {
    fn check(&self) -> Result<(), Error> {
        let model = capabilities::model(self.model.as_deref())?;
        self.check_messages()?;
        self.check_limits(model)?;
        if self.stream_options.is_some() && !self.is_streamed() {
            return Err(Error::field(
                "stream_options",
                "invalid_value",
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            ));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(Error::field(
                "n",
                "unsupported_value",
                "Unsupported value: the simulator gives one choice, so 'n' must be 1.",
            ));
        }
        self.service_tier()?;
        capabilities::sampling(model, self.temperature, self.top_p)?;
        capabilities::effort(model, "reasoning_effort", self.reasoning_effort.as_deref())?;
        capabilities::chat_tools(model, self.tools().len())
    }
}

impl InputMessage {
    fn check(&self, index: usize) -> Result<(), Error> {
        match self.role.as_str() {
            // An assistant's message may consist of tool calls alone.
            "assistant" => Ok(()),
            "system" | "developer" | "user" | "tool" | "function" if self.content.is_some() => {
                Ok(())
            }
            "system" | "developer" | "user" | "tool" | "function" => {
                let param = format!("messages[{index}].content");
                let message = format!("Invalid value for '{param}': expected a string, got null.");
                Err(Error::field(param, "invalid_type", message))
            }
            role => {
                let param = format!("messages[{index}].role");
                let message = format!(
                    "Invalid value: {role:?}. Supported values are: 'system', 'assistant', \
                     'user', 'function', 'tool', and 'developer'."
                );
                Err(Error::field(param, "invalid_value", message))
            }
        }
    }
}
