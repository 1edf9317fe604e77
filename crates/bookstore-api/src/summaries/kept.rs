//! What is kept of a summary.

use std::sync::Arc;

use bytes::Bytes;
use domain::Book;
use instrumentation::catalogue;
use llm::{Fallback, Llm};
use serde::{Deserialize, Serialize};
use storage::{StorageError, SummaryKey};

/// What is kept of a summary, with what its reply needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptSummary {
    pub(crate) title: String,
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) simulated: bool,
    /// What it cost when it was made; `None` when unpriced or unknown.
    pub(crate) cost: Option<i64>,
}

/// The book that a summary is of, and the key that it is kept under.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) key: SummaryKey,
    pub(super) book: Book,
    /// Whether another provider may answer than the key's.
    pub(super) by_anyone: bool,
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
            by_anyone: true,
        })
    }

    /// A summary of the book, of unknown cost.
    pub(super) fn kept(&self, text: &str, simulated: bool) -> KeptSummary {
        KeptSummary {
            title: self.book.title.as_str().to_owned(),
            author: self.book.author.as_str().to_owned(),
            text: text.to_owned(),
            provider: self.key.provider.clone(),
            model: self.key.model.clone(),
            simulated,
            cost: None,
        }
    }
}

impl KeptSummary {
    pub(super) fn encode(&self) -> Bytes {
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Reads what [`KeptSummary::encode`] wrote, perhaps in another process.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StorageError> {
        serde_json::from_slice(bytes).map_err(|error| StorageError::Corrupt(error.to_string()))
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
