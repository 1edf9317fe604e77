//! A bound on the attempts that are at one provider at once.

use std::{borrow::Cow, sync::Arc, time::Duration};

use async_trait::async_trait;
use instrumentation::catalogue;
use metrics::{Counter, Histogram};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::{
    ChatRequest, ChatResponse, ChatStream, Endpoint, FullQueue, LlmError, LlmProvider,
    ProviderName, ServiceTier, Stage, stream_end::until_end,
};

/// What a caller is told to wait that found no place: models answer within seconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How much one provider gets to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadLimits {
    /// Attempts under way, at least 1.
    pub places: usize,
    /// Attempts that wait for a place.
    pub waiting: usize,
    /// How long an attempt waits.
    pub patience: Duration,
}

impl Default for BulkheadLimits {
    fn default() -> Self {
        Self {
            places: 512,
            waiting: 512,
            patience: Duration::from_secs(2),
        }
    }
}

/// A provider that is asked no more than so much at once, so that a slow one neither drowns nor
/// takes the whole process with it. Further attempts wait in order; when too many wait, or one
/// waits too long, it ends with [`LlmError::Overloaded`].
pub struct Bulkhead {
    inner: Arc<dyn LlmProvider>,
    places: Arc<Semaphore>,
    waiting: Semaphore,
    patience: Duration,
    queue_duration: Histogram,
    refusals: Counter,
}

impl Bulkhead {
    /// Bounds `inner` by `limits`.
    pub fn new(inner: Arc<dyn LlmProvider>, limits: BulkheadLimits) -> Self {
        let provider = inner.name().telemetry_name();
        Self {
            inner,
            places: Arc::new(Semaphore::new(limits.places)),
            waiting: Semaphore::new(limits.waiting),
            patience: limits.patience,
            queue_duration: catalogue::GEN_AI_QUEUE_DURATION
                .histogram(&[("gen_ai.provider.name", provider)]),
            refusals: catalogue::GEN_AI_REFUSALS
                .counter(&[("gen_ai.provider.name", provider), ("reason", "overloaded")]),
        }
    }

    /// Waits for a place: the place, and the request with the time that it waited.
    async fn enter<'a>(
        &self,
        request: &'a ChatRequest,
    ) -> Result<(OwnedSemaphorePermit, Cow<'a, ChatRequest>), LlmError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            self.queue_duration.record(0.0);
            return Ok((place, Cow::Borrowed(request)));
        }
        let begun = Instant::now();
        let place = self.wait(begun, request.context.deadline).await;
        let queued = begun.elapsed();
        self.queue_duration.record(queued.as_secs_f64());
        let place = place?;
        let mut request = request.clone();
        request.context.queued = queued;
        Ok((place, Cow::Owned(request)))
    }

    async fn wait(
        &self,
        begun: Instant,
        deadline: Option<Instant>,
    ) -> Result<OwnedSemaphorePermit, LlmError> {
        let overloaded = || {
            self.refusals.increment(1);
            LlmError::Overloaded {
                queue: FullQueue::Provider,
                retry_after: RETRY_AFTER,
            }
        };
        let _waiting = self.waiting.try_acquire().map_err(|_| overloaded())?;
        let patience = begun + self.patience;
        let limit = deadline.map_or(patience, |deadline| deadline.min(patience));
        match timeout_at(limit, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            // The semaphore is never closed, so only the time can be over.
            Ok(Err(_)) | Err(_) if limit < patience => Err(LlmError::Timeout(Stage::Total)),
            Ok(Err(_)) | Err(_) => Err(overloaded()),
        }
    }
}

#[async_trait]
impl LlmProvider for Bulkhead {
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
        let (_place, request) = self.enter(request).await?;
        self.inner.complete(&request).await
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let (place, request) = self.enter(request).await?;
        let events = self.inner.stream(&request).await?;
        Ok(until_end(events, place))
    }
}
