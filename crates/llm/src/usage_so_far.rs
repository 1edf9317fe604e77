//! The tokens of a stream that has not ended.

use crate::{
    ChatEvent, ChatRequest, Usage,
    usage::{estimate_tokens, tokens_of_characters},
};

/// What a stream has used until now: what a broken or abandoned one is booked with, and what its
/// readers are told before the provider's own count comes at the end.
#[derive(Debug, Clone)]
pub struct UsageSoFar {
    input_estimate: u64,
    started: bool,
    reported: Option<Usage>,
    characters: usize,
}

impl UsageSoFar {
    /// Of the stream that answers `request`, before its first event.
    #[must_use]
    pub fn new(request: &ChatRequest) -> Self {
        Self {
            input_estimate: estimate_tokens(request.prompt_texts()),
            started: false,
            reported: None,
            characters: 0,
        }
    }

    /// Takes note of an event.
    pub fn observe(&mut self, event: &ChatEvent) {
        match event {
            ChatEvent::Started { usage, .. } => {
                self.started = true;
                self.reported = *usage;
                // Text from before belongs to another attempt.
                self.characters = 0;
            }
            ChatEvent::Delta(text) => self.characters += text.chars().count(),
            // It has the provider's own count.
            ChatEvent::Finished(_) => {}
        }
    }

    /// The input as the provider said at the start, or estimated; the output estimated from the
    /// text, which may be less than what the model had already written. Nothing before the start.
    #[must_use]
    pub fn usage(&self) -> Usage {
        if !self.started {
            return Usage::default();
        }
        let reported = self.reported.unwrap_or(Usage {
            input_tokens: self.input_estimate,
            ..Usage::default()
        });
        Usage {
            output_tokens: tokens_of_characters(self.characters).max(reported.output_tokens),
            estimated: true,
            ..reported
        }
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;
    use crate::{CallContext, Message};

    fn request() -> ChatRequest {
        ChatRequest {
            model: None,
            system: Some("abcd".to_owned()),
            messages: vec![Message::user("efgh")],
            max_tokens: 10,
            temperature: None,
            context: CallContext::new(TenantId::development(), "summary", None),
        }
    }

    fn started(usage: Option<Usage>) -> ChatEvent {
        ChatEvent::Started {
            model: "m".to_owned(),
            response_id: None,
            request_id: None,
            usage,
            fallback: None,
        }
    }

    #[test]
    fn what_the_provider_said_goes_before_an_estimate() {
        let mut so_far = UsageSoFar::new(&request());
        assert_eq!(so_far.usage(), Usage::default());
        so_far.observe(&started(None));
        so_far.observe(&ChatEvent::Delta("äöüß".to_owned()));
        so_far.observe(&ChatEvent::Delta("x".to_owned()));
        let usage = so_far.usage();
        assert_eq!((usage.input_tokens, usage.output_tokens), (2, 2));
        assert!(usage.estimated);

        let mut so_far = UsageSoFar::new(&request());
        so_far.observe(&started(Some(Usage {
            input_tokens: 70,
            cache_read_tokens: 30,
            output_tokens: 5,
            ..Usage::default()
        })));
        so_far.observe(&ChatEvent::Delta("x".to_owned()));
        let usage = so_far.usage();
        assert_eq!((usage.input_tokens, usage.cache_read_tokens), (70, 30));
        assert_eq!(usage.output_tokens, 5);
    }
}
