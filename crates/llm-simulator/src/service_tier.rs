//! The classes of service at which the vendors sell a call.

use serde::{Deserialize, Serialize};

/// A class of service. Anthropic's `auto` and `OpenAI`'s `auto` are answered by
/// the usual one, as for an account that has bought no other.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ServiceTier {
    /// What who asks for nothing gets.
    #[default]
    Standard,
    /// Slower and cheaper.
    Flex,
    /// Faster and dearer.
    Priority,
    /// Capacity that was bought before, at `OpenAI`.
    Scale,
    /// The same at Bedrock.
    Reserved,
}

/// What a vendor's words ask for.
pub(crate) type Words = [(&'static str, ServiceTier)];

impl ServiceTier {
    /// What a word of a request asks for; `None` for one that the vendor does not know.
    pub(crate) fn asked(word: Option<&str>, words: &Words) -> Option<Self> {
        let Some(word) = word else {
            return Some(Self::Standard);
        };
        let found = words.iter().find(|(known, _)| *known == word)?;
        Some(found.1)
    }

    /// The class that a reply names, in any vendor's word; `None` for another word.
    pub(crate) fn said(word: &str) -> Option<Self> {
        Some(match word {
            "standard" | "default" => Self::Standard,
            "flex" => Self::Flex,
            "priority" => Self::Priority,
            "scale" => Self::Scale,
            "reserved" => Self::Reserved,
            _ => return None,
        })
    }

    /// The word of `OpenAI` and Bedrock in a reply: the usual class is their default.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Standard => "default",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Scale => "scale",
            Self::Reserved => "reserved",
        }
    }

    /// A vendor's words, as its refusals list them.
    pub(crate) fn list(words: &Words) -> String {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
        words.join(", ")
    }
}
