//! The trace of one request: recorded, recorded for the time being, or told when it is over.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::{HeaderValue, Request, StatusCode, header::USER_AGENT};
use opentelemetry::{
    KeyValue, StringValue, TraceFlags, TraceId,
    trace::{SpanContext, TraceState},
};

use super::{RouteClass, Sampling, ending::Ending, routes::RouteHandles};
use crate::{
    propagation::Parent,
    request::{RequestIdentity, TraceIdText, hex},
    shared_work::WorkTrace,
    traces::{self, OwnSpan, Reason, Traces, sampled},
};

/// See the module.
pub(super) struct RequestTrace {
    pub(super) trace_id: TraceIdText,
    /// Those of its span, or of the one that may be told afterwards.
    ids: SpanContext,
    recording: Recording,
    parent: Option<Parent>,
    /// From when on the request is slow.
    slow: Option<Duration>,
    /// Who calls, where that is recorded.
    user_agent: Option<HeaderValue>,
}

/// What happens to the spans of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recording {
    /// Its head asked for its trace.
    Sampled,
    /// They wait for its end.
    Provisional,
    /// There are none below its own, which may be told when it is over.
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
    /// Decides by the head of a request. Whoever waits for a model waits for seconds and costs
    /// dollars: spans cost it nothing that shows, and are there when its end asks for them. Reads
    /// come by the hundred thousand, and have none.
    pub(super) fn begin(
        request: &Request<Body>,
        class: RouteClass,
        sampling: &Sampling,
        parent: Option<Parent>,
    ) -> Self {
        let excluded = sampling.excluded.contains(request.uri().path());
        let sampled = match &parent {
            _ if excluded => false,
            Some(parent) => parent.is_sampled(),
            None => {
                let share = sampling.of(class);
                share > 0.0 && fastrand::f64() < share
            }
        };
        let recording = match (traces::current(), class) {
            _ if excluded => Recording::Never,
            (Some(_), _) if sampled => Recording::Sampled,
            (Some(_), RouteClass::Ai) => Recording::Provisional,
            _ => Recording::Afterwards,
        };
        let trace_id = parent
            .as_ref()
            .map_or_else(|| fastrand::u128(1..).into(), Parent::trace_id);
        let flags = TraceFlags::default().with_sampled(sampled);
        let span_id = fastrand::u64(1..).into();
        let ids = SpanContext::new(trace_id, span_id, flags, false, TraceState::NONE);
        let mut trace = Self {
            trace_id: text(trace_id),
            ids,
            recording,
            parent,
            slow: sampling.slow.of(class),
            user_agent: None,
        };
        if trace.is_recorded() {
            trace.user_agent = request.headers().get(USER_AGENT).cloned();
        }
        if recording == Recording::Provisional
            && let Some(traces) = traces::current()
        {
            traces.open(trace_id);
        }
        trace
    }

    /// Whether its head asked for its trace.
    pub(super) fn is_sampled(&self) -> bool {
        self.ids.is_sampled()
    }

    /// Whether spans are recorded of which some may be kept.
    pub(super) fn is_recorded(&self) -> bool {
        matches!(self.recording, Recording::Sampled | Recording::Provisional)
    }

    /// The ids of its span, if that is recorded.
    pub(super) fn recorded(&self) -> Option<&SpanContext> {
        self.is_recorded().then_some(&self.ids)
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
        hex(u64::from_be_bytes(self.ids.span_id().to_bytes()).into())
    }

    /// The request is over: decides, and tells its span. Whether its trace is kept.
    pub(super) fn end(
        &self,
        end: &End<'_>,
        handles: &RouteHandles,
        identity: &RequestIdentity,
    ) -> bool {
        let Some(traces) = traces::current() else {
            return false;
        };
        let reason = self.reason(end, handles.class, traces);
        let kept = match self.recording {
            Recording::Sampled => true,
            Recording::Provisional => traces.settle(self.ids.trace_id(), reason.is_some()),
            Recording::Afterwards => reason.is_some(),
            Recording::Never => false,
        };
        // One that is not kept yet may be for what it shares with others.
        if kept || self.recording == Recording::Provisional {
            traces.tell(self.own_span(end, reason, handles, identity));
        }
        if let Some(work) = identity.shared_work() {
            work.leave(traces, kept);
        }
        kept
    }

    /// Why the trace is kept if its head did not ask for it.
    fn reason(&self, end: &End<'_>, class: RouteClass, traces: &Traces) -> Option<Reason> {
        if self.recording == Recording::Sampled {
            return None;
        }
        // A caller that left is in error.type, but is no fault.
        if end.ending.is_failure(end.status) {
            return Some(Reason::Fault);
        }
        let open = self.recording != Recording::Never;
        let slow = open && self.slow.is_some_and(|slow| end.elapsed >= slow);
        (slow && traces.keeps_slow(class)).then_some(Reason::Slow)
    }

    fn own_span(
        &self,
        end: &End<'_>,
        reason: Option<Reason>,
        handles: &RouteHandles,
        identity: &RequestIdentity,
    ) -> OwnSpan {
        let noted = identity.noted.take();
        let mut attributes = Vec::with_capacity(12);
        attributes.extend([
            KeyValue::new("http.request.method", handles.method),
            KeyValue::new("http.route", Arc::clone(&handles.route)),
            KeyValue::new("url.path", Arc::<str>::from(end.path)),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("http.response.status_code", i64::from(end.status.as_u16())),
        ]);
        let mut add = |name: &'static str, value: Option<StringValue>| {
            attributes.extend(value.map(|value| KeyValue::new(name, value)));
        };
        // The exporter clones every span.
        let shared = |text: &str| StringValue::from(Arc::<str>::from(text));
        let work = identity.shared_work();
        let agent = self.user_agent.as_ref();
        let agent = agent.and_then(|agent| agent.to_str().ok());
        // Who chose none goes by the trace's id.
        add("request.id", identity.given_id.as_deref().map(shared));
        add("user_agent.original", agent.map(shared));
        add("error.type", end.ending.error_type(&end.status).map(shared));
        add(
            "tenant.id",
            identity.tenant().map(|it| Arc::clone(it).into()),
        );
        add("test.id", identity.test_id.as_deref().map(shared));
        add(
            "test.scenario",
            identity.test_scenario.as_deref().map(shared),
        );
        add(
            "bookstore.trace.kept_for",
            reason.map(|it| it.as_str().into()),
        );
        add(
            "bookstore.gen_ai.answered_by_trace",
            work.map(|work| shared(work.trace_id().as_str())),
        );
        if !self.is_sampled() {
            attributes.push(KeyValue::new("bookstore.trace.sampled_at_head", false));
        }
        attributes.extend(noted.attributes);
        OwnSpan {
            ids: self.ids_of_told(),
            parent: self.parent.as_ref().map(Parent::span_id),
            name: handles.span_name,
            elapsed: end.elapsed,
            failed: end.ending.is_failure(end.status),
            attributes,
            events: noted.events,
            answered_by: work.and_then(WorkTrace::span).cloned(),
        }
    }

    /// What is told though nothing was recorded is told at once: it waits for no decision.
    fn ids_of_told(&self) -> SpanContext {
        match self.recording {
            Recording::Afterwards => sampled(&self.ids),
            _ => self.ids.clone(),
        }
    }
}

fn text(trace_id: TraceId) -> TraceIdText {
    TraceIdText::new(u128::from_be_bytes(trace_id.to_bytes()))
}
