//! The request that the current task works for.

mod noted;

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use http::StatusCode;
use opentelemetry::{KeyValue, trace::SpanContext};
use tokio::task::futures::TaskLocalFuture;
use tracing::Span;

use crate::{exemplars, shared_work::WorkTrace};
pub(crate) use noted::Noted;

tokio::task_local! {
    static CURRENT: Arc<RequestIdentity>;
}

/// How a request is found again in traces, logs and problem documents.
#[derive(Debug)]
pub struct RequestIdentity {
    /// The caller's `X-Correlation-ID` or `X-Request-Id`.
    pub given_id: Option<Box<str>>,
    /// The trace's id.
    pub trace_id: TraceIdText,
    /// The load test that sent the request, from its baggage.
    pub test_id: Option<String>,
    /// The load test's scenario, from its baggage.
    pub test_scenario: Option<String>,
    /// The ids of its own span, which is told when it is over; `None` where no span is recorded.
    pub(crate) span: Option<SpanContext>,
    /// What its span is to say besides.
    pub(crate) noted: Noted,
    /// See [`record_tenant`].
    pub(crate) tenant: OnceLock<Arc<str>>,
    /// What another request had begun, and answers this one too.
    pub(crate) shared_work: OnceLock<WorkTrace>,
    /// The values that may lead to its trace.
    pub(crate) exemplars: exemplars::OfRequest,
    /// See [`RequestIdentity::fail`].
    pub(crate) failure: OnceLock<StatusCode>,
}

/// A trace id as 32 hexadecimal digits. Every request has one, so it takes no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceIdText([u8; 32]);

impl TraceIdText {
    /// The text of an id.
    #[must_use]
    pub fn new(id: u128) -> Self {
        Self(hex(id))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl RequestIdentity {
    /// A request of which nothing is known but its trace.
    #[must_use]
    pub fn new(trace_id: TraceIdText) -> Self {
        Self {
            given_id: None,
            trace_id,
            test_id: None,
            test_scenario: None,
            span: None,
            noted: Noted::default(),
            tenant: OnceLock::new(),
            shared_work: OnceLock::new(),
            exemplars: exemplars::OfRequest::default(),
            failure: OnceLock::new(),
        }
    }

    /// What the caller calls the request; it goes by its trace where the caller said nothing.
    #[must_use]
    pub fn request_id(&self) -> &str {
        match &self.given_id {
            Some(given) => given,
            None => self.trace_id.as_str(),
        }
    }

    /// Notes an attribute of its span, if one is recorded.
    pub(crate) fn note(&self, attribute: KeyValue) {
        if self.span.is_some() {
            self.noted.attribute(attribute);
        }
    }

    /// Whose data it may touch, once that is known.
    pub(crate) fn tenant(&self) -> Option<&Arc<str>> {
        self.tenant.get()
    }

    /// What another request had begun, and answers this one too.
    pub(crate) fn shared_work(&self) -> Option<&WorkTrace> {
        self.shared_work.get()
    }

    /// Notes that the reply failed after its head was sent, and which status it would have had
    /// otherwise. Metrics, span and log tell it; of several failures the first one counts.
    pub fn fail(&self, status: StatusCode) {
        let _first = self.failure.set(status);
    }
}

/// The request that the current task works for, if any.
#[must_use]
pub fn current() -> Option<Arc<RequestIdentity>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Does something with the request that the current task works for, if any.
pub(crate) fn with_current(work: impl FnOnce(&RequestIdentity)) {
    // Outside a request there is nothing to do it with.
    CURRENT.try_with(|identity| work(identity)).ok();
}

/// A future that works for a request; see [`scope`].
pub type Scoped<F> = TaskLocalFuture<Arc<RequestIdentity>, F>;

/// Runs `future` for `identity`.
pub fn scope<F: Future>(identity: Arc<RequestIdentity>, future: F) -> Scoped<F> {
    CURRENT.scope(identity, future)
}

/// Does something at once for `identity`.
pub(crate) fn scope_sync<T>(identity: Arc<RequestIdentity>, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(identity, work)
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
    let of_request = || CURRENT.try_with(|identity| identity.span.is_some());
    of_request() == Ok(true) || !Span::current().is_disabled()
}

/// Notes the tenant on the request's span.
pub fn record_tenant(tenant: &Arc<str>) {
    with_current(|identity| {
        let _first = identity.tenant.set(Arc::clone(tenant));
    });
}

/// Notes on the request's span where a model's answer came from: whether it was there already, and
/// whether another request had asked for it.
pub fn record_answer(cached: bool, coalesced: bool) {
    with_current(|identity| {
        identity.note(KeyValue::new("bookstore.gen_ai.cached", cached));
        identity.note(KeyValue::new("bookstore.gen_ai.coalesced", coalesced));
    });
}

/// The last `DIGITS` hexadecimal digits of a number.
pub(crate) fn hex<const DIGITS: usize>(number: u128) -> [u8; DIGITS] {
    const ALPHABET: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; DIGITS];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = ALPHABET[usize::from(number.to_le_bytes()[place / 2] >> (4 * (place % 2)) & 0xf)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_digits() {
        assert_eq!(&hex::<8>(0xfa9ff), b"000fa9ff");
        assert_eq!(
            TraceIdText::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736).as_str(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
    }
}
