//! What a caller asks a model for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tenancy::TenantId;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Bill, ProviderName, RequestCost};

/// Longest model name; the longest known ones are Bedrock ARNs of about 150 characters.
const MAX_MODEL_NAME: usize = 200;

/// One question to a model, in no provider's own words.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The model, or `None` for the provider's configured one. See [`is_model_name`].
    pub model: Option<String>,
    /// Instructions that stand above the messages.
    pub system: Option<String>,
    /// The conversation, oldest message first.
    pub messages: Vec<Message>,
    /// Most tokens that the answer may have.
    pub max_tokens: u32,
    /// Sampling temperature; left out for models that refuse it.
    pub temperature: Option<f32>,
    /// Who asks, and why.
    pub context: CallContext,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: MessageRole,
    /// What is said.
    pub content: String,
}

/// Who speaks in a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRole {
    /// The person, or the program on its behalf.
    User,
    /// The model.
    Assistant,
}

/// What the ledger, the spans and the deadlines know of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallContext {
    /// The same for all attempts of one call.
    pub call_id: Uuid,
    /// Who pays.
    pub tenant: TenantId,
    /// The load test that the call belongs to.
    pub test_id: Option<String>,
    /// What the answer is for, such as `summary`; a label of the cost counter.
    pub feature: &'static str,
    /// The variant of an experiment that the call is made for.
    pub variant: Option<String>,
    /// Name and version of the prompt, such as `book-summary-1`.
    pub prompt_version: Option<String>,
    /// What all attempts for the same answer cost; another call for it goes on with it.
    pub cost: RequestCost,
    /// Where the attempt is to say what it cost; set by [`Budgeted`](crate::Budgeted).
    pub bill: Option<Arc<Bill>>,
    /// 1 for the first attempt, counted over all providers that the call is made to; set by
    /// [`Resilient`](crate::Resilient).
    pub attempt: u32,
    /// Where the next attempt of the call has its number from.
    pub numbers: AttemptNumbers,
    /// Why this is not the first try: the error type of the attempt before, which may have been at
    /// another provider; set by [`Resilient`](crate::Resilient) and
    /// [`FallbackChain`](crate::FallbackChain).
    pub retry_reason: Option<&'static str>,
    /// When the call as a whole ends, retries, waits and fallbacks included; set by
    /// [`Resilient`](crate::Resilient) and [`FallbackChain`](crate::FallbackChain).
    pub deadline: Option<Instant>,
    /// How long this attempt waited for a place at the provider; set by
    /// [`Bulkhead`](crate::Bulkhead).
    pub queued: Duration,
    /// Who failed before this provider was asked; set by [`FallbackChain`](crate::FallbackChain).
    pub fallback_from: Option<ProviderName>,
}

impl CallContext {
    /// The context of a new call.
    #[must_use]
    pub fn new(tenant: TenantId, feature: &'static str, test_id: Option<String>) -> Self {
        Self {
            call_id: Uuid::now_v7(),
            tenant,
            test_id,
            feature,
            variant: None,
            prompt_version: None,
            cost: RequestCost::default(),
            bill: None,
            attempt: 1,
            numbers: AttemptNumbers::default(),
            retry_reason: None,
            deadline: None,
            queued: Duration::ZERO,
            fallback_from: None,
        }
    }
}

impl CallContext {
    /// Makes it that of another call, for the same reason and within the same time.
    pub fn begin_another_call(&mut self) {
        self.call_id = Uuid::now_v7();
        self.numbers = AttemptNumbers::default();
    }
}

/// Numbers the attempts of one call, whoever makes them: with the call's id, a number stands for one
/// attempt.
#[derive(Debug, Clone, Default)]
pub struct AttemptNumbers(Arc<AtomicU32>);

impl AttemptNumbers {
    /// 1 at first, then 2.
    pub(crate) fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }
}

impl PartialEq for AttemptNumbers {
    /// Whether they are those of the same call.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for AttemptNumbers {}

impl ChatRequest {
    /// The text that the model reads, in pieces.
    pub(crate) fn prompt_texts(&self) -> impl Iterator<Item = &str> {
        let messages = self.messages.iter().map(|message| message.content.as_str());
        self.system.as_deref().into_iter().chain(messages)
    }
}

impl Message {
    /// A message of the person.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self {
            role: MessageRole::User,
            content: content.into(),
        }
    }
}

/// Whether a text can be a model's name: 1 to 200 of `[A-Za-z0-9._:/@-]`.
///
/// Names come from requests too, and go into spans, rows and JSON bodies.
#[must_use]
pub fn is_model_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
    (1..=MAX_MODEL_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_names_are_plain() {
        for name in [
            "claude-sonnet-5-5",
            "llama3.2:latest",
            "hf.co/a/b",
            "us.amazon.nova-pro-v1:0",
        ] {
            assert!(is_model_name(name), "{name}");
        }
        for name in ["", "a b", "a\nb", "ä", &"x".repeat(201)] {
            assert!(!is_model_name(name), "{name}");
        }
    }
}
