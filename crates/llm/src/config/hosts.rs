//! The servers that providers may have.
//!
//! Prompts and keys go wherever a base URL says. Beside the vendors' own hosts and this machine's,
//! a server must be on a list, so that a mistyped or foreign address shows at start.

use std::net::IpAddr;

use reqwest::Url;
use service_defaults::{environment::Environment, host_names::HostNames};

use super::{BedrockCredentials, LlmConfig};
use crate::ProviderName;

/// The setting that lists further hosts.
pub(super) const SETTING: &str = "BOOKSTORE_LLM_HOSTS";

/// A provider's server, by the setting that it stands in.
struct Server<'a> {
    provider: ProviderName,
    setting: &'static str,
    base: &'a Url,
    /// Whether a key is sent with each request.
    has_key: bool,
}

impl LlmConfig {
    /// Rejects the servers that are neither the vendors' own, nor on this machine, nor `listed`;
    /// and those that would get a real key in the clear. A simulator's key is no secret.
    pub(super) fn check_hosts(&self, listed: &HostNames, environment: &mut Environment) {
        for server in self.servers() {
            let host = server.base.host_str().unwrap_or_default();
            if is_loopback(host) {
                continue;
            }
            if !is_vendors(server.provider, host) && !listed.contains(host) {
                environment.reject(
                    server.setting,
                    format!(
                        "has the host {host}, which is not {}'s own; {SETTING} lists others",
                        server.provider
                    ),
                );
            }
            let is_real = !self.simulated.contains(&server.provider);
            if server.has_key && is_real && server.base.scheme() == "http" {
                environment.reject(
                    server.setting,
                    "must be https: a key would leave this machine in the clear",
                );
            }
        }
    }

    fn servers(&self) -> impl Iterator<Item = Server<'_>> {
        let server = |provider, setting, base, has_key| Server {
            provider,
            setting,
            base,
            has_key,
        };
        let bearer = matches!(
            self.bedrock.credentials,
            Some(BedrockCredentials::Bearer(_))
        );
        let signs_with_token = matches!(
            self.bedrock.credentials,
            Some(BedrockCredentials::AccessKey {
                session_token: Some(_),
                ..
            })
        );
        let lm_studio = self.lm_studio.base.as_ref();
        [
            server(
                ProviderName::Claude,
                "ANTHROPIC_BASE_URL",
                &self.claude.base,
                self.claude.key.is_some(),
            ),
            server(
                ProviderName::OpenAi,
                "OPENAI_BASE_URL",
                &self.openai.base,
                self.openai.key.is_some(),
            ),
            server(
                ProviderName::Ollama,
                "OLLAMA_HOST",
                &self.ollama.base,
                false,
            ),
            server(
                ProviderName::Bedrock,
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                &self.bedrock.base,
                bearer || signs_with_token,
            ),
        ]
        .into_iter()
        .chain(
            lm_studio.map(|base| server(ProviderName::LmStudio, "LMSTUDIO_BASE_URL", base, false)),
        )
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether the vendor itself answers by this name. Bedrock has one for each region, and more for
/// private networks and for FIPS; nobody but Amazon can give one under its domains.
fn is_vendors(provider: ProviderName, host: &str) -> bool {
    match provider {
        ProviderName::Claude => host == "api.anthropic.com",
        ProviderName::OpenAi => {
            // Some regions have a host of their own, such as eu.api.openai.com.
            host == "api.openai.com" || host.ends_with(".api.openai.com")
        }
        ProviderName::Bedrock => {
            let amazons = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
            amazons.iter().any(|domain| host.ends_with(domain))
                && host
                    .split('.')
                    .any(|label| label.starts_with("bedrock-runtime"))
        }
        // They run on somebody's own machine.
        ProviderName::Ollama | ProviderName::LmStudio => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(pairs: &[(&str, &str)]) -> Vec<String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut environment = Environment::of_pairs(pairs);
        LlmConfig::read(&mut environment);
        let errors = environment.errors().iter();
        errors.map(ToString::to_string).collect()
    }

    #[test]
    fn vendors_loopback_and_listed_hosts_are_taken() {
        for pair in [
            ("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
            ("OPENAI_BASE_URL", "https://eu.api.openai.com/v1"),
            (
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
            ),
            (
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                "https://bedrock-runtime-fips.us-east-1.amazonaws.com",
            ),
            ("OLLAMA_HOST", "http://[::1]:11434"),
            ("LMSTUDIO_BASE_URL", "http://localhost:1234/v1"),
            ("ANTHROPIC_BASE_URL", "http://127.0.0.9:7010"),
        ] {
            let key = ("ANTHROPIC_API_KEY", "key");
            assert_eq!(errors(&[pair, key]), Vec::<String>::new(), "{pair:?}");
        }
        let listed = (SETTING, "models, 10.0.0.7");
        let own = [("OLLAMA_HOST", "models"), ("OLLAMA_HOST", "10.0.0.7:80")];
        for pair in own {
            assert_eq!(errors(&[pair, listed]), Vec::<String>::new());
            assert_eq!(errors(&[pair]).len(), 1);
        }
    }

    #[test]
    fn others_are_refused_by_the_settings_name() {
        for (setting, value) in [
            (
                "ANTHROPIC_BASE_URL",
                "https://api.anthropic.com.evil.example",
            ),
            ("ANTHROPIC_BASE_URL", "https://api.openai.com"),
            ("OPENAI_BASE_URL", "https://notapi.openai.com/v1"),
            (
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                "https://bedrock-runtime.evil.example",
            ),
            (
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                "https://bucket.s3.amazonaws.com",
            ),
            ("OLLAMA_HOST", "http://192.0.2.1:11434"),
            ("LMSTUDIO_BASE_URL", "http://studio.example/v1"),
            (SETTING, "http://models"),
        ] {
            let errors = errors(&[(setting, value)]);
            assert_eq!(errors.len(), 1, "{setting}={value}: {errors:?}");
            assert!(errors[0].starts_with(setting), "{errors:?}");
        }
    }

    #[test]
    fn a_real_key_does_not_leave_the_machine_in_the_clear() {
        let settings = [
            ("ANTHROPIC_API_KEY", "canary"),
            ("ANTHROPIC_BASE_URL", "http://gateway:7010"),
            (SETTING, "gateway"),
        ];
        let errors_of_real = errors(&settings);
        assert_eq!(errors_of_real.len(), 1, "{errors_of_real:?}");
        assert!(errors_of_real[0].contains("https") && !errors_of_real[0].contains("canary"));
        let simulated = ("BOOKSTORE_SIMULATED_PROVIDERS", "claude");
        let all = [settings.as_slice(), &[simulated]].concat();
        assert_eq!(errors(&all), Vec::<String>::new());
        assert_eq!(errors(&settings[1..]), Vec::<String>::new(), "no key");
    }
}
