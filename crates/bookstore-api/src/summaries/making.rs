//! Asking a model, and keeping what it answers. Runs once for all who ask at the same time.

use std::sync::Arc;

use async_stream::try_stream;
use domain::{Book, BookSummary};
use futures_util::{Stream, StreamExt};
use instrumentation::{catalogue, request::scope_current};
use jiff::Timestamp;
use llm::{
    Assessment, Assessor, ChatEvent, ChatRequest, ChatResponse, LlmError, LlmProvider, ProviderName,
};
use storage::StorageError;
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    KeptSummary, Subject, Summaries,
    output_check::{self, OutputFault},
    repair,
};

/// How often storing a summary is tried when the book changes at the same time.
const MAX_STORE_TRIES: usize = 3;

/// What the checks' verdicts count as, on the scale of ratings.
const PASSED: u8 = 5;
const FAILED: u8 = 1;

/// What comes instead of a model's answer.
#[derive(Debug, Clone)]
pub(super) enum Interruption {
    /// The summary was made between this request's look into the cache and its question.
    Made(KeptSummary),
    /// The model failed.
    Model(LlmError),
    /// The model's answers are no summaries.
    Rejected(OutputFault),
}

impl From<LlmError> for Interruption {
    fn from(error: LlmError) -> Self {
        Self::Model(error)
    }
}

impl Summaries {
    /// The model's answer as it comes. Its last event follows when the answer has passed the checks
    /// and is kept. One that fails them is asked for once more, with the reason: then the stream
    /// starts anew, and what it said before is void.
    pub(super) async fn open(
        self: Arc<Self>,
        subject: Arc<Subject>,
        provider: Arc<dyn LlmProvider>,
        mut request: ChatRequest,
        kept_counts: bool,
    ) -> Result<impl Stream<Item = Result<ChatEvent, Interruption>> + Send, Interruption> {
        if kept_counts && let Some(kept) = self.made_meanwhile(&subject) {
            return Err(Interruption::Made(kept));
        }
        // The second try has what the first one leaves of the time.
        let deadline = Instant::now() + self.parts.llm.call_time();
        request.context.deadline.get_or_insert(deadline);
        // Streamed for a reply in one piece too: only a stream tells when its first token came.
        let mut events = provider.stream(&request).await?;
        Ok(try_stream! {
            let mut rejected: Option<Box<ChatResponse>> = None;
            while let Some(event) = events.next().await {
                let mut response = match event? {
                    ChatEvent::Finished(response) => response,
                    event => {
                        yield event;
                        continue;
                    }
                };
                let checked = output_check::check(
                    &response,
                    &request,
                    subject.prompt.max_characters(),
                );
                count_check(checked, rejected.is_some());
                self.assess(&subject, &response, checked.is_ok());
                match (checked, rejected.take()) {
                    (Ok(()), first) => {
                        if let Some(first) = first {
                            repair::add_cost(&mut response, &first);
                        }
                        let (service, subject) = (Arc::clone(&self), Arc::clone(&subject));
                        service.keep(subject, &response, provider.name()).await;
                        yield ChatEvent::Finished(response);
                    }
                    (Err(fault), None) => {
                        let repair = repair::request(&request, &response.text, fault);
                        rejected = Some(response);
                        events = provider.stream(&repair).await?;
                    }
                    (Err(fault), Some(_)) => Err(Interruption::Rejected(fault))?,
                }
            }
        })
    }

    /// Notes how an answer of an experiment did in the checks. Nobody waits for it.
    fn assess(&self, subject: &Subject, response: &ChatResponse, passed: bool) {
        let (Some(variant), Some(call_id)) = (&subject.variant, response.call_id) else {
            return;
        };
        let assessment = Assessment {
            tenant: subject.key.tenant.clone(),
            call_id,
            assessor: Assessor::Checks,
            variant: variant.clone(),
            score: if passed { PASSED } else { FAILED },
        };
        let ledger = Arc::clone(&self.parts.ledger);
        tokio::spawn(async move {
            if let Err(error) = ledger.assess(assessment).await {
                tracing::warn!("a check of an experiment could not be kept: {error}");
            }
        });
    }

    fn made_meanwhile(&self, subject: &Subject) -> Option<KeptSummary> {
        let bytes = self.parts.cache.as_ref()?.look_again(&subject.key)?;
        let kept = KeptSummary::decode(&bytes)?;
        let counts = kept.counts(&self.parts.llm, subject.variant.as_deref());
        counts.then_some(kept)
    }

    /// Puts the summary into the cache, then stores it on the book. It is paid for: what fails here
    /// is logged, and the answer is given all the same.
    async fn keep(
        self: Arc<Self>,
        subject: Arc<Subject>,
        response: &ChatResponse,
        provider: ProviderName,
    ) {
        let subject = subject.answered(response.fallback, &self.parts.llm);
        let provider = response.fallback.map_or(provider, |other| other.provider);
        let kept = subject.made(response);
        // In a task of its own: the answer is kept also when the last one who waits for it leaves
        // just now.
        let keeping = async move {
            if let Some(cache) = &self.parts.cache {
                cache.put(&subject.key, kept.encode());
            }
            match self.store(&subject, &kept).await {
                Ok(true) => {
                    let labels = [("gen_ai.provider.name", provider.telemetry_name())];
                    catalogue::SUMMARIES_GENERATED.counter(&labels).increment(1);
                }
                Ok(false) => {}
                Err(error) => tracing::warn!("a summary could not be stored on its book: {error}"),
            }
        };
        let kept = tokio::spawn(scope_current(keeping).in_current_span()).await;
        // The task ends early only with the process, or by a defect.
        if let Err(error) = kept {
            tracing::error!("keeping a summary ended early: {error}");
        }
    }

    /// Stores the summary on the book, unless its texts have changed since, or it is gone: then
    /// the summary is of a book that is no more. Whether it was stored.
    async fn store(&self, subject: &Subject, kept: &KeptSummary) -> Result<bool, StorageError> {
        let Subject { key, book, .. } = subject;
        let summary = BookSummary {
            text: kept.text.clone(),
            provider: kept.provider.clone(),
            model: kept.model.clone(),
            requested_model: key.model.clone(),
            prompt_version: key.prompt_version.clone(),
            simulated: Some(kept.simulated),
            call_id: kept.call_id.clone(),
            variant: kept.variant.clone(),
            cost: kept.cost,
            generated_at: domain::to_milliseconds(Timestamp::now()),
        };
        let books = &self.parts.books;
        let mut current = book.clone();
        for _ in 0..MAX_STORE_TRIES {
            let expected = current.version;
            let changed = Book {
                summary: Some(summary.clone()),
                version: expected.next(),
                updated_at: summary.generated_at,
                ..current
            };
            match books.replace(&key.tenant, &changed, expected).await {
                Ok(()) => return Ok(true),
                Err(StorageError::NotFound) => return Ok(false),
                Err(StorageError::VersionConflict) => {}
                Err(error) => return Err(error),
            }
            match books.read(&key.tenant, &key.book).await? {
                Some(newer) if newer.text_fingerprint() == book.text_fingerprint() => {
                    current = newer;
                }
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}

/// Counts a check by what it found.
fn count_check(checked: Result<(), OutputFault>, is_repair: bool) {
    let check = checked.map_or_else(OutputFault::as_str, |()| "passed");
    let answer = if is_repair { "repair" } else { "first" };
    let labels = [("check", check), ("answer", answer)];
    catalogue::OUTPUT_CHECKS.counter(&labels).increment(1);
}
