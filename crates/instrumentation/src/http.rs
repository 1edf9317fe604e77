//! Measures every request that a process serves: one span if sampled, one event, one duration.

mod answer;
mod body;
mod caller;
mod ending;
mod excluded;
mod record;
mod routes;
mod trace;

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{body::Body, extract::MatchedPath, response::Response};
use http::{Method, Request};
use tower::{Layer, Service};

use crate::{
    propagation::{Parent, baggage_member},
    request::RequestIdentity,
};
use caller::Caller;
use record::RequestRecord;
use routes::{RouteHandles, Routes};
use trace::RequestTrace;

pub use answer::Answer;
pub use excluded::ExcludedPaths;

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

/// Shares from 0 to 1, by route class, and what is recorded beside them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Of catalogue requests.
    pub catalogue: f64,
    /// Of requests that wait for a model.
    pub ai: f64,
    /// Of operators' requests.
    pub ops: f64,
    /// From when on a request is slow; the traces of slow ones are kept like those of failed ones.
    pub slow: Slow,
    /// Paths without traces, not even for a caller who records.
    pub excluded: ExcludedPaths,
}

/// Times by route class; `None` where no request is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slow {
    /// Of catalogue requests.
    pub catalogue: Option<Duration>,
    /// Of requests that wait for a model.
    pub ai: Option<Duration>,
    /// Of operators' requests.
    pub ops: Option<Duration>,
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
            slow: Slow::default(),
            excluded: ExcludedPaths::default(),
        }
    }
}

impl Default for Slow {
    fn default() -> Self {
        Self {
            // The bounds of the objectives in `monitoring/slo/http.yml`: who is paged for what is
            // slower finds it.
            catalogue: Some(Duration::from_millis(50)),
            ai: Some(Duration::from_secs(10)),
            // Live pages and streams of events last as long as somebody looks.
            ops: None,
        }
    }
}

impl Slow {
    fn of(&self, class: RouteClass) -> Option<Duration> {
        match class {
            RouteClass::Catalogue => self.catalogue,
            RouteClass::Ai => self.ai,
            RouteClass::Ops => self.ops,
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
        let answer = record.for_request(|| self.inner.call(request));
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
        let member = |name| baggage_member(caller.baggage?, name);
        let (test_id, test_scenario) = (member("test.id"), member("test.scenario"));
        let sampling = &self.layer.telemetry.sampling;
        let trace = RequestTrace::begin(request, handles.class, sampling, parent);
        let identity = Arc::new(RequestIdentity {
            given_id: caller.request_id().map(Into::into),
            test_id,
            test_scenario,
            span: trace.recorded().cloned(),
            ..RequestIdentity::new(trace.trace_id)
        });
        RequestRecord::begin(started, handles, trace, identity, request)
    }

    fn handles(&self, method: &Method, route: &str) -> Arc<RouteHandles> {
        let method = routes::known_method(method);
        if let Some(handles) = self.last.get()
            && handles.method == method
            && *handles.route == *route
        {
            return Arc::clone(handles);
        }
        let HttpLayer { telemetry, routes } = &self.layer;
        let handles = routes.get(method, route, telemetry.classify);
        let _first = self.last.set(Arc::clone(&handles));
        handles
    }
}

/// Whether a method changes something.
fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
