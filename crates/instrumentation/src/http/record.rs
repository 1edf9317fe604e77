//! What is known of one request from its head to the last byte of its reply.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Body;
use http::{Request, StatusCode, uri::PathAndQuery};

use super::{
    RouteClass,
    ending::Ending,
    is_write,
    routes::RouteHandles,
    trace::{End, RequestTrace},
};
use crate::{
    request::{self, RequestIdentity, TraceIdText},
    shared_work::WorkTrace,
};

/// A request that takes longer is told of in the log, whatever it was.
const SLOW: Duration = Duration::from_secs(1);

/// One request under way. Dropped unfinished, it was cancelled: its client has gone.
pub(super) struct RequestRecord {
    pub(super) trace: RequestTrace,
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
        trace: RequestTrace,
        identity: Arc<RequestIdentity>,
        request: &Request<Body>,
    ) -> Self {
        handles.active.increment(1.0);
        if trace.is_recorded() {
            identity.exemplars.open(identity.trace_id);
        }
        // Most requests have no body; their zeros would only hide the others' sizes.
        let size = http_body::Body::size_hint(request.body()).exact();
        if let Some(size) = size.filter(|size| *size > 0) {
            request::scope_sync(Arc::clone(&identity), || {
                record_size(&handles.request_size, size);
            });
        }
        Self {
            trace,
            started,
            handles,
            identity,
            path: request.uri().path_and_query().cloned(),
            write: is_write(request.method()),
            finished: false,
        }
    }

    /// Does something for the request.
    pub(super) fn for_request<T>(&self, work: impl FnOnce() -> T) -> T {
        request::scope_sync(Arc::clone(&self.identity), work)
    }

    /// Notes the reply of `status` with `size` bytes.
    pub(super) fn finish(mut self, status: StatusCode, size: u64) {
        let ending = self.failed().unwrap_or(Ending::Whole);
        self.end(status, ending, Some(size));
    }

    /// Notes a reply of `status` whose body broke off by our fault.
    pub(super) fn break_off(mut self, status: StatusCode) {
        self.end(status, Ending::BrokenOff, None);
    }

    fn path(&self) -> &str {
        self.path.as_ref().map_or("", PathAndQuery::path)
    }

    /// What the reply itself says of its failure.
    fn failed(&self) -> Option<Ending> {
        self.identity.failure.get().copied().map(Ending::Failed)
    }

    fn end(&mut self, status: StatusCode, ending: Ending, size: Option<u64>) {
        self.finished = true;
        let elapsed = self.started.elapsed();
        let end = End {
            path: self.path(),
            status,
            elapsed,
            ending,
        };
        let kept = self.trace.end(&end, &self.handles, &self.identity);
        let record = || {
            self.handles
                .record_duration(status, ending, elapsed.as_secs_f64());
            if let Some(size) = size {
                record_size(&self.handles.response_size, size);
            }
        };
        let exemplars = &self.identity.exemplars;
        if kept {
            exemplars.open(self.identity.trace_id);
            exemplars.settle(true);
            self.for_request(record);
        } else if self.trace.is_recorded() {
            // Work for others may have the trace kept yet, and these values with it.
            self.for_request(record);
            exemplars.settle(false);
        } else {
            record();
        }
        self.tell(status, elapsed, ending, kept);
    }

    /// One event per request. Quick, successful, unsampled reads are told at DEBUG: a load test
    /// sends them by the hundred thousand.
    fn tell(&self, status: StatusCode, elapsed: Duration, ending: Ending, kept: bool) {
        let quiet = status.as_u16() < 400
            && ending == Ending::Whole
            && !self.write
            && !kept
            && !self.trace.is_sampled()
            && elapsed < SLOW
            && self.handles.class != RouteClass::Ai;
        if quiet && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let identity = &self.identity;
        let path = self.path();
        let span_id = self.trace.span_digits();
        // Of a span that is recorded or was told; digits are ASCII.
        let span_id = (kept || self.trace.is_recorded())
            .then(|| std::str::from_utf8(&span_id).unwrap_or_default());
        let answered_by = identity.shared_work().map(WorkTrace::trace_id);
        let answered_by = answered_by.as_ref().map(TraceIdText::as_str);
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    "http.request.method" = self.handles.method,
                    "http.route" = &*self.handles.route,
                    "url.path" = path,
                    "http.response.status_code" = status.as_u16(),
                    "error.type" = ending.error_type(&status),
                    duration_ms = elapsed.as_secs_f64() * 1_000.0,
                    trace_id = identity.trace_id.as_str(),
                    span_id,
                    "request.id" = identity.request_id(),
                    "test.id" = identity.test_id.as_deref(),
                    "bookstore.gen_ai.answered_by_trace" = answered_by,
                    "{} {path} answered {}{}",
                    self.handles.method,
                    status.as_u16(),
                    ending.words(),
                )
            };
        }
        if ending.is_failure(status) {
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
                // It may have left because it was told of a failure.
                let ending = self.failed().unwrap_or(Ending::Cancelled);
                self.end(status, ending, None);
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
