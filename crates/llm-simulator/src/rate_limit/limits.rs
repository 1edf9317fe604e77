//! What may be limited, and how it is written.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// More than any vendor allows.
const MAX_LIMIT: u64 = 1_000_000_000;

/// What each key may use per minute in each dialect but Ollama's; absent: no limit.
///
/// As a setting: `requests=60,input_tokens=100000,output_tokens=20000`, each of
/// which may be left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimits {
    /// Calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens of prompts, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens_per_minute: Option<u64>,
    /// Tokens of answers; taken at an answer's end, so the bucket may owe some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_per_minute: Option<u64>,
}

/// Why limits were refused.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct RateLimitsError {
    /// The limit.
    pub field: String,
    /// What would be accepted.
    pub reason: &'static str,
}

impl RateLimits {
    /// Whether every limit can be kept.
    ///
    /// # Errors
    /// Names the first that cannot.
    pub fn check(self) -> Result<Self, RateLimitsError> {
        for (field, limit) in [
            ("requestsPerMinute", self.requests_per_minute),
            ("inputTokensPerMinute", self.input_tokens_per_minute),
            ("outputTokensPerMinute", self.output_tokens_per_minute),
        ] {
            if limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
                return Err(refuse(field, "must be between 1 and 1000000000"));
            }
        }
        Ok(self)
    }
}

impl FromStr for RateLimits {
    type Err = RateLimitsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut limits = Self::default();
        for part in text.split(',') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| refuse(part.trim(), "must be NAME=NUMBER"))?;
            let place = match name.trim() {
                "requests" => &mut limits.requests_per_minute,
                "input_tokens" => &mut limits.input_tokens_per_minute,
                "output_tokens" => &mut limits.output_tokens_per_minute,
                name => {
                    return Err(refuse(
                        name,
                        "must be requests, input_tokens or output_tokens",
                    ));
                }
            };
            let value = value.trim().parse();
            *place = Some(value.map_err(|_| refuse(name.trim(), "must be a whole number"))?);
        }
        limits.check()
    }
}

fn refuse(field: &str, reason: &'static str) -> RateLimitsError {
    RateLimitsError {
        field: field.to_owned(),
        reason,
    }
}
