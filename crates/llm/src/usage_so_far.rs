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
    /// Pieces of text, of which each has a token at least.
    pieces: u64,
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
            pieces: 0,
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
                self.pieces = 0;
            }
            ChatEvent::Delta(text) => {
                self.characters += text.chars().count();
                self.pieces += u64::from(!text.is_empty());
            }
            // It has the provider's own count.
            ChatEvent::Finished(_) => {}
        }
    }

    /// What has been used once the provider has the request: before its first sign at least the
    /// prompt, which it may be reading, and charges.
    #[must_use]
    pub(crate) fn usage_once_sent(&self) -> Usage {
        if self.started {
            return self.usage();
        }
        Usage {
            input_tokens: self.input_estimate,
            estimated: true,
            ..Usage::default()
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
        let written = tokens_of_characters(self.characters).max(self.pieces);
        Usage {
            output_tokens: written.max(reported.output_tokens),
            estimated: true,
            ..reported
        }
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;
    use crate::{CallContext, Message, OpeningLatency};

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
            service_tier: None,
            fallback: None,
            latency: OpeningLatency::default(),
        }
    }

    #[test]
    fn what_the_provider_said_goes_before_an_estimate() {
        let mut so_far = UsageSoFar::new(&request());
        assert_eq!(so_far.usage(), Usage::default());
        let sent = so_far.usage_once_sent();
        assert_eq!((sent.input_tokens, sent.output_tokens), (2, 0));
        assert!(sent.estimated);
        so_far.observe(&started(None));
        assert_eq!(so_far.usage(), so_far.usage_once_sent());
        so_far.observe(&ChatEvent::Delta("äöüß".to_owned()));
        so_far.observe(&ChatEvent::Delta("x".to_owned()));
        let usage = so_far.usage();
        assert_eq!((usage.input_tokens, usage.output_tokens), (2, 2));
        assert!(usage.estimated);
        so_far.observe(&ChatEvent::Delta(".".to_owned()));
        so_far.observe(&ChatEvent::Delta(String::new()));
        assert_eq!(so_far.usage().output_tokens, 3);

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
