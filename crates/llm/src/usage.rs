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

/// Reads a token count that may be absent, null, negative, fractional or absurd: only a believable
/// one is a count.
///
/// # Errors
/// Only when the JSON itself is broken.
pub(crate) fn believable_count<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| value.as_u64()).and_then(believed))
}

/// A count, if it is believable.
pub(crate) fn believed(count: u64) -> Option<u64> {
    (count <= MAX_TOKENS).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Counted {
        #[serde(default, deserialize_with = "believable_count")]
        count: Option<u64>,
    }

    #[test]
    fn only_believable_counts_are_counts() {
        for (json, expected) in [
            (r#"{"count": 12}"#, Some(12)),
            (r#"{"count": 0}"#, Some(0)),
            (r#"{"count": 100000000}"#, Some(MAX_TOKENS)),
            (r#"{"count": 100000001}"#, None),
            (r#"{"count": -1}"#, None),
            (r#"{"count": 1.5}"#, None),
            (r#"{"count": 1e300}"#, None),
            (r#"{"count": "12"}"#, None),
            (r#"{"count": null}"#, None),
            (r#"{"count": {"nested": [1]}}"#, None),
            ("{}", None),
        ] {
            let counted: Counted = serde_json::from_str(json).expect("well-formed JSON");
            assert_eq!(counted.count, expected, "{json}");
        }
    }

    #[test]
    fn estimates_round_up_and_count_characters() {
        assert_eq!(estimate_tokens(["", ""]), 0);
        assert_eq!(estimate_tokens(["ab", "c"]), 1);
        assert_eq!(estimate_tokens(["äöüß", "x"]), 2);
    }
}
