//! Token counts in OpenTelemetry's meaning, and their estimate where a provider gives none.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Largest count that is believed; ten times the largest context window on sale. A provider that
/// sends more (or less than 0) is treated as one that sends nothing.
pub(crate) const MAX_TOKENS: u64 = 100_000_000;

/// Characters of English text in one token, by rule of thumb.
const CHARACTERS_PER_TOKEN: usize = 4;

/// The tokens of one attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, the cached ones included.
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Of the input: read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Of the input: written to the cache for five minutes.
    pub cache_write_5m_tokens: u64,
    /// Of the input: written to the cache for an hour.
    pub cache_write_1h_tokens: u64,
    /// Of the output: reasoning.
    pub reasoning_tokens: u64,
    /// Whether a count was estimated from the text because the provider gave none.
    pub estimated: bool,
}

impl Usage {
    /// Of the input: neither read from nor written to the cache.
    #[must_use]
    pub fn uncached_input_tokens(&self) -> u64 {
        self.input_tokens
            .saturating_sub(self.cache_read_tokens)
            .saturating_sub(self.cache_write_tokens())
    }

    /// Of the input: written to the cache, for five minutes or an hour.
    #[must_use]
    pub fn cache_write_tokens(&self) -> u64 {
        self.cache_write_5m_tokens
            .saturating_add(self.cache_write_1h_tokens)
    }
}

/// Estimates the tokens of a text that is given in pieces: four characters a token, rounded up.
pub(crate) fn estimate_tokens<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let characters: usize = texts.into_iter().map(|text| text.chars().count()).sum();
    tokens_of_characters(characters)
}

/// Estimates the tokens of a number of characters.
pub(crate) fn tokens_of_characters(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(CHARACTERS_PER_TOKEN)).unwrap_or(u64::MAX)
}

/// A token count as a provider reports it. What is absent or null is no count; what is negative,
/// fractional, absurd or no number is one that is not believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// `None`: there is none, or none that is believed.
    pub(crate) believed: Option<u64>,
    /// Whether there was one that is not believed.
    pub(crate) doubtful: bool,
}

impl Count {
    /// Of a number that was reported.
    pub(crate) fn of(tokens: impl TryInto<u64>) -> Self {
        let believed = tokens.try_into().ok();
        let believed = believed.filter(|count| *count <= MAX_TOKENS);
        Self {
            believed,
            doubtful: believed.is_none(),
        }
    }

    /// The count, or 0.
    pub(crate) fn or_zero(self) -> u64 {
        self.believed.unwrap_or_default()
    }

    /// This count, or else the other one; a doubt about either stays until one that is believed
    /// stands in front.
    pub(crate) fn or(self, other: Self) -> Self {
        if self.believed.is_some() {
            return self;
        }
        Self {
            believed: other.believed,
            doubtful: self.doubtful || other.doubtful,
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    /// Fails only when the JSON itself is broken.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(match value.as_u64() {
            _ if value.is_null() => Self::default(),
            Some(tokens) => Self::of(tokens),
            None => Self {
                believed: None,
                doubtful: true,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Counted {
        #[serde(default)]
        count: Count,
    }

    #[test]
    fn only_believable_counts_are_counts_and_others_are_doubtful() {
        for (json, believed, doubtful) in [
            (r#"{"count": 12}"#, Some(12), false),
            (r#"{"count": 0}"#, Some(0), false),
            (r#"{"count": 100000000}"#, Some(MAX_TOKENS), false),
            (r#"{"count": 100000001}"#, None, true),
            (r#"{"count": -1}"#, None, true),
            (r#"{"count": 1.5}"#, None, true),
            (r#"{"count": 1e300}"#, None, true),
            (r#"{"count": "12"}"#, None, true),
            (r#"{"count": {"nested": [1]}}"#, None, true),
            (r#"{"count": null}"#, None, false),
            ("{}", None, false),
        ] {
            let counted: Counted = serde_json::from_str(json).expect("well-formed JSON");
            assert_eq!(counted.count, Count { believed, doubtful }, "{json}");
        }
        assert!(Count::of(-1_i32).doubtful);
    }

    #[test]
    fn a_believed_count_goes_before_a_doubtful_one() {
        let (none, doubtful, ten) = (Count::default(), Count::of(-1_i32), Count::of(10_u64));
        assert_eq!(ten.or(doubtful), ten);
        let kept = Count {
            believed: Some(10),
            doubtful: true,
        };
        assert_eq!(doubtful.or(ten), kept);
        assert_eq!(none.or(doubtful), doubtful);
        assert_eq!(none.or(ten), ten);
    }

    #[test]
    fn estimates_round_up_and_count_characters() {
        assert_eq!(estimate_tokens(["", ""]), 0);
        assert_eq!(estimate_tokens(["ab", "c"]), 1);
        assert_eq!(estimate_tokens(["äöüß", "x"]), 2);
    }
}
