//! What is known of one request from its head to the last byte of its reply.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Body;
use http::{Request, StatusCode, uri::PathAndQuery};
use tracing::Span;

use super::{RouteClass, is_write, routes::RouteHandles};
use crate::request::{self, RequestIdentity};

/// A request that takes longer is told of in the log, whatever it was.
const SLOW: Duration = Duration::from_secs(1);

/// One request under way. Dropped unfinished, it was cancelled: its client has gone.
pub(super) struct RequestRecord {
    pub(super) span: Span,
    started: Instant,
    handles: Arc<RouteHandles>,
    pub(super) identity: Arc<RequestIdentity>,
    /// Shares the memory of the request's head.
    path: Option<PathAndQuery>,
    write: bool,
    finished: bool,
}

impl RequestRecord {
    pub(super) fn begin(
        started: Instant,
        handles: Arc<RouteHandles>,
        span: Span,
        identity: Arc<RequestIdentity>,
        request: &Request<Body>,
    ) -> Self {
        handles.active.increment(1.0);
        // Most requests have no body; their zeros would only hide the others' sizes.
        let size = http_body::Body::size_hint(request.body()).exact();
        if let Some(size) = size.filter(|size| *size > 0) {
            record_size(&handles.request_size, size);
        }
        Self {
            span,
            started,
            handles,
            identity,
            path: request.uri().path_and_query().cloned(),
            write: is_write(request.method()),
            finished: false,
        }
    }

    /// Does something for the request, within its span.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let work = || request::scope_sync(Arc::clone(&self.identity), work);
        if self.span.is_none() {
            work()
        } else {
            self.span.in_scope(work)
        }
    }

    /// Notes the reply of `status` with `size` bytes.
    pub(super) fn finish(mut self, status: StatusCode, size: u64) {
        self.finished = true;
        let elapsed = self.started.elapsed();
        self.handles.record_duration(status, elapsed.as_secs_f64());
        record_size(&self.handles.response_size, size);
        if status.is_server_error() {
            self.mark(status, Some(status.as_str()));
        } else {
            self.mark(status, None);
        }
        self.tell(status, elapsed, "");
    }

    /// Notes a reply of `status` whose body broke off by our fault.
    pub(super) fn break_off(mut self, status: StatusCode) {
        self.finished = true;
        let elapsed = self.started.elapsed();
        self.handles.record_duration(status, elapsed.as_secs_f64());
        self.mark(status, Some("body"));
        self.tell(status, elapsed, ", broken off");
    }

    fn mark(&self, status: StatusCode, error: Option<&str>) {
        if self.span.is_none() {
            return;
        }
        self.span
            .record("http.response.status_code", status.as_u16());
        self.span.record("request.id", self.identity.request_id());
        if let Some(error) = error {
            self.span.record("error.type", error);
            self.span.record("otel.status_code", "ERROR");
        }
    }

    /// One event per request. Quick, successful, unsampled reads are told at DEBUG: a load test
    /// sends them by the hundred thousand.
    fn tell(&self, status: StatusCode, elapsed: Duration, ending: &str) {
        let quiet = status.as_u16() < 400
            && ending.is_empty()
            && !self.write
            && self.span.is_none()
            && elapsed < SLOW
            && self.handles.class != RouteClass::Ai;
        if quiet && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let identity = &self.identity;
        let path = self.path.as_ref().map_or("", PathAndQuery::path);
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    "http.request.method" = self.handles.method,
                    "http.route" = self.handles.route,
                    "url.path" = path,
                    "http.response.status_code" = status.as_u16(),
                    duration_ms = elapsed.as_secs_f64() * 1_000.0,
                    trace_id = identity.trace_id.as_str(),
                    "request.id" = identity.request_id(),
                    "test.id" = identity.test_id.as_deref().unwrap_or(""),
                    "{} {path} answered {}{ending}",
                    self.handles.method,
                    status.as_u16(),
                )
            };
        }
        let _entered = self.span.enter();
        if status.is_server_error() || !ending.is_empty() {
            event!(tracing::Level::WARN);
        } else if quiet {
            event!(tracing::Level::DEBUG);
        } else {
            event!(tracing::Level::INFO);
        }
    }
}

impl Drop for RequestRecord {
    fn drop(&mut self) {
        self.handles.active.decrement(1.0);
        if !self.finished {
            // nginx's status for a client that left; there is no standard one.
            const CLIENT_CLOSED_REQUEST: u16 = 499;
            if let Ok(status) = StatusCode::from_u16(CLIENT_CLOSED_REQUEST) {
                let elapsed = self.started.elapsed();
                self.handles.record_duration(status, elapsed.as_secs_f64());
                self.mark(status, Some("cancelled"));
                self.tell(status, elapsed, "");
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of bodies stay far below 2^53"
)]
fn record_size(histogram: &metrics::Histogram, size: u64) {
    histogram.record(size as f64);
}
