//! Which provider, model and prompt make an answer.

use std::sync::Arc;

use llm::LlmProvider;

use super::{FEATURE, Summaries, SummaryError, Wish, prompts::PromptTemplate};
use crate::experiments::{Experiments, StickyBy};

/// The way that an answer is made.
pub(super) struct Way {
    pub(super) provider: Arc<dyn LlmProvider>,
    pub(super) model: String,
    pub(super) prompt: Arc<PromptTemplate>,
    /// Whether another provider may answer.
    pub(super) by_anyone: bool,
    /// The variant of an experiment that this is.
    pub(super) variant: Option<String>,
}

impl Summaries {
    /// The way that is wished for; else the one that a running experiment gives; else the default.
    pub(super) fn way(&self, wish: &Wish) -> Result<Way, SummaryError> {
        let named = wish.provider.is_some() || wish.model.is_some();
        if !named && let Some(way) = self.way_of_experiment(wish) {
            return Ok(way);
        }
        let provider = self.parts.llm.select(wish.provider.as_deref())?;
        let prompt = self.parts.prompts.default_prompt();
        let model = wish.model.clone();
        Ok(Way {
            model: model.unwrap_or_else(|| provider.model().to_owned()),
            provider,
            prompt: prompt.ok_or_else(|| SummaryError::Prompt("there is none".to_owned()))?,
            by_anyone: !named && self.parts.llm.has_fallback(),
            variant: None,
        })
    }

    /// A variant answers by itself or not at all: a fallback would be measured in its place. One
    /// that cannot any more, since its provider's settings or its prompt are gone, is left out.
    fn way_of_experiment(&self, wish: &Wish) -> Option<Way> {
        let experiment = self.parts.experiments.running(&wish.tenant, FEATURE)?;
        let unit = match experiment.sticky_by {
            StickyBy::Book => wish.book.to_string(),
            StickyBy::User => {
                let user = wish.user.clone();
                user.unwrap_or_else(|| wish.tenant.as_str().to_owned())
            }
        };
        let variant = Experiments::variant(&experiment, &wish.tenant, &unit)?;
        let label = experiment.label(&variant);
        let provider = self.parts.llm.select(Some(&variant.provider));
        let prompts = self.parts.prompts.current();
        let (Ok(provider), Some(prompt)) = (provider, prompts.get(&variant.prompt)) else {
            tracing::warn!(
                variant = label,
                "a variant has lost its provider or its prompt"
            );
            return None;
        };
        Some(Way {
            provider,
            model: variant.model,
            prompt: Arc::clone(prompt),
            by_anyone: false,
            variant: Some(label),
        })
    }
}
