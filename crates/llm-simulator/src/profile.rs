//! A profile: how quickly a simulated model answers, and how much it says.

mod assignment;
mod built_in;

pub(crate) use assignment::Profiles;
pub use assignment::{Assignment, AssignmentError, ModelProfiles};
pub use built_in::BUILT_IN;

use serde::{Deserialize, Serialize};

use crate::{
    distribution::{Delay, Percentiles},
    load::Load,
};

/// Longest answer that a profile may ask for, in tokens; it bounds the memory
/// of an answer that is not streamed.
const MAX_OUTPUT_TOKENS: u64 = 100_000;
/// No machine reads a prompt faster; the slowest reads a token in a second.
const PREFILL: std::ops::RangeInclusive<f64> = 1.0..=10_000_000.0;

/// What a profile looks like in TOML (settings) and JSON (control API).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileText {
    /// A name for people: 1 to 64 characters.
    pub name: String,
    /// From the request's arrival, or from the queue's end, to the first token.
    #[serde(rename = "timeToFirstTokenMs", alias = "time_to_first_token_ms")]
    pub time_to_first_token_ms: Percentiles,
    /// From one token to the next.
    #[serde(rename = "interTokenGapMs", alias = "inter_token_gap_ms")]
    pub inter_token_gap_ms: Percentiles,
    /// Length of an answer; drawn evenly between both ends.
    #[serde(rename = "outputTokens", alias = "output_tokens")]
    pub output_tokens: TokenRange,
    /// Reasoning before an answer, counted as output and not shown; drawn
    /// evenly between both ends. Left out: none.
    #[serde(
        rename = "reasoningTokens",
        alias = "reasoning_tokens",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub reasoning_tokens: Option<TokenRange>,
    /// How fast a prompt is read, but for the part that is cached: what it takes
    /// comes on top of the time to the first token. Left out: at once.
    #[serde(
        rename = "prefillTokensPerSecond",
        alias = "prefill_tokens_per_second",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub prefill_tokens_per_second: Option<f64>,
    /// How the machine behaves under load. Left out: no load slows it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
}

/// A number of tokens, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRange {
    /// Fewest; at least 1.
    pub min: u64,
    /// Most; at most 100,000.
    pub max: u64,
}

/// A checked profile.
#[derive(Debug, Clone)]
pub struct Profile {
    text: ProfileText,
    pub(crate) first_token: Delay,
    pub(crate) gap: Delay,
}

/// Why a profile was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A field of the profile is out of its range.
    #[error("{field}: {reason}")]
    Field {
        /// The field as it is spelled in JSON.
        field: &'static str,
        /// What would be accepted.
        reason: String,
    },
    /// The file cannot be read.
    #[error("cannot read profile file {path}: {reason}")]
    File {
        /// The file that was asked for.
        path: String,
        /// What the system or the parser said.
        reason: String,
    },
    /// Neither a built-in profile nor a `.toml` file.
    #[error("unknown profile {0:?}; known: {known}, or the path of a .toml file", known = BUILT_IN.join(", "))]
    Unknown(String),
}

impl Profile {
    /// Checks a profile that was read.
    ///
    /// # Errors
    /// Names the field that is out of its range.
    pub fn check(text: ProfileText) -> Result<Self, ProfileError> {
        let refuse = |field| move |reason: String| ProfileError::Field { field, reason };
        if text.name.is_empty() || text.name.chars().count() > 64 {
            return Err(refuse("name")("must have 1 to 64 characters".to_owned()));
        }
        text.output_tokens.check().map_err(refuse("outputTokens"))?;
        if let Some(reasoning) = text.reasoning_tokens {
            reasoning.check().map_err(refuse("reasoningTokens"))?;
        }
        if let Some(rate) = text.prefill_tokens_per_second
            && !PREFILL.contains(&rate)
        {
            let reason = "must be between 1 and 10000000".to_owned();
            return Err(refuse("prefillTokensPerSecond")(reason));
        }
        if let Some(load) = &text.load {
            load.check().map_err(refuse("load"))?;
        }
        let first_token = Delay::from_percentiles(text.time_to_first_token_ms)
            .map_err(refuse("timeToFirstTokenMs"))?;
        let gap =
            Delay::from_percentiles(text.inter_token_gap_ms).map_err(refuse("interTokenGapMs"))?;
        Ok(Self {
            text,
            first_token,
            gap,
        })
    }

    /// The profile as it is written.
    #[must_use]
    pub fn text(&self) -> &ProfileText {
        &self.text
    }
}

impl TokenRange {
    fn check(self) -> Result<(), String> {
        if self.min < 1 || self.max < self.min || self.max > MAX_OUTPUT_TOKENS {
            return Err(format!("needs 1 <= min <= max <= {MAX_OUTPUT_TOKENS}"));
        }
        Ok(())
    }
}

impl std::str::FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::load(text)
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Profile, ProfileText};
    use crate::{distribution::Percentiles, load::Load};

    #[test]
    fn toml_and_json_spell_the_same_profile() {
        let toml = "name = 'slow'\nprefill_tokens_per_second = 50\n\
                    [time_to_first_token_ms]\np50 = 900\np95 = 2000\n\
                    [inter_token_gap_ms]\np50 = 20\np95 = 30\n[output_tokens]\nmin = 1\nmax = 2\n\
                    [load]\nslots = 2\nqueue = 3\nslowdown = 1.5\n";
        let from_toml: ProfileText = toml::from_str(toml).unwrap();
        let json = serde_json::to_string(&from_toml).unwrap();
        assert!(json.contains("timeToFirstTokenMs") && json.contains("prefillTokensPerSecond"));
        assert_eq!(
            serde_json::from_str::<ProfileText>(&json).unwrap(),
            from_toml
        );
        assert!(Profile::check(from_toml).is_ok());
    }

    #[test]
    fn a_wrong_field_is_named() {
        type Change = (&'static str, fn(&mut ProfileText));
        let change: [Change; 6] = [
            ("name", |text| text.name.clear()),
            ("outputTokens", |text| text.output_tokens.min = 0),
            ("reasoningTokens", |text| {
                text.reasoning_tokens = Some(super::TokenRange { min: 2, max: 1 });
            }),
            ("prefillTokensPerSecond", |text| {
                text.prefill_tokens_per_second = Some(f64::INFINITY);
            }),
            ("load", |text| {
                text.load = Some(Load {
                    slots: 0,
                    queue: 0,
                    slowdown: 1.0,
                });
            }),
            ("interTokenGapMs", |text| {
                text.inter_token_gap_ms = Percentiles { p50: 1.0, p95: 0.5 };
            }),
        ];
        for (field, change) in change {
            let mut text = Profile::standard().text().clone();
            change(&mut text);
            let refused = Profile::check(text).unwrap_err().to_string();
            assert!(refused.starts_with(field), "{refused}");
        }
    }
}
