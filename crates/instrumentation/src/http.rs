//! Measures every request that a process serves: one span if sampled, one event, one duration.

mod body;
mod record;
mod routes;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{body::Body, extract::MatchedPath, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use opentelemetry::trace::TraceContextExt;
use tower::{Layer, Service};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    propagation::{Parent, baggage_member},
    request::{self, RequestIdentity},
};
use body::MeasuredBody;
use record::RequestRecord;
use routes::Routes;

const X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Longest request id that is taken over from a caller.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// What a route is for; objectives and sampling differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteClass {
    /// Books, authors and what else comes from a store.
    Catalogue,
    /// What waits for a model.
    Ai,
    /// Health, metrics, documentation and other routes of the operators.
    Ops,
}

/// How requests are measured.
#[derive(Debug, Clone, Copy)]
pub struct HttpTelemetry {
    /// The class of a route template; `""` stands for no route.
    pub classify: fn(&str) -> RouteClass,
    /// Share of traces begun here that are recorded; a caller's own decision goes before it.
    pub sampling: Sampling,
}

/// Shares from 0 to 1, by route class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Of catalogue requests.
    pub catalogue: f64,
    /// Of requests that wait for a model.
    pub ai: f64,
    /// Of operators' requests.
    pub ops: f64,
}

impl RouteClass {
    /// The value of the `route_class` label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Ai => "ai",
            Self::Ops => "ops",
        }
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            catalogue: 0.01,
            ai: 1.0,
            ops: 0.0,
        }
    }
}

impl Sampling {
    fn of(&self, class: RouteClass) -> f64 {
        match class {
            RouteClass::Catalogue => self.catalogue,
            RouteClass::Ai => self.ai,
            RouteClass::Ops => self.ops,
        }
    }
}

/// The layer around every route of a process.
#[must_use]
pub fn layer(telemetry: HttpTelemetry) -> HttpLayer {
    HttpLayer {
        telemetry,
        routes: Arc::new(Routes::default()),
    }
}

/// See [`layer`].
#[derive(Clone)]
pub struct HttpLayer {
    telemetry: HttpTelemetry,
    routes: Arc<Routes>,
}

impl<S> Layer<S> for HttpLayer {
    type Service = HttpService<S>;

    fn layer(&self, inner: S) -> HttpService<S> {
        HttpService {
            layer: self.clone(),
            inner,
        }
    }
}

/// See [`layer`].
#[derive(Clone)]
pub struct HttpService<S> {
    layer: HttpLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for HttpService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (record, identity) = self.layer.begin(&request);
        let span = record.span.clone();
        let answer = request::scope(Arc::clone(&identity), self.inner.call(request));
        if span.is_none() {
            Box::pin(async move { Ok(finish(answer.await?, record, &identity)) })
        } else {
            let answer = answer.instrument(span);
            Box::pin(async move { Ok(finish(answer.await?, record, &identity)) })
        }
    }
}

impl HttpLayer {
    fn begin(&self, request: &Request<Body>) -> (RequestRecord, Arc<RequestIdentity>) {
        let started = Instant::now();
        let matched = request.extensions().get::<MatchedPath>();
        let route = matched.map_or("", MatchedPath::as_str);
        let handles = self
            .routes
            .get(request.method(), route, self.telemetry.classify);
        let parent = Parent::from_headers(request.headers());
        let sampled = match &parent {
            Some(parent) => parent.is_sampled(),
            None => {
                let share = self.telemetry.sampling.of(handles.class);
                share > 0.0 && fastrand::f64() < share
            }
        };
        let headers = request.headers();
        let test_id = baggage_member(headers, "test.id");
        let test_scenario = baggage_member(headers, "test.scenario");
        let span = if sampled {
            server_span(request, route, parent.as_ref())
        } else {
            Span::none()
        };
        if let Some(test_id) = &test_id {
            span.record("test.id", test_id.as_str());
        }
        if let Some(scenario) = &test_scenario {
            span.record("test.scenario", scenario.as_str());
        }
        let identity = Arc::new(RequestIdentity {
            request_id: request_id(headers),
            trace_id: trace_id(&span, parent.as_ref()),
            sampled: !span.is_none(),
            test_id,
            test_scenario,
        });
        let record = RequestRecord::begin(started, handles, span, request);
        (record, identity)
    }
}

fn finish(
    mut response: Response,
    record: RequestRecord,
    identity: &Arc<RequestIdentity>,
) -> Response {
    let status = response.status();
    if let Ok(value) = HeaderValue::from_str(&identity.request_id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    if let Ok(value) = HeaderValue::try_from(trace_response(&record.span, identity)) {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    match http_body::Body::size_hint(response.body()).exact() {
        Some(size) => {
            record.finish(status, size, identity);
            response
        }
        None => response.map(|body| {
            Body::new(MeasuredBody::new(
                body,
                record,
                status,
                Arc::clone(identity),
            ))
        }),
    }
}

fn server_span(request: &Request<Body>, route: &str, parent: Option<&Parent>) -> Span {
    let method = routes::known_method(request.method());
    let span = tracing::info_span!(
        "http_request",
        otel.name = format!("{method} {route}").trim_end(),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        "http.request.method" = method,
        "http.route" = route,
        "url.path" = request.uri().path(),
        "url.scheme" = "http",
        "user_agent.original" = header_text(request.headers(), &http::header::USER_AGENT),
        "http.response.status_code" = tracing::field::Empty,
        "error.type" = tracing::field::Empty,
        "tenant.id" = tracing::field::Empty,
        "test.id" = tracing::field::Empty,
        "test.scenario" = tracing::field::Empty,
        "request.id" = tracing::field::Empty,
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

fn request_id(headers: &HeaderMap) -> String {
    let given = [X_CORRELATION_ID, X_REQUEST_ID].iter().find_map(|name| {
        let text = headers.get(name)?.to_str().ok()?;
        (!text.is_empty() && text.len() <= MAX_REQUEST_ID_BYTES).then_some(text)
    });
    given.map_or_else(|| hex(fastrand::u128(..)), str::to_owned)
}

fn trace_id(span: &Span, parent: Option<&Parent>) -> String {
    let recorded = if span.is_none() {
        None
    } else {
        let context = span.context();
        let ids = context.span().span_context().clone();
        ids.is_valid().then(|| ids.trace_id().to_string())
    };
    recorded
        .or_else(|| parent.map(Parent::trace_id))
        .unwrap_or_else(|| hex(fastrand::u128(1..)))
}

/// `traceresponse` of the Trace Context Level 2 draft: the id under which the trace is found.
fn trace_response(span: &Span, identity: &RequestIdentity) -> String {
    let ids = if span.is_none() {
        None
    } else {
        Some(span.context().span().span_context().clone())
    };
    match ids.filter(opentelemetry::trace::SpanContext::is_valid) {
        Some(ids) => format!("00-{}-{}-01", identity.trace_id, ids.span_id()),
        None => format!("00-{}-{:016x}-00", identity.trace_id, fastrand::u64(1..)),
    }
}

fn hex(number: u128) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(32);
    for byte in number.to_be_bytes() {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}

/// Whether a method changes something.
fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
