//! Measures every request that a process serves: one span if sampled, one event, one duration.

mod answer;
mod body;
mod caller;
mod identifiers;
mod record;
mod routes;

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Instant,
};

use axum::{body::Body, extract::MatchedPath, response::Response};
use http::{HeaderMap, HeaderName, Method, Request};
use tower::{Layer, Service};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    propagation::{Parent, baggage_member},
    request::RequestIdentity,
};
use caller::Caller;
use identifiers::trace_id;
use record::RequestRecord;
use routes::{RouteHandles, Routes};

pub use answer::Answer;

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
            route: Arc::new(Measures {
                layer: self.clone(),
                last: OnceLock::new(),
            }),
            inner,
        }
    }
}

/// See [`layer`].
#[derive(Clone)]
pub struct HttpService<S> {
    route: Arc<Measures>,
    inner: S,
}

/// What the clones of one service share: axum clones a service for every request.
struct Measures {
    layer: HttpLayer,
    /// The handles of the first request. axum makes a service for each method and route, so that
    /// these are nearly always the right ones.
    last: OnceLock<Arc<RouteHandles>>,
}

impl<S> Service<Request<Body>> for HttpService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let record = self.route.begin(&request);
        // The layers below judge requests already here, and say so in the request's name.
        let answer = record.within(|| self.inner.call(request));
        Answer::new(answer, record)
    }
}

impl Measures {
    fn begin(&self, request: &Request<Body>) -> RequestRecord {
        let started = Instant::now();
        let matched = request.extensions().get::<MatchedPath>();
        let route = matched.map_or("", MatchedPath::as_str);
        let handles = self.handles(request.method(), route);
        let caller = Caller::of(request.headers());
        let parent = caller.traceparent.and_then(Parent::parse);
        let sampled = match &parent {
            Some(parent) => parent.is_sampled(),
            None => {
                let share = self.layer.telemetry.sampling.of(handles.class);
                share > 0.0 && fastrand::f64() < share
            }
        };
        let member = |name| baggage_member(caller.baggage?, name);
        let (test_id, test_scenario) = (member("test.id"), member("test.scenario"));
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
        let trace_id = trace_id(&span, parent.as_ref());
        let identity = Arc::new(RequestIdentity {
            given_id: caller.request_id().map(Into::into),
            trace_id,
            test_id,
            test_scenario,
        });
        RequestRecord::begin(started, handles, span, identity, request)
    }

    fn handles(&self, method: &Method, route: &str) -> Arc<RouteHandles> {
        let method = routes::known_method(method);
        if let Some(handles) = self.last.get()
            && handles.method == method
            && handles.route == route
        {
            return Arc::clone(handles);
        }
        let HttpLayer { telemetry, routes } = &self.layer;
        let handles = routes.get(method, route, telemetry.classify);
        let _first = self.last.set(Arc::clone(&handles));
        handles
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
        "bookstore.gen_ai.cached" = tracing::field::Empty,
        "bookstore.gen_ai.coalesced" = tracing::field::Empty,
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

/// Whether a method changes something.
fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
