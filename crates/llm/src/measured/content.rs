//! What was asked and answered, on the span of an attempt, for an operator who wants it there.
//!
//! Off unless asked for, as OpenTelemetry's conventions want it: messages are sensitive and large.
//! The attributes and their JSON are the conventions' own (`gen_ai.input.messages` and the others).

use serde_json::{Value, json};
use tracing::Span;

use crate::{ChatRequest, ChatResponse, Message, MessageRole, Secrets};

/// Most bytes of one text: a summary and its prompt fit in, and a batch of 512 spans stays within
/// the four megabytes that a collector takes at once.
const MAX_TEXT_BYTES: usize = 2_048;

/// Most messages of one request; ours have one.
const MAX_MESSAGES: usize = 4;

/// Writes messages on spans, without our keys.
pub(super) struct Content(Secrets);

impl Content {
    pub(super) const fn new(secrets: Secrets) -> Self {
        Self(secrets)
    }

    /// What the model is asked.
    pub(super) fn asked(&self, span: &Span, request: &ChatRequest) {
        if span.is_none() {
            return;
        }
        if let Some(system) = &request.system {
            let parts = json!([self.part(system)]);
            span.record("gen_ai.system_instructions", parts.to_string());
        }
        let messages = request.messages.iter().take(MAX_MESSAGES);
        let messages: Vec<Value> = messages.map(|message| self.message(message)).collect();
        span.record("gen_ai.input.messages", Value::from(messages).to_string());
    }

    /// What the model says, as a whole.
    pub(super) fn answered(&self, span: &Span, response: &ChatResponse) {
        if span.is_none() {
            return;
        }
        let message = json!([{
            "role": "assistant",
            "parts": [self.part(&response.text)],
            "finish_reason": response.finish_reason.as_deref().unwrap_or("unknown"),
        }]);
        span.record("gen_ai.output.messages", message.to_string());
    }

    fn message(&self, message: &Message) -> Value {
        let role = match message.role {
            MessageRole::User => "user",
            MessageRole::Assistant => "assistant",
        };
        json!({"role": role, "parts": [self.part(&message.content)]})
    }

    /// Masked before it is cut, so that no key is cut in two.
    fn part(&self, text: &str) -> Value {
        let mut text = self.0.mask(text);
        if text.len() > MAX_TEXT_BYTES {
            let mut end = MAX_TEXT_BYTES;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str("… (cut)");
        }
        json!({"type": "text", "content": text})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_bounded_in_characters_that_are_whole() {
        let content = Content::new(Secrets::default());
        let part = content.part(&"書".repeat(MAX_TEXT_BYTES));
        let text = part["content"].as_str().unwrap();
        assert!(text.ends_with("書… (cut)") && text.len() < MAX_TEXT_BYTES + 16);
        let whole = "x".repeat(MAX_TEXT_BYTES);
        assert_eq!(content.part(&whole)["content"], whole);
    }
}
