//! What is kept of a summary.

use std::sync::Arc;

use bytes::Bytes;
use domain::Book;
use instrumentation::catalogue;
use llm::{ChatResponse, Fallback, Llm, ProviderName};
use serde::{Deserialize, Serialize};
use storage::SummaryKey;

use super::prompts::PromptTemplate;

/// What is kept of a summary, with what its reply needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptSummary {
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) provider: String,
    /// The model that answered.
    pub(crate) model: String,
    pub(crate) simulated: bool,
    /// Name and version of the prompt.
    #[serde(default)]
    pub(crate) prompt_version: String,
    /// The model call that made it.
    #[serde(default)]
    pub(crate) call_id: Option<String>,
    /// The variant of an experiment that it was made for.
    #[serde(default)]
    pub(crate) variant: Option<String>,
    /// What it cost when it was made; `None` when unpriced or unknown.
    pub(crate) cost: Option<i64>,
}

/// The book that a summary is of, and the key that it is kept under.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) key: SummaryKey,
    pub(super) book: Book,
    pub(super) prompt: Arc<PromptTemplate>,
    /// Whether the caller named the model.
    pub(super) names_model: bool,
    /// Whether another provider may answer than the key's.
    pub(super) by_anyone: bool,
    /// The variant of an experiment that it is made for.
    pub(super) variant: Option<String>,
}

impl Subject {
    /// The same under the key of who answered: what another provider wrote in place of the one that
    /// was asked is kept as that provider's own.
    pub(super) fn answered(self: Arc<Self>, fallback: Option<Fallback>, llm: &Llm) -> Arc<Self> {
        let Some(fallback) = fallback else {
            return self;
        };
        let name = fallback.provider.as_str();
        // A fallback answers with its own model, and is configured, else it had not answered.
        let model = llm.select(Some(name)).map_or_else(
            |_| self.key.model.clone(),
            |provider| provider.model().to_owned(),
        );
        let key = SummaryKey {
            provider: name.to_owned(),
            model,
            ..self.key.clone()
        };
        Arc::new(Self {
            key,
            book: self.book.clone(),
            prompt: Arc::clone(&self.prompt),
            names_model: false,
            by_anyone: true,
            variant: self.variant.clone(),
        })
    }

    /// The summary that a model has answered with.
    pub(super) fn made(&self, response: &ChatResponse) -> KeptSummary {
        KeptSummary {
            title: self.book.title.as_str().to_owned(),
            author: self.book.author.as_str().to_owned(),
            text: response.text.trim().to_owned(),
            provider: self.key.provider.clone(),
            model: response.model.clone(),
            simulated: response.simulated,
            prompt_version: self.key.prompt_version.clone(),
            call_id: response.call_id.map(|id| id.to_string()),
            variant: self.variant.clone(),
            cost: response.cost.as_ref().map(|cost| cost.total.get()),
        }
    }

    /// The summary on the book itself, if it is the one that is wished for.
    pub(super) fn stored(&self) -> Option<KeptSummary> {
        let key = &self.key;
        let stored = self.book.summary.as_ref().filter(|summary| {
            summary.provider == key.provider
                && summary.requested_model == key.model
                && summary.prompt_version == key.prompt_version
        })?;
        Some(KeptSummary {
            title: self.book.title.as_str().to_owned(),
            author: self.book.author.as_str().to_owned(),
            text: stored.text.clone(),
            provider: stored.provider.clone(),
            model: stored.model.clone(),
            simulated: stored.simulated?,
            prompt_version: stored.prompt_version.clone(),
            call_id: stored.call_id.clone(),
            variant: stored.variant.clone(),
            cost: stored.cost,
        })
    }
}

impl KeptSummary {
    pub(super) fn encode(&self) -> Bytes {
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads what [`KeptSummary::encode`] wrote, perhaps in another process, or another version of
    /// this one: what is not understood is as good as nothing, and will be written anew.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes)
            .inspect_err(|error| tracing::warn!("a cached summary is unreadable: {error}"))
            .ok()
    }

    /// Whether it may stand for what its provider would answer now: a simulator's words do not
    /// stand for a model's, nor the other way round; and a variant of an experiment is measured by
    /// what was made for it.
    pub(super) fn counts(&self, llm: &Llm, variant: Option<&str>) -> bool {
        let provider = self.provider.parse::<ProviderName>();
        let made_for_it = variant.is_none() || self.variant.as_deref() == variant;
        made_for_it && provider.is_ok_and(|provider| llm.is_simulated(provider) == self.simulated)
    }

    /// Counts what an answer that was there already would have cost.
    pub(super) fn saved(self) -> Self {
        if let Some(cost) = self.cost.and_then(|cost| u64::try_from(cost).ok()) {
            let simulated = if self.simulated { "true" } else { "false" };
            catalogue::GEN_AI_SAVED_COST
                .counter(&[("reason", "cache"), ("simulated", simulated)])
                .increment(cost);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_as_good_as_nothing() {
        let kept = KeptSummary {
            title: "T".to_owned(),
            author: "A".to_owned(),
            text: "A summary.".to_owned(),
            provider: "claude".to_owned(),
            model: "m".to_owned(),
            simulated: false,
            prompt_version: "p-1".to_owned(),
            call_id: None,
            variant: None,
            cost: Some(7),
        };
        let bytes = kept.encode();
        let read = KeptSummary::decode(&bytes);
        assert_eq!(
            read.map(|read| (read.text, read.cost)),
            Some(("A summary.".to_owned(), Some(7)))
        );
        for broken in [&bytes[..bytes.len() / 2], b"", b"{}", b"\xff"] {
            assert!(KeptSummary::decode(broken).is_none());
        }
    }
}
