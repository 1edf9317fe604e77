//! Each provider's own settings, by the variables of its vendor where there are any.

use reqwest::Url;
use secrecy::SecretString;
use service_defaults::environment::Environment;

use super::address::{BaseUrl, ModelName, OllamaHost, Region};
use crate::OpenAiStyle;

/// Anthropic's settings.
#[derive(Debug, Clone)]
pub struct ClaudeConfig {
    /// The key; without one the provider is not configured.
    pub key: Option<SecretString>,
    /// The server, without `/v1`.
    pub base: Url,
    /// The model of requests that name none.
    pub model: String,
    /// The class of service that requests ask for, in the vendor's word; `None` asks for none.
    pub service_tier: Option<&'static str>,
}

/// Ollama's settings.
#[derive(Debug, Clone)]
pub struct OllamaConfig {
    /// The server.
    pub base: Url,
    /// The model of requests that name none.
    pub model: String,
}

/// `OpenAI`'s settings.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// The key; without one the provider is not configured.
    pub key: Option<SecretString>,
    /// The server, with `/v1`.
    pub base: Url,
    /// The model of requests that name none.
    pub model: String,
    /// Which of the two protocols is spoken.
    pub style: OpenAiStyle,
    /// The class of service that requests ask for, in the vendor's word; `None` asks for none.
    pub service_tier: Option<&'static str>,
}

/// LM Studio's settings.
#[derive(Debug, Clone)]
pub struct LmStudioConfig {
    /// The server, with `/v1`; without one the provider is not configured.
    pub base: Option<Url>,
    /// The model of requests that name none.
    pub model: String,
}

/// Amazon Bedrock's settings.
#[derive(Debug, Clone)]
pub struct BedrockConfig {
    /// Who asks; without them the provider is not configured.
    pub credentials: Option<BedrockCredentials>,
    /// The region that requests are signed for.
    pub region: String,
    /// The server.
    pub base: Url,
    /// The model of requests that name none.
    pub model: String,
    /// The class of service that requests ask for, in the vendor's word; `None` asks for none.
    pub service_tier: Option<&'static str>,
}

/// How Bedrock knows us.
#[derive(Debug, Clone)]
pub enum BedrockCredentials {
    /// A key that is sent as it is.
    Bearer(SecretString),
    /// A key that signs each request.
    AccessKey {
        /// Its name.
        id: SecretString,
        /// The key itself.
        secret: SecretString,
        /// What a temporary key is sent with.
        session_token: Option<SecretString>,
    },
}

impl ClaudeConfig {
    pub(super) fn read(environment: &mut Environment) -> Self {
        Self {
            key: environment.secret(
                "ANTHROPIC_API_KEY",
                "key for Claude; without one Claude is not configured",
            ),
            base: environment
                .parsed::<BaseUrl>(
                    "ANTHROPIC_BASE_URL",
                    "https://api.anthropic.com",
                    "Claude's server, without /v1",
                )
                .0,
            model: environment
                .parsed::<ModelName>("ANTHROPIC_MODEL", "claude-sonnet-5-5", "Claude's model")
                .0,
            service_tier: environment.optional_choice(
                "ANTHROPIC_SERVICE_TIER",
                &["auto", "standard_only"],
                "class of service that Claude is asked for: auto, standard_only; without one none",
            ),
        }
    }
}

impl OllamaConfig {
    pub(super) fn read(environment: &mut Environment) -> Self {
        Self {
            base: environment
                .parsed::<OllamaHost>(
                    "OLLAMA_HOST",
                    "http://127.0.0.1:11434",
                    "Ollama's server: a URL, or host:port",
                )
                .0,
            model: environment
                .parsed::<ModelName>("OLLAMA_MODEL", "llama3.2", "Ollama's model")
                .0,
        }
    }
}

impl OpenAiConfig {
    pub(super) fn read(environment: &mut Environment) -> Self {
        Self {
            key: environment.secret(
                "OPENAI_API_KEY",
                "key for OpenAI; without one OpenAI is not configured",
            ),
            base: environment
                .parsed::<BaseUrl>(
                    "OPENAI_BASE_URL",
                    "https://api.openai.com/v1",
                    "OpenAI's server, with /v1",
                )
                .0,
            model: environment
                .parsed::<ModelName>("OPENAI_MODEL", "gpt-6.1-terra", "OpenAI's model")
                .0,
            style: match environment.choice(
                "OPENAI_API_STYLE",
                "chat",
                &["chat", "responses"],
                "which of OpenAI's protocols is spoken",
            ) {
                "responses" => OpenAiStyle::Responses,
                _ => OpenAiStyle::Chat,
            },
            service_tier: environment.optional_choice(
                "OPENAI_SERVICE_TIER",
                &["auto", "default", "flex", "scale", "priority"],
                "class of service that OpenAI is asked for: auto, default, flex, scale, priority; \
                 without one none",
            ),
        }
    }
}

impl LmStudioConfig {
    pub(super) fn read(environment: &mut Environment) -> Self {
        Self {
            base: environment
                .optional_parsed::<BaseUrl>(
                    "LMSTUDIO_BASE_URL",
                    "LM Studio's server, with /v1; without one LM Studio is not configured",
                )
                .map(|base| base.0),
            model: environment
                .parsed::<ModelName>("LMSTUDIO_MODEL", "openai/gpt-oss-20b", "LM Studio's model")
                .0,
        }
    }
}

impl BedrockConfig {
    pub(super) fn read(environment: &mut Environment) -> Self {
        let credentials = BedrockCredentials::read(environment);
        let Region(region) = environment.parsed("AWS_REGION", "us-east-1", "the region of Bedrock");
        let base = environment.parsed::<BaseUrl>(
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            &format!("https://bedrock-runtime.{region}.amazonaws.com"),
            "Bedrock's server; without one that of the region",
        );
        Self {
            credentials,
            region,
            base: base.0,
            model: environment
                .parsed::<ModelName>("BEDROCK_MODEL", "amazon.nova-lite-v1:0", "Bedrock's model")
                .0,
            service_tier: environment.optional_choice(
                "BEDROCK_SERVICE_TIER",
                &["default", "flex", "priority", "reserved"],
                "class of service that Bedrock is asked for: default, flex, priority, reserved; \
                 without one none",
            ),
        }
    }
}

impl BedrockCredentials {
    fn read(environment: &mut Environment) -> Option<Self> {
        let bearer = environment.secret(
            "AWS_BEARER_TOKEN_BEDROCK",
            "key for Bedrock; without one requests are signed with the access key",
        );
        let id = environment.secret("AWS_ACCESS_KEY_ID", "name of the access key for Bedrock");
        let secret = environment.secret(
            "AWS_SECRET_ACCESS_KEY",
            "access key for Bedrock; without any key Bedrock is not configured",
        );
        let session_token = environment.secret(
            "AWS_SESSION_TOKEN",
            "sent with an access key that is temporary",
        );
        if id.is_some() != secret.is_some() {
            let name = if id.is_some() {
                "AWS_SECRET_ACCESS_KEY"
            } else {
                "AWS_ACCESS_KEY_ID"
            };
            environment.reject(name, "is missing: an access key has two halves");
        }
        let access_key = || {
            Some(Self::AccessKey {
                id: id?,
                secret: secret?,
                session_token,
            })
        };
        bearer.map(Self::Bearer).or_else(access_key)
    }
}
