//! Deadlines and retries around a provider.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use instrumentation::catalogue;
use metrics::{Counter, Histogram};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    ChatEvent, ChatRequest, ChatResponse, ChatStream, Endpoint, LlmError, LlmProvider,
    ProviderName, ServiceTier, Stage, retry_budget::RetryBudget,
};

/// How much later than the deadline a call is cut off that its provider did not end by itself.
const BACKSTOP: Duration = Duration::from_millis(100);

/// When to try again, and when to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// From the beginning of a call to its end, all attempts and waits included.
    pub total: Duration,
    /// Most attempts of a call, at least 1.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The longest wait before any attempt.
    pub max_backoff: Duration,
    /// A provider that asks for a longer wait than this is not tried again.
    pub max_retry_after: Duration,
    /// Retries that all calls to a provider may have together, per hundred calls; beside them, a
    /// provider of few calls has ten at once and one more each second.
    pub budget_percent: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(60),
            attempts: 3,
            backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(10),
            budget_percent: 20,
        }
    }
}

/// A provider that is asked again when that may help, and never for longer than the deadline.
///
/// A stream is retried only before its first piece of text, so no caller sees a text twice. A call
/// that has a deadline already keeps it, if it is the earlier one.
pub struct Resilient {
    inner: Arc<dyn LlmProvider>,
    policy: RetryPolicy,
    budget: RetryBudget,
    healthy: Arc<AtomicBool>,
    backoff_duration: Histogram,
    refusals: Counter,
}

impl Resilient {
    /// Retries `inner` after `policy`.
    pub fn new(inner: Arc<dyn LlmProvider>, policy: RetryPolicy) -> Self {
        let provider = inner.name().telemetry_name();
        Self {
            inner,
            policy,
            budget: RetryBudget::new(policy.budget_percent),
            healthy: Arc::new(AtomicBool::new(true)),
            backoff_duration: catalogue::GEN_AI_BACKOFF_DURATION
                .histogram(&[("gen_ai.provider.name", provider)]),
            refusals: catalogue::GEN_AI_REFUSALS.counter(&[
                ("gen_ai.provider.name", provider),
                ("reason", "retry_budget"),
            ]),
        }
    }

    /// A view of whether the provider did not fail the last call.
    #[must_use]
    pub fn health(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.healthy)
    }

    /// Runs attempts until one succeeds or the policy is exhausted.
    async fn attempts<'a, T>(
        &'a self,
        request: &ChatRequest,
        run: impl Fn(Arc<ChatRequest>) -> BoxFuture<'a, Result<T, LlmError>> + Sync,
    ) -> Result<T, LlmError> {
        let own = Instant::now() + self.policy.total;
        let deadline = request.context.deadline.map_or(own, |given| given.min(own));
        let mut request = Arc::new(request.clone());
        let context = &mut Arc::make_mut(&mut request).context;
        context.deadline = Some(deadline);
        context.attempt = context.numbers.next();
        self.budget.deposit();
        let mut tried = 0;
        loop {
            tried += 1;
            let result = timeout_at(deadline + BACKSTOP, run(Arc::clone(&request)))
                .await
                .unwrap_or(Err(LlmError::Timeout(Stage::Total)));
            note_health(&self.healthy, result.as_ref().err());
            let error = match result {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(&error, tried) else {
                return Err(error);
            };
            if Instant::now() + wait >= deadline {
                return Err(error);
            }
            if !self.budget.withdraw() {
                self.refusals.increment(1);
                return Err(error);
            }
            self.backoff_duration.record(wait.as_secs_f64());
            back_off(wait).await;
            let context = &mut Arc::make_mut(&mut request).context;
            context.attempt = context.numbers.next();
            context.retry_reason = Some(error.error_type());
        }
    }

    /// How long to wait after so many attempts at this provider; `None` when there is to be none.
    fn wait_after(&self, error: &LlmError, tried: u32) -> Option<Duration> {
        if tried >= self.policy.attempts || !error.is_retryable() {
            return None;
        }
        let doubled = 2_u32.saturating_pow(tried - 1);
        let ceiling = self.policy.backoff.saturating_mul(doubled);
        let jitter = ceiling
            .min(self.policy.max_backoff)
            .mul_f64(fastrand::f64());
        match error.retry_after() {
            Some(asked) if asked > self.policy.max_retry_after => None,
            // Everybody was told the same time: the jitter spreads them behind it.
            Some(asked) => Some(asked + jitter),
            None => Some(jitter),
        }
    }
}

#[async_trait]
impl LlmProvider for Resilient {
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
        self.attempts(request, |request| {
            Box::pin(async move { self.inner.complete(&request).await })
        })
        .await
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let (head, rest) = self
            .attempts(request, |request| {
                Box::pin(async move { to_first_text(self.inner.stream(&request).await?).await })
            })
            .await?;
        let healthy = Arc::clone(&self.healthy);
        let rest = rest.inspect_err(move |error| note_health(&healthy, Some(error)));
        Ok(stream::iter(head.into_iter().map(Ok)).chain(rest).boxed())
    }
}

fn note_health(healthy: &AtomicBool, error: Option<&LlmError>) {
    match error {
        None => healthy.store(true, Ordering::Relaxed),
        Some(error) if error.is_provider_fault() => healthy.store(false, Ordering::Relaxed),
        Some(_) => {}
    }
}

/// Reads a stream up to and with its first piece of text: the events read, and the rest.
async fn to_first_text(mut events: ChatStream) -> Result<(Vec<ChatEvent>, ChatStream), LlmError> {
    let mut head = Vec::new();
    loop {
        let event = events.next().await.ok_or_else(|| LlmError::Interrupted {
            message: "the stream ended before its first text".to_owned(),
        })??;
        let is_start = matches!(event, ChatEvent::Started { .. });
        head.push(event);
        if !is_start {
            return Ok((head, events));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a back-off has nothing to await but the time"
)]
async fn back_off(wait: Duration) {
    sleep(wait).await;
}
