//! The trace of one request: recorded, recorded for the time being, or told when it is over.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use opentelemetry::{
    KeyValue, SpanId, TraceId,
    trace::{SpanContext, TraceContextExt},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{RouteClass, Sampling, ending::Ending, routes::RouteHandles};
use crate::{
    propagation::Parent,
    request::{RequestIdentity, TraceIdText, hex},
    traces::{self, Afterwards, Reason, Traces},
};

/// See the module.
pub(super) struct RequestTrace {
    /// None where no span is recorded.
    pub(super) span: Span,
    pub(super) trace_id: TraceIdText,
    /// That of the span, or of the one that may be told afterwards.
    span_id: SpanId,
    recording: Recording,
    parent: Option<Parent>,
    /// From when on the request is slow.
    slow: Option<Duration>,
}

/// What happens to the spans of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recording {
    /// Its head asked for its trace.
    Sampled,
    /// They wait for its end.
    Provisional,
    /// There are none; its end may be told by one.
    Afterwards,
    /// There are none, however it ends: its path is excluded.
    Never,
}

/// When and how a request ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) path: &'a str,
    pub(super) status: StatusCode,
    pub(super) elapsed: Duration,
    pub(super) ending: Ending,
}

impl RequestTrace {
    /// Decides by the head of a request, and opens its span if there is to be one. Whoever waits
    /// for a model waits for seconds and costs dollars: spans cost it nothing that shows, and are
    /// there when its end asks for them. Reads come by the hundred thousand, and open none.
    pub(super) fn begin(
        request: &Request<Body>,
        handles: &RouteHandles,
        sampling: &Sampling,
        parent: Option<Parent>,
    ) -> Self {
        let excluded = sampling.excluded.contains(request.uri().path());
        let sampled = match &parent {
            _ if excluded => false,
            Some(parent) => parent.is_sampled(),
            None => {
                let share = sampling.of(handles.class);
                share > 0.0 && fastrand::f64() < share
            }
        };
        let traces = traces::current();
        let waits = !sampled && !excluded && handles.class == RouteClass::Ai;
        let provisional = waits && traces.is_some();
        let mut trace = Self {
            span: Span::none(),
            trace_id: TraceIdText::new(0),
            span_id: SpanId::INVALID,
            recording: if excluded {
                Recording::Never
            } else {
                Recording::Afterwards
            },
            slow: sampling.slow.of(handles.class),
            parent,
        };
        if sampled || provisional {
            trace.span = server_span(request, handles, sampled, trace.parent.as_ref());
        }
        match span_context(&trace.span) {
            Some(ids) => {
                trace.span_id = ids.span_id();
                trace.trace_id = text(ids.trace_id());
                trace.recording = Recording::Sampled;
                if let Some(traces) = traces.filter(|_| provisional) {
                    traces.open(ids.trace_id());
                    trace.recording = Recording::Provisional;
                }
            }
            None => {
                trace.span_id = fastrand::u64(1..).into();
                let parent = trace.parent.as_ref();
                trace.trace_id = parent.map_or_else(
                    || TraceIdText::new(fastrand::u128(1..)),
                    |parent| text(parent.trace_id()),
                );
            }
        }
        trace
    }

    /// Whether spans are recorded of which some may be kept.
    pub(super) fn is_recorded(&self) -> bool {
        matches!(self.recording, Recording::Sampled | Recording::Provisional)
    }

    /// `traceresponse` of the Trace Context Level 2 draft: the id under which the trace is found.
    /// Its flag promises what is known with the head of the reply.
    pub(super) fn response_header(&self, status: StatusCode) -> Option<HeaderValue> {
        let fault_is_told = status.is_server_error() && traces::current().is_some();
        let kept = match self.recording {
            Recording::Sampled => true,
            Recording::Provisional | Recording::Afterwards => fault_is_told,
            Recording::Never => false,
        };
        let mut header = *b"00-TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT-SSSSSSSSSSSSSSSS-00";
        header[3..35].copy_from_slice(self.trace_id.as_str().as_bytes());
        header[36..52].copy_from_slice(&self.span_digits());
        header[54] = if kept { b'1' } else { b'0' };
        HeaderValue::from_bytes(&header).ok()
    }

    /// The span's id in hexadecimal digits.
    pub(super) fn span_digits(&self) -> [u8; 16] {
        hex(u64::from_be_bytes(self.span_id.to_bytes()).into())
    }

    /// The request is over: writes its end on its span, and decides. Whether its trace is kept.
    pub(super) fn end(
        &self,
        end: &End<'_>,
        handles: &RouteHandles,
        identity: &RequestIdentity,
    ) -> bool {
        let traces = traces::current();
        let reason = self.reason(end, handles.class, traces);
        self.mark(end, reason, identity);
        let Some(traces) = traces else {
            return false;
        };
        let kept = match (self.recording, reason) {
            (Recording::Sampled, _) => true,
            (Recording::Provisional, _) => traces.settle(self.otel_trace_id(), reason.is_some()),
            (Recording::Afterwards, None) | (Recording::Never, _) => false,
            (Recording::Afterwards, Some(reason)) => {
                traces.tell(self.afterwards(end, reason, handles, identity));
                true
            }
        };
        if let Some(work) = identity.shared_work() {
            work.leave(traces, kept);
        }
        kept
    }

    /// Why the trace is kept if its head did not ask for it.
    fn reason(&self, end: &End<'_>, class: RouteClass, traces: Option<&Traces>) -> Option<Reason> {
        // A caller that left is in error.type, but is no fault.
        if end.ending.is_failure(end.status) {
            return Some(Reason::Fault);
        }
        let decided = matches!(self.recording, Recording::Sampled | Recording::Never);
        let slow = !decided && self.slow.is_some_and(|slow| end.elapsed >= slow);
        let kept = slow && traces.is_some_and(|traces| traces.keeps_slow(class));
        kept.then_some(Reason::Slow)
    }

    fn mark(&self, end: &End<'_>, reason: Option<Reason>, identity: &RequestIdentity) {
        if self.span.is_none() {
            return;
        }
        let span = &self.span;
        span.record("http.response.status_code", i64::from(end.status.as_u16()));
        span.record("request.id", identity.request_id());
        if let Some(error) = end.ending.error_type(&end.status) {
            span.record("error.type", error);
        }
        if end.ending.is_failure(end.status) {
            span.record("otel.status_code", "ERROR");
        }
        if let Some(reason) = reason.filter(|_| self.recording == Recording::Provisional) {
            span.record("bookstore.trace.kept_for", reason.as_str());
        }
    }

    fn afterwards(
        &self,
        end: &End<'_>,
        reason: Reason,
        handles: &RouteHandles,
        identity: &RequestIdentity,
    ) -> Afterwards {
        let optional = |name: &'static str, value: Option<&str>| {
            value.map(|value| KeyValue::new(name, value.to_owned()))
        };
        let mut attributes = vec![
            KeyValue::new("http.request.method", handles.method),
            KeyValue::new("http.route", handles.route.clone()),
            KeyValue::new("url.path", end.path.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(end.status.as_u16())),
            KeyValue::new("request.id", identity.request_id().to_owned()),
            KeyValue::new(traces::SAMPLED_AT_HEAD, false),
            KeyValue::new("bookstore.trace.kept_for", reason.as_str()),
        ];
        let error = end.ending.error_type(&end.status);
        attributes.extend(optional("error.type", error));
        attributes.extend(optional("tenant.id", identity.tenant()));
        attributes.extend(optional("test.id", identity.test_id.as_deref()));
        attributes.extend(optional("test.scenario", identity.test_scenario.as_deref()));
        Afterwards {
            trace_id: self.otel_trace_id(),
            span_id: self.span_id,
            parent: self.parent.clone(),
            name: span_name(handles),
            elapsed: end.elapsed,
            failed: end.ending.is_failure(end.status),
            attributes,
        }
    }

    fn otel_trace_id(&self) -> TraceId {
        TraceId::from_hex(self.trace_id.as_str()).unwrap_or(TraceId::INVALID)
    }
}

fn text(trace_id: TraceId) -> TraceIdText {
    TraceIdText::new(u128::from_be_bytes(trace_id.to_bytes()))
}

fn span_context(span: &Span) -> Option<SpanContext> {
    if span.is_none() {
        return None;
    }
    let ids = span.context().span().span_context().clone();
    ids.is_valid().then_some(ids)
}

fn span_name(handles: &RouteHandles) -> String {
    format!("{} {}", handles.method, handles.route)
        .trim_end()
        .to_owned()
}

fn server_span(
    request: &Request<Body>,
    handles: &RouteHandles,
    sampled: bool,
    parent: Option<&Parent>,
) -> Span {
    let span = tracing::info_span!(
        "http_request",
        otel.name = span_name(handles),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        "http.request.method" = handles.method,
        "http.route" = handles.route,
        "url.path" = request.uri().path(),
        "url.scheme" = "http",
        "user_agent.original" = header_text(request.headers(), &http::header::USER_AGENT),
        "http.response.status_code" = tracing::field::Empty,
        "error.type" = tracing::field::Empty,
        "tenant.id" = tracing::field::Empty,
        "test.id" = tracing::field::Empty,
        "test.scenario" = tracing::field::Empty,
        "request.id" = tracing::field::Empty,
        "bookstore.gen_ai.cached" = tracing::field::Empty,
        "bookstore.gen_ai.coalesced" = tracing::field::Empty,
        "bookstore.gen_ai.answered_by_trace" = tracing::field::Empty,
        // Read by the sampler: [`traces::SAMPLED_AT_HEAD`].
        "bookstore.trace.sampled_at_head" = sampled,
        "bookstore.trace.kept_for" = tracing::field::Empty,
    );
    if let Some(parent) = parent
        && span.set_parent(parent.context()).is_err()
    {
        tracing::debug!("the caller's trace could not be joined");
    }
    span
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}
