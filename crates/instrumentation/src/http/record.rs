//! What is known of one request from its head to the last byte of its reply.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Body;
use http::{Request, StatusCode};
use tracing::Span;

use super::{RouteClass, is_write, routes::RouteHandles};
use crate::request::RequestIdentity;

/// A request that takes longer is told of in the log, whatever it was.
const SLOW: Duration = Duration::from_secs(1);

/// One request under way. Dropped unfinished, it was cancelled: its client has gone.
pub(super) struct RequestRecord {
    pub(super) span: Span,
    started: Instant,
    handles: Arc<RouteHandles>,
    path: Option<Box<str>>,
    write: bool,
    finished: bool,
}

impl RequestRecord {
    pub(super) fn begin(
        started: Instant,
        handles: Arc<RouteHandles>,
        span: Span,
        request: &Request<Body>,
    ) -> Self {
        handles.active.increment(1.0);
        // Most requests have no body; their zeros would only hide the others' sizes.
        let size = http_body::Body::size_hint(request.body()).exact();
        if let Some(size) = size.filter(|size| *size > 0) {
            record_size(&handles.request_size, size);
        }
        let write = is_write(request.method());
        // A sampled request is always told of in the log; for the others the path is kept only
        // where a line is likely.
        let told = write || !span.is_none() || handles.route.is_empty();
        let path = told.then(|| request.uri().path().into());
        Self {
            span,
            started,
            handles,
            path,
            write,
            finished: false,
        }
    }

    /// Notes the reply of `status` with `size` bytes.
    pub(super) fn finish(mut self, status: StatusCode, size: u64, identity: &RequestIdentity) {
        self.finished = true;
        let elapsed = self.started.elapsed();
        self.handles.record_duration(status, elapsed.as_secs_f64());
        record_size(&self.handles.response_size, size);
        if !self.span.is_none() {
            self.span
                .record("http.response.status_code", status.as_u16());
            self.span.record("request.id", identity.request_id());
            if status.is_server_error() {
                self.span.record("error.type", status.as_str());
                self.span.record("otel.status_code", "ERROR");
            }
        }
        self.tell(status, elapsed, identity);
    }

    /// One event per request. Quick, successful, unsampled reads are told at DEBUG: a load test
    /// sends them by the hundred thousand.
    fn tell(&self, status: StatusCode, elapsed: Duration, identity: &RequestIdentity) {
        let quiet = status.as_u16() < 500
            && !self.write
            && self.span.is_none()
            && elapsed < SLOW
            && self.handles.class != RouteClass::Ai;
        if quiet && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    "http.request.method" = self.handles.method,
                    "http.route" = self.handles.route,
                    "url.path" = self.path.as_deref().unwrap_or(""),
                    "http.response.status_code" = status.as_u16(),
                    duration_ms = elapsed.as_secs_f64() * 1_000.0,
                    trace_id = identity.trace_id.as_str(),
                    "request.id" = identity.request_id(),
                    "test.id" = identity.test_id.as_deref().unwrap_or(""),
                    "{} {} answered {}",
                    self.handles.method,
                    self.path.as_deref().unwrap_or(&self.handles.route),
                    status.as_u16(),
                )
            };
        }
        let _entered = self.span.enter();
        if status.is_server_error() {
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
                self.handles
                    .record_duration(status, self.started.elapsed().as_secs_f64());
                self.span
                    .record("http.response.status_code", status.as_u16());
                self.span.record("error.type", "cancelled");
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
