//! The request that the current task works for.

use std::{future::Future, sync::Arc};

use tokio::task::futures::TaskLocalFuture;
use tracing::Span;

tokio::task_local! {
    static CURRENT: Arc<RequestIdentity>;
}

/// How a request is found again in traces, logs and problem documents.
#[derive(Debug)]
pub struct RequestIdentity {
    /// The caller's `X-Correlation-ID`, or one of our own.
    pub request_id: String,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// Whether the trace is recorded.
    pub sampled: bool,
    /// The load test that sent the request, from its baggage.
    pub test_id: Option<String>,
    /// The load test's scenario, from its baggage.
    pub test_scenario: Option<String>,
}

/// The request that the current task works for, if any.
#[must_use]
pub fn current() -> Option<Arc<RequestIdentity>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// A future that works for a request; see [`scope`].
pub type Scoped<F> = TaskLocalFuture<Arc<RequestIdentity>, F>;

/// Runs `future` for `identity`.
pub fn scope<F: Future>(identity: Arc<RequestIdentity>, future: F) -> Scoped<F> {
    CURRENT.scope(identity, future)
}

/// Carries the current request over to a task of its own: `tokio::spawn(scope_current(future))`.
pub fn scope_current<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let identity = current();
    async move {
        match identity {
            Some(identity) => scope(identity, future).await,
            None => future.await,
        }
    }
}

/// Whether a span opened now would be exported.
#[must_use]
pub fn is_recording() -> bool {
    !Span::current().is_disabled()
}

/// Notes the tenant on the request's span.
pub fn record_tenant(tenant: &str) {
    Span::current().record("tenant.id", tenant);
}
