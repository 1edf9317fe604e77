//! Token counts, in the words of both protocols.

use serde::Deserialize;

use crate::{answer::ReportedUsage, usage::Count};

/// What an answer counts. Chat says prompt and completion where responses say input and output;
/// servers that speak either protocol may say both.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(super) struct WireUsage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
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
    #[serde(default)]
    cached_tokens: Count,
    #[serde(default)]
    cache_write_tokens: Count,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Count,
}

impl WireUsage {
    /// `OpenAI`'s input includes the cached tokens already. It sells one lifetime of written ones,
    /// which is counted as the shorter.
    pub(super) fn reported(self) -> ReportedUsage {
        let parts = self.prompt_tokens_details.or(self.input_tokens_details);
        let parts = parts.unwrap_or_default();
        let written = self
            .completion_tokens_details
            .or(self.output_tokens_details);
        let reasoning = written.unwrap_or_default().reasoning_tokens;
        let input = self.prompt_tokens.or(self.input_tokens);
        let output = self.completion_tokens.or(self.output_tokens);
        let all = [
            input,
            output,
            parts.cached_tokens,
            parts.cache_write_tokens,
            reasoning,
        ];
        ReportedUsage {
            input: input.believed,
            output: output.believed,
            cache_read: parts.cached_tokens.or_zero(),
            cache_write_5m: parts.cache_write_tokens.or_zero(),
            cache_write_1h: 0,
            reasoning: reasoning.or_zero(),
            doubtful: all.iter().any(|count| count.doubtful),
        }
    }
}
