//! Token counts, in the words of both protocols.

use serde::Deserialize;

use crate::{answer::ReportedUsage, usage::believable_count};

/// What an answer counts. Chat says prompt and completion where responses say input and output;
/// servers that speak either protocol may say both.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(super) struct WireUsage {
    #[serde(default, deserialize_with = "believable_count")]
    prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "believable_count")]
    input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "believable_count")]
    completion_tokens: Option<u64>,
    #[serde(default, deserialize_with = "believable_count")]
    output_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<InputDetails>,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    completion_tokens_details: Option<OutputDetails>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct InputDetails {
    #[serde(default, deserialize_with = "believable_count")]
    cached_tokens: Option<u64>,
    #[serde(default, deserialize_with = "believable_count")]
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct OutputDetails {
    #[serde(default, deserialize_with = "believable_count")]
    reasoning_tokens: Option<u64>,
}

impl WireUsage {
    /// `OpenAI`'s input includes the cached tokens already. It sells one lifetime of written ones,
    /// which is counted as the shorter.
    pub(super) fn reported(self) -> ReportedUsage {
        let input = self.prompt_tokens_details.or(self.input_tokens_details);
        let output = self
            .completion_tokens_details
            .or(self.output_tokens_details);
        let input = input.unwrap_or_default();
        ReportedUsage {
            input: self.prompt_tokens.or(self.input_tokens),
            output: self.completion_tokens.or(self.output_tokens),
            cache_read: input.cached_tokens.unwrap_or_default(),
            cache_write_5m: input.cache_write_tokens.unwrap_or_default(),
            cache_write_1h: 0,
            reasoning: output
                .unwrap_or_default()
                .reasoning_tokens
                .unwrap_or_default(),
        }
    }
}
