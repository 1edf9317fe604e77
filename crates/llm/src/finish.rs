//! Why an answer ended, in no vendor's own word.

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model had said all; or its provider gives no reason, or one that we do not know.
    Complete,
    /// It had no more tokens, or no more room: the text breaks off.
    Cut,
    /// The model, or a filter of its provider, would not answer.
    Refused,
}

/// The vendors' words for an answer that breaks off: Anthropic's and Bedrock's, `OpenAI`'s and
/// Ollama's, and those of `OpenAI`'s responses.
const CUT: [&str; 5] = [
    "max_tokens",
    "model_context_window_exceeded",
    "length",
    "max_output_tokens",
    "incomplete",
];

/// Those for one that was not given: Anthropic's, `OpenAI`'s, and Bedrock's.
const REFUSED: [&str; 4] = [
    "refusal",
    "content_filter",
    "content_filtered",
    "guardrail_intervened",
];

impl Finish {
    /// What a vendor's word means.
    #[must_use]
    pub fn of(reason: Option<&str>) -> Self {
        let is_one_of = |words: &[&str]| {
            reason.is_some_and(|reason| words.iter().any(|word| reason.eq_ignore_ascii_case(word)))
        };
        if is_one_of(&REFUSED) {
            Self::Refused
        } else if is_one_of(&CUT) {
            Self::Cut
        } else {
            Self::Complete
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_words_are_sorted() {
        for reason in ["max_tokens", "length", "MAX_OUTPUT_TOKENS", "incomplete"] {
            assert_eq!(Finish::of(Some(reason)), Finish::Cut, "{reason}");
        }
        for reason in ["refusal", "content_filter", "guardrail_intervened"] {
            assert_eq!(Finish::of(Some(reason)), Finish::Refused, "{reason}");
        }
        for reason in ["end_turn", "stop", "stop_sequence", "completed", "eosFound"] {
            assert_eq!(Finish::of(Some(reason)), Finish::Complete, "{reason}");
        }
        assert_eq!(Finish::of(None), Finish::Complete);
    }
}
