//! The vendors whose protocols are spoken.

use serde::{Deserialize, Serialize};

/// A vendor's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Anthropic's Messages API.
    Anthropic,
    /// Ollama's chat and generate API.
    Ollama,
}

impl Dialect {
    /// The vendor's name, as in `gen_ai.provider.name`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Ollama => "ollama",
        }
    }

    /// The status with which this vendor says that it has no room.
    pub(crate) fn overloaded_status(self) -> u16 {
        match self {
            Self::Anthropic => 529,
            Self::Ollama => 503,
        }
    }
}
