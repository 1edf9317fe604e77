//! The bare clients of the vendors that the settings configure.

use std::sync::Arc;

use reqwest::Client;

use super::LlmBuildError;
use crate::{Bedrock, Claude, LlmConfig, LlmProvider, Ollama, OpenAi, ProviderName, UnusableKey};

/// The model that a provider asks unless told otherwise.
pub(super) fn model(config: &LlmConfig, name: ProviderName) -> &str {
    match name {
        ProviderName::Claude => &config.claude.model,
        ProviderName::OpenAi => &config.openai.model,
        ProviderName::Ollama => &config.ollama.model,
        ProviderName::Bedrock => &config.bedrock.model,
        ProviderName::LmStudio => &config.lm_studio.model,
    }
}

/// A client for each provider that has what it needs: a key, or an address that is not the
/// vendor's.
pub(super) fn configured(
    config: &LlmConfig,
    client: &Client,
) -> Result<Vec<Arc<dyn LlmProvider>>, LlmBuildError> {
    let mut providers = Vec::new();
    for name in ProviderName::ALL {
        providers.extend(provider(config, client.clone(), name)?);
    }
    Ok(providers)
}

fn provider(
    config: &LlmConfig,
    client: Client,
    name: ProviderName,
) -> Result<Option<Arc<dyn LlmProvider>>, LlmBuildError> {
    let deadlines = config.deadlines;
    let provider: Arc<dyn LlmProvider> = match name {
        ProviderName::Claude => {
            let config = &config.claude;
            let Some(key) = &config.key else {
                return Ok(None);
            };
            let claude = Claude::new(client, config, key, deadlines);
            Arc::new(claude.map_err(in_setting("ANTHROPIC_API_KEY"))?)
        }
        ProviderName::OpenAi => {
            if config.openai.key.is_none() {
                return Ok(None);
            }
            let openai = OpenAi::new(client, &config.openai, deadlines);
            Arc::new(openai.map_err(in_setting("OPENAI_API_KEY"))?)
        }
        ProviderName::Ollama => {
            let (base, model) = (config.ollama.base.clone(), config.ollama.model.clone());
            Arc::new(Ollama::new(client, base, model, deadlines))
        }
        ProviderName::Bedrock => {
            let Some(credentials) = &config.bedrock.credentials else {
                return Ok(None);
            };
            let bedrock = Bedrock::new(client, &config.bedrock, credentials, deadlines);
            Arc::new(bedrock.map_err(in_setting("the key for Bedrock"))?)
        }
        ProviderName::LmStudio => {
            let Some(base) = &config.lm_studio.base else {
                return Ok(None);
            };
            let base = base.clone();
            Arc::new(OpenAi::lm_studio(
                client,
                base,
                &config.lm_studio,
                deadlines,
            ))
        }
    };
    Ok(Some(provider))
}

fn in_setting(setting: &'static str) -> impl Fn(UnusableKey) -> LlmBuildError {
    move |source| LlmBuildError::Key { setting, source }
}
