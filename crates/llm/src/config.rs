//! The settings of the LLM layer.

mod address;
mod hosts;
mod resilience;
mod vendors;

use std::str::FromStr;

use service_defaults::{environment::Environment, host_names::HostNames, patience::Patience};

use crate::{BulkheadLimits, CircuitPolicy, Deadlines, FallbackPolicy, ProviderName, RetryPolicy};

pub use vendors::{
    BedrockConfig, BedrockCredentials, ClaudeConfig, LmStudioConfig, OllamaConfig, OpenAiConfig,
};

/// Everything that [`Llm::build`](crate::Llm::build) needs to know.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// Who answers a request that names no provider.
    pub default_provider: ProviderName,
    /// Anthropic.
    pub claude: ClaudeConfig,
    /// `OpenAI`.
    pub openai: OpenAiConfig,
    /// Ollama.
    pub ollama: OllamaConfig,
    /// Amazon Bedrock.
    pub bedrock: BedrockConfig,
    /// LM Studio.
    pub lm_studio: LmStudioConfig,
    /// Providers in whose place a simulator answers: their money is not real.
    pub simulated: Vec<ProviderName>,
    /// How long a provider may stay silent.
    pub deadlines: Deadlines,
    /// How often and for how long a call is tried.
    pub retries: RetryPolicy,
    /// When a provider is no longer asked.
    pub circuit: CircuitPolicy,
    /// How much one provider gets to do at once.
    pub bulkhead: BulkheadLimits,
    /// Who is asked when the default provider fails.
    pub fallback: FallbackPolicy,
    /// Whether spans have what is asked and answered.
    pub messages_on_spans: bool,
}

impl LlmConfig {
    /// Reads the settings; errors are collected by `environment`.
    pub fn read(environment: &mut Environment) -> Self {
        let default_provider = environment.parsed(
            "LLM_PROVIDER",
            "ollama",
            "who answers a request without ?provider=: claude, openai, ollama, bedrock, lmstudio",
        );
        let deadlines = read_deadlines(environment);
        let listed: HostNames = environment.parsed(
            hosts::SETTING,
            "",
            "hosts that providers may have beside their vendors' own and loopback: name,…",
        );
        let config = Self {
            default_provider,
            claude: ClaudeConfig::read(environment),
            openai: OpenAiConfig::read(environment),
            ollama: OllamaConfig::read(environment),
            bedrock: BedrockConfig::read(environment),
            lm_studio: LmStudioConfig::read(environment),
            simulated: environment
                .parsed::<ProviderList>(
                    "BOOKSTORE_SIMULATED_PROVIDERS",
                    "",
                    "comma list of providers whose address is a simulator's: their cost is marked simulated",
                )
                .0,
            deadlines,
            retries: resilience::read_retries(environment),
            circuit: resilience::read_circuit(environment, deadlines),
            bulkhead: resilience::read_bulkhead(environment),
            fallback: resilience::read_fallback(environment, default_provider),
            messages_on_spans: environment.choice(
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
                "NO_CONTENT",
                &["NO_CONTENT", "SPAN_ONLY"],
                "SPAN_ONLY puts prompts and answers on spans: sensitive, for trials only",
            ) == "SPAN_ONLY",
        };
        config.check_hosts(&listed, environment);
        config
    }
}

fn read_deadlines(environment: &mut Environment) -> Deadlines {
    Deadlines {
        connect: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_CONNECT_TIMEOUT",
                "2s",
                "until a connection to a model provider stands",
            )
            .0,
        first_byte: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_FIRST_BYTE_TIMEOUT",
                "10s",
                "until the first byte of a streamed answer",
            )
            .0,
        idle: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_IDLE_TIMEOUT",
                "15s",
                "between two bytes of a streamed answer",
            )
            .0,
    }
}

struct ProviderList(Vec<ProviderName>);

impl FromStr for ProviderList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| {
                name.parse()
                    .map_err(|error| format!("has {name:?}, which {error}"))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpenAiStyle;

    fn read(pairs: &[(&str, &str)]) -> (LlmConfig, Vec<String>) {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut environment = Environment::of_pairs(pairs);
        let config = LlmConfig::read(&mut environment);
        let errors = environment.errors().iter().map(ToString::to_string);
        let errors = errors.collect();
        (config, errors)
    }

    #[test]
    fn defaults_are_those_of_the_types() {
        let (config, errors) = read(&[]);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(config.default_provider, ProviderName::Ollama);
        assert_eq!(config.deadlines, Deadlines::default());
        assert_eq!(config.retries, RetryPolicy::default());
        assert_eq!(config.circuit, CircuitPolicy::default());
        assert_eq!(config.bulkhead, BulkheadLimits::default());
        assert_eq!(config.fallback, FallbackPolicy::default());
        assert_eq!(config.ollama.base.as_str(), "http://127.0.0.1:11434/");
        assert!(config.claude.key.is_none());
        assert!(config.openai.key.is_none());
        assert_eq!(config.openai.style, OpenAiStyle::Chat);
        assert!(config.bedrock.credentials.is_none());
        assert_eq!(
            config.bedrock.base.as_str(),
            "https://bedrock-runtime.us-east-1.amazonaws.com/"
        );
        assert!(config.lm_studio.base.is_none());
        assert!(config.simulated.is_empty());
        assert!(!config.messages_on_spans);
    }

    #[test]
    fn ollamas_own_forms_of_an_address_are_read() {
        for (text, expected) in [
            ("localhost", "http://localhost:11434/"),
            ("0.0.0.0", "http://127.0.0.1:11434/"),
            ("10.0.0.7:8080", "http://10.0.0.7:8080/"),
            ("https://models.example", "https://models.example/"),
            ("http://127.0.0.1:7010", "http://127.0.0.1:7010/"),
        ] {
            let listed = (hosts::SETTING, "10.0.0.7,models.example");
            let (config, errors) = read(&[("OLLAMA_HOST", text), listed]);
            assert_eq!(errors, Vec::<String>::new(), "{text}");
            assert_eq!(config.ollama.base.as_str(), expected);
        }
    }

    #[test]
    fn values_that_cannot_be_are_named() {
        for (name, value) in [
            ("LLM_PROVIDER", "gpt"),
            (
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
                "EVENT_ONLY",
            ),
            ("ANTHROPIC_BASE_URL", "ftp://x"),
            ("ANTHROPIC_BASE_URL", "https://key@api.anthropic.com"),
            ("ANTHROPIC_MODEL", "a b"),
            ("OLLAMA_HOST", "::"),
            ("OPENAI_API_STYLE", "completions"),
            ("OPENAI_BASE_URL", "https://api.openai.com/v1?x=1"),
            ("OPENAI_MODEL", "a\nb"),
            ("ANTHROPIC_SERVICE_TIER", "priority"),
            ("OPENAI_SERVICE_TIER", "standard"),
            ("BEDROCK_SERVICE_TIER", "auto"),
            ("LMSTUDIO_BASE_URL", "127.0.0.1"),
            ("AWS_REGION", "eu west"),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "s3://x"),
            ("BOOKSTORE_SIMULATED_PROVIDERS", "claude,nobody"),
            ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "0s"),
            ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "-1s"),
            ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "1e9h"),
            ("BOOKSTORE_LLM_IDLE_TIMEOUT", "15"),
            ("BOOKSTORE_LLM_ATTEMPTS", "0"),
            ("BOOKSTORE_LLM_RETRY_BUDGET", "1001"),
            ("BOOKSTORE_LLM_CIRCUIT_FAULTS", "-1"),
            ("BOOKSTORE_LLM_CIRCUIT_OPEN", "0s"),
            ("BOOKSTORE_LLM_CONCURRENCY", "0"),
            ("BOOKSTORE_LLM_QUEUE", "1e3"),
            ("BOOKSTORE_LLM_QUEUE_TIMEOUT", "2"),
            ("LLM_FALLBACK", "gpt"),
            ("LLM_FALLBACK", "ollama"),
            ("LLM_FALLBACK", "claude,claude"),
            ("LLM_FALLBACK_AFTER_TEXT", "maybe"),
        ] {
            let (_, errors) = read(&[(name, value)]);
            assert_eq!(errors.len(), 1, "{name}={value}: {errors:?}");
            assert!(errors[0].starts_with(name), "{errors:?}");
        }
    }

    #[test]
    fn a_bearer_key_wins_over_an_access_key_and_the_region_is_in_the_address() {
        let access_key = [
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-west-1"),
        ];
        let (config, errors) = read(&access_key);
        assert_eq!(errors, Vec::<String>::new());
        assert!(matches!(
            config.bedrock.credentials,
            Some(BedrockCredentials::AccessKey { .. })
        ));
        assert_eq!(
            config.bedrock.base.as_str(),
            "https://bedrock-runtime.eu-west-1.amazonaws.com/"
        );
        let both = [access_key.as_slice(), &[("AWS_BEARER_TOKEN_BEDROCK", "b")]].concat();
        let (config, _) = read(&both);
        assert!(matches!(
            config.bedrock.credentials,
            Some(BedrockCredentials::Bearer(_))
        ));
    }

    #[test]
    fn a_class_of_service_is_asked_for_in_the_vendors_words() {
        let (config, errors) = read(&[
            ("ANTHROPIC_SERVICE_TIER", "standard_only"),
            ("OPENAI_SERVICE_TIER", "flex"),
            ("BEDROCK_SERVICE_TIER", "priority"),
        ]);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(config.claude.service_tier, Some("standard_only"));
        assert_eq!(config.openai.service_tier, Some("flex"));
        assert_eq!(config.bedrock.service_tier, Some("priority"));
        let (config, _) = read(&[("OPENAI_SERVICE_TIER", "")]);
        assert_eq!(config.openai.service_tier, None);
    }

    #[test]
    fn half_an_access_key_is_an_error() {
        for (given, missing) in [
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ] {
            let (config, errors) = read(&[(given, "canary")]);
            assert_eq!(errors.len(), 1);
            assert!(errors[0].starts_with(missing) && !errors[0].contains("canary"));
            assert!(config.bedrock.credentials.is_none());
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let (config, _) = read(&[
            ("ANTHROPIC_API_KEY", "canary-1"),
            ("OPENAI_API_KEY", "canary-2"),
            ("AWS_ACCESS_KEY_ID", "canary-3"),
            ("AWS_SECRET_ACCESS_KEY", "canary-4"),
            ("AWS_SESSION_TOKEN", "canary-5"),
        ]);
        assert!(!format!("{config:?}").contains("canary"));
        let (config, _) = read(&[("AWS_BEARER_TOKEN_BEDROCK", "canary-6")]);
        assert!(!format!("{config:?}").contains("canary"));
    }
}
