//! What becomes of spans: which traces are kept, and who is sent them.
//!
//! A trace is kept because the head of its request said so (its caller, or a share by class of
//! route), or because of its end: it failed, or it was slow. Requests that wait for a model are
//! recorded in any case; what their heads did not ask for waits in [`tail`] until they end. Of all
//! others nothing is recorded unless they are sampled. A request's own span is told when it is over
//! ([`own_span`]), also that of one which was not recorded, but failed or was slow. Of slow ones so
//! many are kept a second ([`pace`]).

mod bounds;
mod destination;
mod otlp_http;
mod own_span;
mod pace;
mod queue;
mod sampler;
mod tail;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::{Context, InstrumentationScope, KeyValue, trace::TraceId};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracerProvider, Span, SpanData, SpanProcessor},
};

use crate::{TelemetryConfig, TelemetryError, http::RouteClass};
use bounds::bound;
use destination::Destination;
use pace::Pace;
use queue::Queue;
use sampler::AsTheRootWas;
use tail::Tail;

pub(crate) use own_span::OwnSpan;
pub(crate) use tail::{Reason, sampled};

/// Most events of one span: a request looks into caches some ten times, and what does so more often
/// says nothing new. Those beyond are counted on the span.
pub(crate) const MAX_EVENTS: u32 = 64;

/// The name of our spans' library.
pub(crate) const TRACER: &str = "bookstore";

/// The one of this process, once telemetry has started with somewhere to send spans to.
static TRACES: OnceLock<Arc<Traces>> = OnceLock::new();

/// The traces of a process.
#[derive(Debug)]
pub(crate) struct Traces {
    queues: Vec<Queue>,
    tail: Tail,
    /// Of slow requests, by [`RouteClass`]: a flood of slow reads takes no place of a slow summary.
    slow: [Pace; 3],
    library: InstrumentationScope,
}

/// Those of this process; `None` when spans are sent nowhere.
pub(crate) fn current() -> Option<&'static Traces> {
    TRACES.get().map(|traces| &**traces)
}

/// Starts what the configuration asks for; `None` if it names no collector.
///
/// # Errors
/// The address of a collector cannot be used.
pub(crate) fn start(config: &TelemetryConfig) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let resource = resource(config);
    let destinations = Destination::all(config, &resource)?;
    if destinations.is_empty() {
        return Ok(None);
    }
    let traces = Arc::new(Traces {
        queues: destinations.into_iter().map(Queue::start).collect(),
        tail: Tail::new(),
        slow: Default::default(),
        library: InstrumentationScope::builder(TRACER).build(),
    });
    TRACES
        .set(Arc::clone(&traces))
        .map_err(|_| TelemetryError::AlreadyStarted)?;
    let provider = SdkTracerProvider::builder()
        .with_sampler(AsTheRootWas)
        .with_resource(resource)
        .with_max_events_per_span(MAX_EVENTS)
        .with_span_processor(Processor(traces))
        .build();
    Ok(Some(provider))
}

fn resource(config: &TelemetryConfig) -> Resource {
    let further = config.switches.resource.iter().cloned();
    Resource::builder_empty()
        .with_attributes(further.map(|(name, value)| KeyValue::new(name, value)))
        .with_attributes([
            KeyValue::new("service.name", config.service_name.clone()),
            KeyValue::new("service.version", config.service_version),
            KeyValue::new("deployment.environment.name", config.environment.clone()),
        ])
        .build()
}

impl Traces {
    /// A request begins whose head did not ask for its trace, or work that may outlive one: the
    /// trace's spans wait for its end.
    pub(crate) fn open(&self, trace_id: TraceId) {
        self.tail.open(trace_id);
    }

    /// Such a request or work is over: whether its trace is kept, because it is wanted or for a
    /// fault among its spans.
    pub(crate) fn settle(&self, trace_id: TraceId, wanted: bool) -> bool {
        let (kept, spans) = self.tail.settle(trace_id, wanted);
        for span in spans {
            self.send(span);
        }
        kept
    }

    /// Whether anything is held of a trace, or decided.
    pub(crate) fn knows(&self, trace_id: TraceId) -> bool {
        self.tail.knows(trace_id)
    }

    /// Whether one more slow request of this class may keep its trace.
    pub(crate) fn keeps_slow(&self, class: RouteClass) -> bool {
        let [catalogue, ai, ops] = &self.slow;
        let pace = match class {
            RouteClass::Catalogue => catalogue,
            RouteClass::Ai => ai,
            RouteClass::Ops => ops,
        };
        pace.take()
    }

    /// Tells of a request that is over.
    pub(crate) fn tell(&self, request: OwnSpan) {
        self.take(request.ended(self.library.clone()));
    }

    /// Sends a span that has ended, or holds it until its trace is decided.
    fn take(&self, mut span: SpanData) {
        bound(&mut span);
        if span.span_context.is_sampled() {
            self.send(span);
        } else if let Some(span) = self.tail.hold(span) {
            self.send(span);
        }
    }

    /// To every collector; a queue that is full drops it and counts that.
    fn send(&self, span: SpanData) {
        let Some((last, others)) = self.queues.split_last() else {
            return;
        };
        for queue in others {
            queue.offer(span.clone());
        }
        last.offer(span);
    }

    /// Sends what is still queued, for at most `patience`; whether all of it was sent.
    pub(crate) async fn flush(&self, patience: Duration) -> bool {
        let until = tokio::time::Instant::now() + patience;
        let mut all = true;
        for queue in &self.queues {
            all &= tokio::time::timeout_at(until, queue.flush()).await == Ok(true);
        }
        all
    }
}

/// Takes spans from the SDK as they end.
#[derive(Debug)]
struct Processor(Arc<Traces>);

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.take(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        // [`Traces::flush`] has sent what was there.
        Ok(())
    }
}
