//! Summaries of books: from the cache, from the store, else from a model.
//!
//! This service decides; it knows no HTTP. The provider is checked before the book, so that a
//! wrong setting shows for any book. A reply in one piece and a stream of events are made of the
//! same [`SummaryStream`].

mod events;
mod feedback;
mod generate;
mod kept;
mod making;
mod output_check;
mod prompts;
mod providers;
mod repair;
mod reply;
mod stream;
mod trimmed;
mod way;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use domain::{Book, BookId};
use llm::{
    CallContext, ChatRequest, Ledger, Llm, LlmError, LlmProvider, Prices, ProviderName,
    SelectionError, SharedStreams,
};
use storage::{Books, StorageError, SummaryCache, SummaryKey};
use tenancy::TenantId;
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;
use crate::experiments::Experiments;
use kept::{KeptSummary, Subject};
use making::Interruption;
use output_check::OutputFault;
use stream::SummaryStream;

pub(crate) use prompts::{PromptError, PromptSet, Prompts};

/// Label of what model calls are for.
pub(crate) const FEATURE: &str = "summary";

/// The routes, which stand under books.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(providers::llm_providers))
        .routes(routes!(generate::generate_summary))
        .routes(routes!(feedback::summary_feedback))
}

/// Makes summaries and keeps them.
pub(crate) struct Summaries {
    parts: SummaryParts,
    under_way: SharedStreams<Question, Interruption>,
    /// Numbers the questions that are shared with nobody.
    questions: AtomicU64,
}

/// What summaries are made with.
pub(crate) struct SummaryParts {
    pub(crate) books: Books,
    /// `None` when every request is to reach the model.
    pub(crate) cache: Option<SummaryCache>,
    pub(crate) llm: Arc<Llm>,
    pub(crate) prices: Arc<Prices>,
    pub(crate) prompts: Arc<Prompts>,
    pub(crate) experiments: Arc<Experiments>,
    pub(crate) ledger: Arc<Ledger>,
    /// When answers under way are broken off, so that their readers are told before their
    /// connections are closed.
    pub(crate) cut_off: CancellationToken,
}

/// What is asked for.
pub(crate) struct Wish {
    pub(crate) tenant: TenantId,
    pub(crate) book: BookId,
    /// `None` asks the default provider.
    pub(crate) provider: Option<String>,
    /// `None` asks the provider's configured model.
    pub(crate) model: Option<String>,
    /// Whether a summary that is there already does not count. One that is being made does: it is
    /// as fresh as can be.
    pub(crate) refresh: bool,
    /// Who asks, if known.
    pub(crate) user: Option<String>,
}

/// What a model is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Question {
    /// Answered at once for all who ask it at the same time.
    Shared {
        key: SummaryKey,
        /// Whether another provider may answer. Who named one shares no answer with who did not:
        /// it is that one's or an error.
        by_anyone: bool,
        /// The variant of an experiment that asks: its calls are its own.
        variant: Option<String>,
    },
    /// Answered for one request only.
    Single(u64),
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
    /// The provider has no model of the name that the caller gave.
    #[error("{0} has no such model")]
    UnknownModel(ProviderName),
    /// The model's answers are no summaries.
    #[error("{provider}: {}", fault.reason())]
    Rejected {
        /// Who answered.
        provider: ProviderName,
        /// What is wrong with the last one.
        fault: OutputFault,
    },
    /// The prompt cannot be made.
    #[error("the prompt: {0}")]
    Prompt(String),
    /// The process ends before the model does.
    #[error("the service is shutting down")]
    ShuttingDown,
}

impl Summaries {
    pub(crate) fn new(parts: SummaryParts) -> Self {
        Self {
            parts,
            under_way: SharedStreams::new(),
            questions: AtomicU64::new(0),
        }
    }

    /// The summary that is wished for: one that is there, else one that is being made, else a new
    /// one. Whatever can be checked before a model is asked, is.
    pub(crate) async fn summarize(
        self: &Arc<Self>,
        wish: Wish,
    ) -> Result<SummaryStream, SummaryError> {
        let began = Instant::now();
        let way = self.way(&wish)?;
        let names_model = wish.model.is_some();
        let found = self.parts.books.get(&wish.tenant, &wish.book).await?;
        let found = found.ok_or(SummaryError::NoBook)?;
        let key = SummaryKey {
            tenant: wish.tenant,
            book: wish.book,
            provider: way.provider.name().as_str().to_owned(),
            model: way.model.clone(),
            prompt_version: way.prompt.label(),
            fingerprint: found.fingerprint,
        };
        let cache = self.parts.cache.as_ref().filter(|_| !wish.refresh);
        if let Some(cache) = cache
            && let Some(found) = cache.get(&key).await
            && let Some(kept) = KeptSummary::decode(&found.bytes)
            && kept.counts(&self.parts.llm, way.variant.as_deref())
        {
            return Ok(SummaryStream::of_kept(kept.saved(), began));
        }
        let book = self.book(&key).await?;
        let key = SummaryKey {
            // The cache may know older texts than the store, and what is made now is of the newer.
            fingerprint: book.text_fingerprint(),
            ..key
        };
        let subject = Arc::new(Subject {
            key,
            book,
            prompt: way.prompt,
            names_model,
            by_anyone: way.by_anyone,
            variant: way.variant,
        });
        if let Some(cache) = cache
            && let Some(stored) = subject.stored()
            && stored.counts(&self.parts.llm, subject.variant.as_deref())
        {
            cache.put(&subject.key, stored.encode());
            return Ok(SummaryStream::of_kept(stored.saved(), began));
        }
        self.ask(subject, way.provider, cache.is_some(), began)
    }

    /// Joins the answer that is being made, or asks for one.
    fn ask(
        self: &Arc<Self>,
        subject: Arc<Subject>,
        provider: Arc<dyn LlmProvider>,
        kept_counts: bool,
        began: Instant,
    ) -> Result<SummaryStream, SummaryError> {
        let question = match &self.parts.cache {
            Some(_) => Question::Shared {
                key: subject.key.clone(),
                by_anyone: subject.by_anyone,
                variant: subject.variant.clone(),
            },
            None => Question::Single(self.questions.fetch_add(1, Ordering::Relaxed)),
        };
        let request = request(&subject)?;
        let name = provider.name();
        let reader = stream::Reader {
            subject: Arc::clone(&subject),
            provider: name,
            service: Arc::clone(self),
        };
        let usage = llm::UsageSoFar::new(&request);
        let service = Arc::clone(self);
        let open = move || service.open(subject, provider, request, kept_counts);
        let shared = self.under_way.join(question, open);
        let shared = shared.map_err(|error| SummaryError::Model {
            provider: name,
            error,
        })?;
        Ok(SummaryStream::of_model(shared, reader, usage, began))
    }

    /// The book as the store has it.
    async fn book(&self, key: &SummaryKey) -> Result<Book, SummaryError> {
        let found = self.parts.books.read(&key.tenant, &key.book).await?;
        found.ok_or(SummaryError::NoBook)
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

fn request(subject: &Subject) -> Result<ChatRequest, SummaryError> {
    let test_id = instrumentation::request::current().and_then(|request| request.test_id.clone());
    let key = &subject.key;
    let question = subject.prompt.request(&subject.book);
    let question = question.map_err(|error| SummaryError::Prompt(error.to_string()))?;
    Ok(ChatRequest {
        // A fallback takes its own model, so none is named.
        model: (!subject.by_anyone).then(|| key.model.clone()),
        context: CallContext {
            prompt_version: Some(key.prompt_version.clone()),
            variant: subject.variant.clone(),
            ..CallContext::new(key.tenant.clone(), FEATURE, test_id)
        },
        ..question
    })
}
