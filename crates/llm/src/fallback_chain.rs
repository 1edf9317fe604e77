//! Other providers for a call that its own provider fails.

use std::{sync::Arc, time::Duration};

use async_stream::stream;
use async_trait::async_trait;
use futures_util::StreamExt;
use instrumentation::catalogue;
use tokio::time::Instant;

use crate::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, Fallback, LlmError, LlmProvider,
    ProviderName, ServiceTier, Stage,
};

/// Who is asked when a provider fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FallbackPolicy {
    /// The providers after the default one, in order; empty for none.
    pub providers: Vec<ProviderName>,
    /// Whether also a stream that broke after its first text goes on with another provider, which
    /// begins anew.
    pub after_text: bool,
}

/// Several providers as one: the first is asked, and when it fails the next, until one answers or
/// the time of the call is over. When all fail, the error is the first one's.
///
/// A request that names a model is the first provider's alone: no other has that model. A request
/// that was refused (4xx) is nobody else's either.
pub struct FallbackChain {
    links: Arc<[Arc<dyn LlmProvider>]>,
    first: Arc<dyn LlmProvider>,
    total: Duration,
    after_text: bool,
}

/// A call on its way along the chain.
struct Passage {
    links: Arc<[Arc<dyn LlmProvider>]>,
    next: usize,
    request: ChatRequest,
    deadline: Instant,
    /// Whether text of a link that failed was passed on.
    after_text: bool,
    first_error: Option<LlmError>,
}

impl FallbackChain {
    /// Asks `first`, then `others`, for at most `total` together.
    pub fn new(
        first: Arc<dyn LlmProvider>,
        others: Vec<Arc<dyn LlmProvider>>,
        total: Duration,
        after_text: bool,
    ) -> Self {
        let links = std::iter::once(Arc::clone(&first)).chain(others).collect();
        Self {
            links,
            first,
            total,
            after_text,
        }
    }

    fn passage(&self, request: &ChatRequest) -> Passage {
        let own = Instant::now() + self.total;
        let deadline = request.context.deadline.map_or(own, |given| given.min(own));
        let mut request = request.clone();
        request.context.deadline = Some(deadline);
        Passage {
            links: Arc::clone(&self.links),
            next: 0,
            request,
            deadline,
            after_text: false,
            first_error: None,
        }
    }
}

#[async_trait]
impl LlmProvider for FallbackChain {
    fn name(&self) -> ProviderName {
        self.first.name()
    }

    fn model(&self) -> &str {
        self.first.model()
    }

    fn endpoint(&self) -> &Endpoint {
        self.first.endpoint()
    }

    fn service_tier(&self) -> ServiceTier {
        self.first.service_tier()
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatResponse, LlmError> {
        let mut passage = self.passage(request);
        loop {
            match passage.link()?.complete(&passage.request).await {
                Ok(mut response) => {
                    response.fallback = passage.fallback();
                    return Ok(response);
                }
                Err(error) => passage.hand_on(error)?,
            }
        }
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let mut passage = self.passage(request);
        let events = passage.open().await?;
        if self.after_text {
            return Ok(restarting(passage, events));
        }
        let fallback = passage.fallback();
        let marked = events.map(move |event| event.map(|event| mark(event, fallback)));
        Ok(marked.boxed())
    }
}

impl Passage {
    /// The provider whose turn it is.
    fn link(&self) -> Result<Arc<dyn LlmProvider>, LlmError> {
        // `hand_on` goes no further than the last one.
        self.links
            .get(self.next)
            .cloned()
            .ok_or(LlmError::Timeout(Stage::Total))
    }

    /// Asks until a stream has its first text: a link reads that far by itself.
    async fn open(&mut self) -> Result<ChatStream, LlmError> {
        loop {
            match self.link()?.stream(&self.request).await {
                Ok(events) => return Ok(events),
                Err(error) => self.hand_on(error)?,
            }
        }
    }

    /// Makes it the next provider's turn.
    ///
    /// # Errors
    /// The first provider's error when nobody else is to be asked.
    fn hand_on(&mut self, error: LlmError) -> Result<(), LlmError> {
        let next = self.links.get(self.next + 1);
        let failed = self.links.get(self.next).map(|link| link.name());
        let (Some(next), Some(failed)) = (next, failed) else {
            return Err(self.first_error.take().unwrap_or(error));
        };
        let is_over = Instant::now() >= self.deadline;
        if self.request.model.is_some() || is_over || !another_may_answer(&error) {
            return Err(self.first_error.take().unwrap_or(error));
        }
        note(failed, next.name(), &error);
        let context = &mut self.request.context;
        context.retry_reason = Some(error.error_type());
        context.fallback_from = context.fallback_from.or(Some(failed));
        self.first_error.get_or_insert(error);
        self.next += 1;
        Ok(())
    }

    fn fallback(&self) -> Option<Fallback> {
        let from = self.request.context.fallback_from?;
        let provider = self.links.get(self.next)?.name();
        Some(Fallback {
            from,
            provider,
            after_text: self.after_text,
        })
    }
}

/// A stream that begins anew with the next provider when it breaks.
fn restarting(mut passage: Passage, mut events: ChatStream) -> ChatStream {
    let events = stream! {
        loop {
            let fallback = passage.fallback();
            let Some(event) = events.next().await else {
                return;
            };
            let error = match event {
                Ok(event) => {
                    yield Ok(mark(event, fallback));
                    continue;
                }
                Err(error) => error,
            };
            passage.after_text = true;
            let reopened = match passage.hand_on(error) {
                Ok(()) => passage.open().await,
                Err(error) => Err(error),
            };
            match reopened {
                Ok(next) => events = next,
                Err(error) => {
                    yield Err(error);
                    return;
                }
            }
        }
    };
    events.boxed()
}

fn mark(event: ChatEvent, note: Option<Fallback>) -> ChatEvent {
    match event {
        ChatEvent::Started {
            model,
            response_id,
            request_id,
            usage,
            service_tier,
            latency,
            ..
        } => ChatEvent::Started {
            model,
            response_id,
            request_id,
            usage,
            service_tier,
            fallback: note,
            latency,
        },
        ChatEvent::Finished(mut response) => {
            response.fallback = note;
            ChatEvent::Finished(response)
        }
        ChatEvent::Delta(text) => ChatEvent::Delta(text),
    }
}

/// Whether the error says something about the provider and not about the request.
fn another_may_answer(error: &LlmError) -> bool {
    error.is_provider_fault()
        || matches!(
            error,
            LlmError::RateLimited { .. }
                | LlmError::CircuitOpen { .. }
                | LlmError::Overloaded { .. }
        )
}

fn note(failed: ProviderName, next: ProviderName, error: &LlmError) {
    let (from, to) = (failed.telemetry_name(), next.telemetry_name());
    let labels = [
        ("gen_ai.provider.name", to),
        ("fallback.from", from),
        ("error.type", error.error_type()),
    ];
    catalogue::GEN_AI_FALLBACKS.counter(&labels).increment(1);
    instrumentation::span_event("bookstore.gen_ai.fallback", &labels);
    tracing::warn!(
        "error.type" = error.error_type(),
        provider = to,
        failed = from,
        "another provider is asked: {error}"
    );
}
