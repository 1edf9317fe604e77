//! Requests for a response: what they say, and what is refused.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::{
        Question, capabilities,
        content::{self, Content, MESSAGE_TOKENS},
        error::Error,
    },
    wire::Echo,
};
use crate::{call::CallRequest, credentials::Caller, prompt::Prompt, service_tier::ServiceTier};

/// The vendor's least limit on an answer.
const LEAST_OUTPUT_TOKENS: i64 = 16;
/// What an item of a kind that the simulator does not look into counts.
const OTHER_ITEM_TOKENS: u64 = 100;

/// The fields that matter here; the others are ignored.
#[derive(Debug, Deserialize)]
pub(in crate::openai) struct ResponsesRequest {
    model: Option<String>,
    input: Option<Input>,
    stream: Option<bool>,
    previous_response_id: Option<String>,
    tools: Option<Vec<Box<RawValue>>>,
    #[serde(flatten)]
    pub(super) echo: Echo,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Items(Vec<Item>),
}

/// A message, or something else that has a type and no role.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: Option<String>,
    role: Option<String>,
    content: Option<Content>,
    output: Option<Content>,
}

impl ResponsesRequest {
    pub(super) fn is_streamed(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    pub(super) fn call(&self, caller: Caller) -> CallRequest {
        let limit = self.echo.max_output_tokens;
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
        capabilities::service_tier(self.echo.service_tier.as_deref())
    }

    fn prompt(&self) -> Prompt {
        let mut prompt = content::prompt(self.tools.as_deref().unwrap_or_default());
        if let Some(instructions) = &self.echo.instructions {
            prompt.text("developer", instructions, MESSAGE_TOKENS);
        }
        match &self.input {
            Some(Input::Text(text)) => prompt.text("user", text, MESSAGE_TOKENS),
            Some(Input::Items(items)) => items.iter().for_each(|item| item.add_to(&mut prompt)),
            None => {}
        }
        prompt
    }
}

impl Question for ResponsesRequest {
    fn check(&self) -> Result<(), Error> {
        let model = capabilities::model(self.model.as_deref())?;
        match &self.input {
            None => return Err(Error::missing("input")),
            Some(Input::Items(items)) if items.is_empty() => {
                let message =
                    "Invalid 'input': empty array. Expected an array with minimum length 1.";
                return Err(Error::field("input", "empty_array", message));
            }
            Some(Input::Items(items)) => {
                for (index, item) in items.iter().enumerate() {
                    item.check(index)?;
                }
            }
            Some(Input::Text(_)) => {}
        }
        if let Some(id) = &self.previous_response_id {
            let message = format!("Previous response with id '{id}' not found.");
            let (param, code) = ("previous_response_id", "previous_response_not_found");
            return Err(Error::field(param, code, message));
        }
        let limit = self.echo.max_output_tokens;
        if limit.is_some_and(|limit| limit < LEAST_OUTPUT_TOKENS) {
            let message =
                "Invalid 'max_output_tokens': integer below minimum value. Expected 16 or more.";
            let (param, code) = ("max_output_tokens", "integer_below_min_value");
            return Err(Error::field(param, code, message));
        }
        self.service_tier()?;
        capabilities::sampling(model, self.echo.temperature, self.echo.top_p)?;
        capabilities::effort(model, "reasoning.effort", self.echo.effort())
    }
}

impl Item {
    fn add_to(&self, prompt: &mut Prompt) {
        let role = self.role.as_deref().unwrap_or("item");
        match self.content.as_ref().or(self.output.as_ref()) {
            Some(content) => content.add_to(prompt, role),
            None => prompt.opaque(role, OTHER_ITEM_TOKENS),
        }
    }

    fn check(&self, index: usize) -> Result<(), Error> {
        let is_message = self.kind.as_deref().unwrap_or("message") == "message";
        if !is_message {
            return Ok(());
        }
        match self.role.as_deref() {
            Some("user" | "assistant" | "system" | "developer") => {}
            role => {
                let param = format!("input[{index}].role");
                let message = format!(
                    "Invalid value: {:?}. Supported values are: 'assistant', 'system', \
                     'developer', and 'user'.",
                    role.unwrap_or_default()
                );
                return Err(Error::field(param, "invalid_value", message));
            }
        }
        if self.content.is_none() {
            let param = format!("input[{index}].content");
            let message = format!("Missing required parameter: '{param}'.");
            return Err(Error::field(param, "missing_required_parameter", message));
        }
        Ok(())
    }
}
