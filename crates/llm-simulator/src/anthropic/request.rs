//! Requests for messages: what they say, and what this vendor refuses.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    content::{Content, mark, tool_mark},
    error::Error,
};
use crate::{
    call::CallRequest,
    credentials::Caller,
    prompt::{Caching, Prompt},
    service_tier::ServiceTier,
};

/// Longest model name: the vendor's own have less than 60 characters.
const MAX_MODEL_NAME: usize = 256;
/// What the frame around each message counts.
const MESSAGE_TOKENS: u64 = 4;
/// The model line that takes no sampling parameters but their defaults.
const FIXED_SAMPLING: &str = "claude-sonnet-5";
/// The one that may not be forced to use a tool either.
const FREE_TOOL_CHOICE: &str = "claude-sonnet-5-5";
/// Marks for the cache in one request, by the vendor's rule.
const MAX_MARKS: usize = 4;
/// What a request may ask for; a higher class is a matter of the account.
const SERVICE_TIERS: [(&str, ServiceTier); 2] = [
    ("auto", ServiceTier::Standard),
    ("standard_only", ServiceTier::Standard),
];
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
    tool_choice: Option<Kind>,
    thinking: Option<Kind>,
    service_tier: Option<String>,
}

/// An object of which only the type matters.
#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct InputMessage {
    role: String,
    content: Content,
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
            service_tier: self.service_tier().unwrap_or_default(),
        }
    }

    fn service_tier(&self) -> Option<ServiceTier> {
        ServiceTier::asked(self.service_tier.as_deref(), &SERVICE_TIERS)
    }

    /// The whole prompt in the order in which the vendor caches it.
    pub(crate) fn prompt(&self) -> Prompt {
        let mut prompt = Prompt::new(Caching::Breakpoints);
        for tool in self.tools.iter().flatten() {
            prompt.text("tool", tool.get(), 0);
            mark(&mut prompt, tool_mark(tool).as_ref());
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
        self.check_marks()
    }

    fn check_marks(&self) -> Result<(), Error> {
        let mut marks = 0;
        for (index, tool) in self.tools.iter().flatten().enumerate() {
            if let Some(control) = tool_mark(tool) {
                control.check(&format!("tools.{index}"))?;
                marks += 1;
            }
        }
        if let Some(system) = &self.system {
            marks += system.check_marks("system")?;
        }
        for (index, message) in self.messages.iter().flatten().enumerate() {
            let path = format!("messages.{index}.content");
            marks += message.content.check_marks(&path)?;
        }
        if marks > MAX_MARKS {
            return Err(Error::invalid(format!(
                "A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {marks}."
            )));
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
        if self.service_tier().is_none() {
            let words = ServiceTier::list(&SERVICE_TIERS);
            let reason = format!("service_tier: Input should be one of {words}");
            return Err(Error::invalid(reason));
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
            ("thinking", is_one_of(self.thinking.as_ref(), &["enabled"])),
        ];
        match refused.into_iter().find(|(_, is_set)| *is_set) {
            Some((name, _)) if fixed => Err(Error::invalid(format!(
                "{name}: this model accepts only the default"
            ))),
            _ => self.check_tool_choice(),
        }
    }

    fn check_tool_choice(&self) -> Result<(), Error> {
        let is_free = self
            .model
            .as_deref()
            .is_some_and(|model| model.starts_with(FREE_TOOL_CHOICE));
        if is_free && is_one_of(self.tool_choice.as_ref(), &["any", "tool"]) {
            return Err(Error::invalid(
                "tool_choice: this model cannot be forced to use a tool",
            ));
        }
        Ok(())
    }
}

fn is_one_of(object: Option<&Kind>, kinds: &[&str]) -> bool {
    object.is_some_and(|object| kinds.contains(&object.kind.as_str()))
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
