//! Summaries of books: from the cache, from the store, else from a model.
//!
//! This service decides; it knows no HTTP. The provider is checked before the book, so that a
//! wrong setting shows for any book.

mod generate;
mod prompt;
mod providers;
mod reply;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use domain::{Book, BookId, BookSummary};
use futures_util::StreamExt;
use instrumentation::catalogue;
use jiff::Timestamp;
use llm::{
    CallContext, ChatEvent, ChatRequest, ChatResponse, Llm, LlmError, LlmProvider, ProviderName,
    SelectionError,
};
use serde::{Deserialize, Serialize};
use storage::{Books, GenerationError, StorageError, SummaryCache, SummaryKey, SummaryOrigin};
use tenancy::TenantId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// Label of what model calls are for.
const FEATURE: &str = "summary";

/// How often storing a summary is tried when the book changes at the same time.
const MAX_STORE_TRIES: usize = 3;

/// The routes, which stand under books.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(providers::llm_providers))
        .routes(routes!(generate::generate_summary))
}

/// Makes summaries and keeps them.
pub(crate) struct Summaries {
    books: Books,
    /// `None` when every request is to reach the model.
    cache: Option<SummaryCache>,
    llm: Arc<Llm>,
}

/// What is asked for.
pub(crate) struct Wish {
    pub(crate) tenant: TenantId,
    pub(crate) book: BookId,
    /// `None` asks the default provider.
    pub(crate) provider: Option<String>,
    /// `None` asks the provider's configured model.
    pub(crate) model: Option<String>,
    /// Whether a summary that is there already does not count.
    pub(crate) refresh: bool,
}

/// A summary and what this request had to do for it.
pub(crate) struct Summary {
    pub(crate) kept: KeptSummary,
    /// The model's answer; `None` when no model was asked for this request.
    pub(crate) answer: Option<ChatResponse>,
    pub(crate) total: std::time::Duration,
}

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

/// Why there is no summary.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SummaryError {
    /// No provider has this name.
    #[error("unknown provider")]
    UnknownProvider {
        /// The names there are.
        available: Vec<&'static str>,
    },
    /// The provider needs a setting first.
    #[error("{0} is not configured")]
    NotConfigured(ProviderName),
    /// The tenant has no such book.
    #[error("no such book")]
    NoBook,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// The model failed.
    #[error("{provider}: {error}")]
    Model {
        /// Who was asked.
        provider: ProviderName,
        /// What went wrong.
        error: LlmError,
    },
}

impl Summaries {
    pub(crate) fn new(books: Books, cache: Option<SummaryCache>, llm: Arc<Llm>) -> Self {
        Self { books, cache, llm }
    }

    /// The summary that is wished for.
    pub(crate) async fn summarize(self: &Arc<Self>, wish: Wish) -> Result<Summary, SummaryError> {
        let started = Instant::now();
        let provider = self
            .llm
            .select(wish.provider.as_deref())
            .map_err(SummaryError::from)?;
        let found = self
            .books
            .get(&wish.tenant, &wish.book)
            .await?
            .ok_or(SummaryError::NoBook)?;
        let key = SummaryKey {
            tenant: wish.tenant.clone(),
            book: wish.book,
            provider: provider.name().as_str().to_owned(),
            model: wish
                .model
                .clone()
                .unwrap_or_else(|| provider.model().to_owned()),
            prompt_version: prompt::VERSION.to_owned(),
            fingerprint: found.fingerprint,
        };
        let (kept, answer) = match &self.cache {
            Some(cache) if !wish.refresh => self.cached(cache, &key, provider).await?,
            cache => {
                let book = self.book(&key).await?;
                let (kept, answer) = self.generate(&key, &book, provider).await?;
                if let Some(cache) = cache {
                    cache.put(&key, encode(&kept)).await;
                }
                (kept, Some(answer))
            }
        };
        Ok(Summary {
            kept,
            answer,
            total: started.elapsed(),
        })
    }

    /// From the cache; else from the store or a model, once for all who ask at the same time.
    async fn cached(
        self: &Arc<Self>,
        cache: &SummaryCache,
        key: &SummaryKey,
        provider: Arc<dyn LlmProvider>,
    ) -> Result<(KeptSummary, Option<ChatResponse>), SummaryError> {
        // The answer of the call that this very request makes; shared ones are read back.
        let answer = Arc::new(std::sync::Mutex::new(None));
        let make = || {
            let (service, key, answer) = (Arc::clone(self), key.clone(), Arc::clone(&answer));
            instrumentation::request::scope_current(async move {
                let (kept, made) = service
                    .stored_or_generated(&key, provider)
                    .await
                    .map_err(|error| -> GenerationError { Arc::new(error) })?;
                *answer
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = made;
                Ok(encode(&kept))
            })
        };
        let summary = cache
            .get_or_generate(key, make)
            .await
            .map_err(|error| unshare(&error))?;
        let kept: KeptSummary = serde_json::from_slice(&summary.bytes)
            .map_err(|error| StorageError::Corrupt(error.to_string()))?;
        match summary.origin {
            SummaryOrigin::Generated => {
                let made = answer
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .take();
                Ok((kept, made))
            }
            SummaryOrigin::Cached(_) => Ok((saved(kept, "cache"), None)),
            SummaryOrigin::Coalesced => Ok((saved(kept, "coalesced"), None)),
        }
    }

    /// From the book itself, if it has the summary that is wished for; else from the model.
    async fn stored_or_generated(
        &self,
        key: &SummaryKey,
        provider: Arc<dyn LlmProvider>,
    ) -> Result<(KeptSummary, Option<ChatResponse>), SummaryError> {
        let book = self.book(key).await?;
        let stored = book.summary.as_ref().filter(|summary| {
            summary.provider == key.provider
                && summary.model == key.model
                && summary.prompt_version == key.prompt_version
        });
        if let Some(summary) = stored {
            let text = summary.text.clone();
            let simulated = self.is_simulated(provider.name());
            let kept = KeptSummary {
                cost: None,
                ..kept_of(&book, key, text, simulated)
            };
            return Ok((kept, None));
        }
        let (kept, answer) = self.generate(key, &book, provider).await?;
        Ok((kept, Some(answer)))
    }

    /// From the model; stored on the book before it is answered.
    async fn generate(
        &self,
        key: &SummaryKey,
        book: &Book,
        provider: Arc<dyn LlmProvider>,
    ) -> Result<(KeptSummary, ChatResponse), SummaryError> {
        let name = provider.name();
        let failed = |error| SummaryError::Model {
            provider: name,
            error,
        };
        let answer = ask(provider.as_ref(), key, book).await.map_err(failed)?;
        let text = answer.text.trim().to_owned();
        if text.is_empty() {
            let message = "the answer has no text".to_owned();
            return Err(failed(LlmError::Malformed { message }));
        }
        let cost = answer.cost.as_ref().map(|cost| cost.total.get());
        let kept = KeptSummary {
            cost,
            ..kept_of(book, key, text, answer.simulated)
        };
        self.store(key, book, &kept.text).await?;
        let labels = [("gen_ai.provider.name", name.telemetry_name())];
        catalogue::SUMMARIES_GENERATED.counter(&labels).increment(1);
        Ok((kept, answer))
    }

    /// Stores the summary on the book, unless its texts have changed since, or it is gone: then
    /// the summary is of a book that is no more.
    async fn store(&self, key: &SummaryKey, book: &Book, text: &str) -> Result<(), SummaryError> {
        let summary = BookSummary {
            text: text.to_owned(),
            provider: key.provider.clone(),
            model: key.model.clone(),
            prompt_version: key.prompt_version.clone(),
            generated_at: domain::to_milliseconds(Timestamp::now()),
        };
        let mut current = book.clone();
        for _ in 0..MAX_STORE_TRIES {
            let expected = current.version;
            let changed = Book {
                summary: Some(summary.clone()),
                version: expected.next(),
                updated_at: summary.generated_at,
                ..current
            };
            match self.books.replace(&key.tenant, &changed, expected).await {
                Ok(()) | Err(StorageError::NotFound) => return Ok(()),
                Err(StorageError::VersionConflict) => {}
                Err(error) => return Err(error.into()),
            }
            match self.books.read(&key.tenant, &key.book).await? {
                Some(newer) if newer.text_fingerprint() == book.text_fingerprint() => {
                    current = newer;
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// The book as the store has it.
    async fn book(&self, key: &SummaryKey) -> Result<Book, SummaryError> {
        let found = self.books.read(&key.tenant, &key.book).await?;
        found.ok_or(SummaryError::NoBook)
    }

    fn is_simulated(&self, provider: ProviderName) -> bool {
        self.llm
            .statuses()
            .iter()
            .any(|status| status.name == provider && status.simulated)
    }
}

impl From<SelectionError> for SummaryError {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::Unknown { available } => Self::UnknownProvider { available },
            SelectionError::NotConfigured { provider } => Self::NotConfigured(provider),
        }
    }
}

/// Streams the answer, since only a stream tells when its first token came.
async fn ask(
    provider: &dyn LlmProvider,
    key: &SummaryKey,
    book: &Book,
) -> Result<ChatResponse, LlmError> {
    let test_id = instrumentation::request::current().and_then(|request| request.test_id.clone());
    let request = ChatRequest {
        model: Some(key.model.clone()),
        context: CallContext::new(key.tenant.clone(), FEATURE, test_id),
        ..prompt::request(book)
    };
    let mut events = provider.stream(&request).await?;
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Finished(answer) => return Ok(*answer),
            ChatEvent::Started { .. } | ChatEvent::Delta(_) => {}
        }
    }
    Err(LlmError::Interrupted {
        message: "the stream ended without its last event".to_owned(),
    })
}

fn kept_of(book: &Book, key: &SummaryKey, text: String, simulated: bool) -> KeptSummary {
    KeptSummary {
        title: book.title.as_str().to_owned(),
        author: book.author.as_str().to_owned(),
        text,
        provider: key.provider.clone(),
        model: key.model.clone(),
        simulated,
        cost: None,
    }
}

/// Counts what an answer that was there already would have cost.
fn saved(kept: KeptSummary, reason: &'static str) -> KeptSummary {
    if let Some(cost) = kept.cost.and_then(|cost| u64::try_from(cost).ok()) {
        let simulated = if kept.simulated { "true" } else { "false" };
        catalogue::GEN_AI_SAVED_COST
            .counter(&[("reason", reason), ("simulated", simulated)])
            .increment(cost);
    }
    kept
}

fn encode(kept: &KeptSummary) -> Bytes {
    // A struct of texts and numbers always has a JSON form.
    serde_json::to_vec(kept).unwrap_or_default().into()
}

/// The error that the generating request met, told to everybody who waited for it.
fn unshare(error: &GenerationError) -> SummaryError {
    match error.downcast_ref::<SummaryError>() {
        Some(error) => error.clone(),
        None => SummaryError::Store(StorageError::Unavailable(error.to_string())),
    }
}
