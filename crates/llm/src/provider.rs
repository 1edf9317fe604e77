//! The one trait that every model provider and every decorator around one implements.

use std::{fmt, str::FromStr, sync::Arc};

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::{ChatEvent, ChatRequest, ChatResponse, LlmError, ServiceTier};

/// The events of one streamed answer.
///
/// First [`ChatEvent::Started`], then any number of [`ChatEvent::Delta`], last exactly one
/// [`ChatEvent::Finished`]. A stream that ends in any other way yields an error as its last item.
/// Where a setting allows a fallback after text, a further [`ChatEvent::Started`] begins anew.
pub type ChatStream = BoxStream<'static, Result<ChatEvent, LlmError>>;

/// A model provider, or a decorator around one.
///
/// An implementation ends a call with [`LlmError::Timeout`] when
/// [`CallContext::deadline`](crate::CallContext::deadline) passes, and closes the connection when
/// the future or the stream is dropped.
#[async_trait]
pub trait LlmProvider: Send + Sync {
    /// Which provider this is.
    fn name(&self) -> ProviderName;

    /// The model of a request that names none.
    fn model(&self) -> &str;

    /// The server that answers.
    fn endpoint(&self) -> &Endpoint;

    /// The class of service that requests ask for.
    fn service_tier(&self) -> ServiceTier {
        ServiceTier::STANDARD
    }

    /// Asks for the whole answer at once.
    ///
    /// # Errors
    /// Everything that [`LlmError`] tells apart.
    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError>;

    /// Asks for the answer as it is made.
    ///
    /// # Errors
    /// Everything that [`LlmError`] tells apart, here before the stream begins, later as its last
    /// item.
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError>;
}

/// A provider that this layer knows by name, configured or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderName {
    /// Anthropic's messages API.
    Claude,
    /// `OpenAI`.
    OpenAi,
    /// A local or remote Ollama.
    Ollama,
    /// Amazon Bedrock.
    Bedrock,
    /// LM Studio.
    LmStudio,
}

impl ProviderName {
    /// Every provider, in the order of the API's messages.
    pub const ALL: [Self; 5] = [
        Self::Claude,
        Self::OpenAi,
        Self::Ollama,
        Self::Bedrock,
        Self::LmStudio,
    ];

    /// The name in our API and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
            Self::Bedrock => "bedrock",
            Self::LmStudio => "lmstudio",
        }
    }

    /// The value of `gen_ai.provider.name`.
    #[must_use]
    pub const fn telemetry_name(self) -> &'static str {
        match self {
            Self::Claude => "anthropic",
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
            Self::Bedrock => "aws.bedrock",
            Self::LmStudio => "lmstudio",
        }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not one of claude, openai, ollama, bedrock, lmstudio")]
pub struct UnknownProvider;

impl FromStr for ProviderName {
    type Err = UnknownProvider;

    /// Reads either spelling, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        Self::ALL
            .into_iter()
            .find(|name| {
                text.eq_ignore_ascii_case(name.as_str())
                    || text.eq_ignore_ascii_case(name.telemetry_name())
            })
            .ok_or(UnknownProvider)
    }
}

/// The address of a provider, as its spans name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or address.
    pub address: Arc<str>,
    /// TCP port.
    pub port: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_provider_are_read() {
        for name in ProviderName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(name.telemetry_name().to_uppercase().parse(), Ok(name));
        }
        assert_eq!("".parse::<ProviderName>(), Err(UnknownProvider));
        assert_eq!("claude2".parse::<ProviderName>(), Err(UnknownProvider));
    }
}
