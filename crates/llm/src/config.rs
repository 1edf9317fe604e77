//! The settings of the LLM layer.

use std::{str::FromStr, time::Duration};

use reqwest::Url;
use secrecy::SecretString;
use service_defaults::environment::Environment;

use crate::{Deadlines, ProviderName, RetryPolicy, is_model_name};

/// The longest deadline that can be set; longer ones would outlive every caller.
const MAX_PATIENCE: Duration = Duration::from_secs(600);

/// Ollama's own port, meant where its address names none.
const OLLAMA_PORT: u16 = 11_434;

/// Everything that [`Llm::build`](crate::Llm::build) needs to know.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// Who answers a request that names no provider.
    pub default_provider: ProviderName,
    /// Anthropic.
    pub claude: ClaudeConfig,
    /// Ollama.
    pub ollama: OllamaConfig,
    /// Providers in whose place a simulator answers: their money is not real.
    pub simulated: Vec<ProviderName>,
    /// How long a provider may stay silent.
    pub deadlines: Deadlines,
    /// How often and for how long a call is tried.
    pub retries: RetryPolicy,
}

/// Anthropic's settings.
#[derive(Debug, Clone)]
pub struct ClaudeConfig {
    /// The key; without one the provider is not configured.
    pub key: Option<SecretString>,
    /// The server, without `/v1`.
    pub base: Url,
    /// The model of requests that name none.
    pub model: String,
}

/// Ollama's settings.
#[derive(Debug, Clone)]
pub struct OllamaConfig {
    /// The server.
    pub base: Url,
    /// The model of requests that name none.
    pub model: String,
}

impl LlmConfig {
    /// Reads the settings; errors are collected by `environment`.
    pub fn read(environment: &mut Environment) -> Self {
        let default_provider = environment.parsed(
            "LLM_PROVIDER",
            "ollama",
            "who answers a request without ?provider=: claude, openai, ollama, bedrock, lmstudio",
        );
        Self {
            default_provider,
            claude: ClaudeConfig::read(environment),
            ollama: OllamaConfig::read(environment),
            simulated: environment
                .parsed::<ProviderList>(
                    "BOOKSTORE_SIMULATED_PROVIDERS",
                    "",
                    "comma list of providers whose address is a simulator's: their cost is marked simulated",
                )
                .0,
            deadlines: read_deadlines(environment),
            retries: read_retries(environment),
        }
    }
}

impl ClaudeConfig {
    fn read(environment: &mut Environment) -> Self {
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
        }
    }
}

impl OllamaConfig {
    fn read(environment: &mut Environment) -> Self {
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

fn read_retries(environment: &mut Environment) -> RetryPolicy {
    RetryPolicy {
        total: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_TOTAL_TIMEOUT",
                "60s",
                "of a whole model call, all attempts and waits included",
            )
            .0,
        attempts: environment
            .parsed::<Attempts>(
                "BOOKSTORE_LLM_ATTEMPTS",
                "3",
                "most attempts of a model call, 1 to 10",
            )
            .0,
        max_retry_after: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_MAX_RETRY_AFTER",
                "10s",
                "a provider that asks to wait longer is not tried again",
            )
            .0,
        ..RetryPolicy::default()
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

struct BaseUrl(Url);

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Url = text
            .parse()
            .map_err(|error| format!("is no URL: {error}"))?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
            Ok(Self(url))
        } else {
            Err("must be an http or https URL without credentials, query or fragment".to_owned())
        }
    }
}

struct OllamaHost(Url);

impl FromStr for OllamaHost {
    type Err = String;

    /// Ollama's own forms: a URL, `host:port` or `host`; the address that a server listens on
    /// everywhere is reached on loopback.
    fn from_str(text: &str) -> Result<Self, String> {
        let bare = !text.contains("://");
        let with_scheme = if bare {
            format!("http://{text}")
        } else {
            text.to_owned()
        };
        let BaseUrl(mut url) = with_scheme.parse()?;
        if bare && url.port().is_none() && !text.ends_with(":80") {
            url.set_port(Some(OLLAMA_PORT))
                .map_err(|()| "takes no port".to_owned())?;
        }
        if url.host_str() == Some("0.0.0.0") {
            url.set_host(Some("127.0.0.1"))
                .map_err(|error| error.to_string())?;
        }
        Ok(Self(url))
    }
}

struct ModelName(String);

impl FromStr for ModelName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_model_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be 1 to 200 of A-Z a-z 0-9 . _ : / @ -")
        }
    }
}

struct Patience(Duration);

impl FromStr for Patience {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "must be a time such as 250ms or 10s, above 0, at most 10 minutes";
        let time: jiff::SignedDuration = text.parse().map_err(|_| EXPECTED)?;
        Duration::try_from(time)
            .ok()
            .filter(|time| !time.is_zero() && *time <= MAX_PATIENCE)
            .map(Self)
            .ok_or(EXPECTED)
    }
}

struct Attempts(u32);

impl FromStr for Attempts {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .ok()
            .filter(|attempts| (1..=10).contains(attempts))
            .map(Self)
            .ok_or("must be a number from 1 to 10")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(config.ollama.base.as_str(), "http://127.0.0.1:11434/");
        assert!(config.claude.key.is_none());
        assert!(config.simulated.is_empty());
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
            let (config, errors) = read(&[("OLLAMA_HOST", text)]);
            assert_eq!(errors, Vec::<String>::new(), "{text}");
            assert_eq!(config.ollama.base.as_str(), expected);
        }
    }

    #[test]
    fn values_that_cannot_be_are_named() {
        for (name, value) in [
            ("LLM_PROVIDER", "gpt"),
            ("ANTHROPIC_BASE_URL", "ftp://x"),
            ("ANTHROPIC_BASE_URL", "https://key@api.anthropic.com"),
            ("ANTHROPIC_MODEL", "a b"),
            ("OLLAMA_HOST", "::"),
            ("BOOKSTORE_SIMULATED_PROVIDERS", "claude,nobody"),
            ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "0s"),
            ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "-1s"),
            ("BOOKSTORE_LLM_TOTAL_TIMEOUT", "1e9h"),
            ("BOOKSTORE_LLM_IDLE_TIMEOUT", "15"),
            ("BOOKSTORE_LLM_ATTEMPTS", "0"),
        ] {
            let (_, errors) = read(&[(name, value)]);
            assert_eq!(errors.len(), 1, "{name}={value}: {errors:?}");
            assert!(errors[0].starts_with(name), "{errors:?}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let (config, _) = read(&[("ANTHROPIC_API_KEY", "canary-7")]);
        assert!(!format!("{config:?}").contains("canary"));
    }
}
