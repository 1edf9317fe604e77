//! The vendors whose protocols are spoken.

use serde::{Deserialize, Serialize};

use crate::seed;

/// Length of the random part of an id, as in the vendors' own.
pub(crate) const ID_LENGTH: usize = 24;

/// A vendor's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// Anthropic's Messages API.
    Anthropic,
    /// `OpenAI`'s chat completions and responses.
    OpenAi,
    /// Ollama's chat and generate API.
    Ollama,
    /// Amazon Bedrock's runtime: converse and invoke.
    Bedrock,
    /// LM Studio's, which is `OpenAI`'s under an address of its own.
    LmStudio,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::OpenAi,
        Self::Ollama,
        Self::Bedrock,
        Self::LmStudio,
    ];

    /// The vendor's name, as in `gen_ai.provider.name`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
            Self::Bedrock => "aws.bedrock",
            Self::LmStudio => "lmstudio",
        }
    }

    /// The status with which this vendor says that it has no room.
    pub(crate) fn overloaded_status(self) -> u16 {
        match self {
            Self::Anthropic => 529,
            Self::OpenAi | Self::Ollama | Self::Bedrock | Self::LmStudio => 503,
        }
    }

    /// The id of a request, as this vendor writes it.
    pub(crate) fn request_id(self, generator: &mut fastrand::Rng) -> String {
        match self {
            Self::Anthropic | Self::OpenAi | Self::Ollama | Self::LmStudio => {
                seed::identifier(generator, "req_", ID_LENGTH)
            }
            Self::Bedrock => uuid::Builder::from_random_bytes(generator.u128(..).to_be_bytes())
                .into_uuid()
                .to_string(),
        }
    }
}
