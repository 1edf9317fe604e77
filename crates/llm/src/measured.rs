//! Telemetry, money and the ledger around a provider, one attempt at a time.

mod attempt;
mod content;
mod series;
mod span;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt};
use tracing::Instrument;

use crate::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, Ledger, LlmError, LlmProvider,
    Prices, ProviderName, Secrets, ServiceTier,
    measured::{attempt::Attempt, content::Content, series::Series},
};

pub(crate) use series::as_label;

/// A provider whose every attempt has a CLIENT span, metrics, an exact cost and a ledger row.
///
/// Also an attempt that its caller abandons: what was read until then is booked.
pub struct Measured {
    inner: Arc<dyn LlmProvider>,
    books: Arc<Books>,
}

/// Everything that an attempt is written into.
pub(crate) struct Books {
    provider: ProviderName,
    default_model: String,
    endpoint: Endpoint,
    /// What requests ask for; what an answer is booked at that says nothing.
    service_tier: ServiceTier,
    simulated: bool,
    prices: Arc<Prices>,
    ledger: Arc<Ledger>,
    series: Series,
    /// Who writes messages on spans; nobody unless the operator wants them there.
    content: Option<Content>,
}

impl Measured {
    /// Measures `inner`. `simulated` says that a simulator answers in the provider's place: its
    /// money is never added to real money.
    pub fn new(
        inner: Arc<dyn LlmProvider>,
        simulated: bool,
        prices: Arc<Prices>,
        ledger: Arc<Ledger>,
    ) -> Self {
        let books = Books {
            provider: inner.name(),
            default_model: inner.model().to_owned(),
            endpoint: inner.endpoint().clone(),
            service_tier: inner.service_tier(),
            simulated,
            prices,
            ledger,
            series: Series::new(inner.name(), inner.model(), simulated),
            content: None,
        };
        Self {
            inner,
            books: Arc::new(books),
        }
    }

    /// Writes what is asked and answered on the spans too, without `secrets`.
    #[must_use]
    pub fn with_messages(mut self, secrets: Secrets) -> Self {
        if let Some(books) = Arc::get_mut(&mut self.books) {
            books.content = Some(Content::new(secrets));
        }
        self
    }
}

#[async_trait]
impl LlmProvider for Measured {
    fn name(&self) -> ProviderName {
        self.inner.name()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn endpoint(&self) -> &Endpoint {
        self.inner.endpoint()
    }

    fn service_tier(&self) -> ServiceTier {
        self.inner.service_tier()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let mut attempt = Attempt::begin(&self.books, request, false)?;
        let answering = self.inner.complete(request);
        let answering = answering.instrument(attempt.span().clone());
        match attempt.departure().observed(answering).await {
            Ok(mut response) => {
                attempt.succeed(&mut response);
                Ok(response)
            }
            Err(error) => {
                attempt.fail(&error);
                Err(error)
            }
        }
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let mut attempt = Attempt::begin(&self.books, request, true)?;
        let opening = self.inner.stream(request);
        let opening = opening.instrument(attempt.span().clone());
        match attempt.departure().observed(opening).await {
            Ok(inner) => {
                attempt.open();
                Ok(Box::pin(MeasuredStream { inner, attempt }))
            }
            Err(error) => {
                attempt.fail(&error);
                Err(error)
            }
        }
    }
}

/// A stream that settles its attempt when it ends, fails or is dropped.
struct MeasuredStream {
    inner: ChatStream,
    attempt: Attempt,
}

impl Stream for MeasuredStream {
    type Item = Result<ChatEvent, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.attempt.is_settled() {
            return Poll::Ready(None);
        }
        // Not within the span: whoever reads a body has nothing to say, and there are many pieces.
        let item = ready!(self.inner.poll_next_unpin(context));
        let item = item.unwrap_or_else(|| {
            Err(LlmError::Interrupted {
                message: "the provider's stream ended without an answer".to_owned(),
            })
        });
        Poll::Ready(Some(match item {
            Ok(mut event) => {
                self.attempt.observe(&mut event);
                Ok(event)
            }
            Err(error) => {
                self.attempt.fail(&error);
                Err(error)
            }
        }))
    }
}
