//! The reply to come: within its span, for its request, measured when it is there.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue};
use pin_project_lite::pin_project;
use tracing::{Instrument, instrument::Instrumented};

use super::{body::MeasuredBody, identifiers::trace_response, record::RequestRecord};
use crate::request::{self, RequestIdentity, Scoped};

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

pin_project! {
    /// The future of [`super::HttpService`]. A type of its own, not a box: axum boxes it anyway.
    pub struct Answer<F> {
        #[pin]
        answer: Instrumented<Scoped<F>>,
        open: Option<(RequestRecord, Arc<RequestIdentity>)>,
    }
}

impl<F: Future> Answer<F> {
    pub(super) fn new(answer: F, record: RequestRecord, identity: Arc<RequestIdentity>) -> Self {
        let span = record.span.clone();
        Self {
            answer: request::scope(Arc::clone(&identity), answer).instrument(span),
            open: Some((record, identity)),
        }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let response = ready!(this.answer.poll(context))?;
        Poll::Ready(Ok(match this.open.take() {
            Some((record, identity)) => finish(response, record, identity),
            None => response,
        }))
    }
}

fn finish(
    mut response: Response,
    record: RequestRecord,
    identity: Arc<RequestIdentity>,
) -> Response {
    let status = response.status();
    if let Ok(value) = HeaderValue::from_str(&identity.request_id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    if let Ok(value) = HeaderValue::try_from(trace_response(&record.span, &identity)) {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    match http_body::Body::size_hint(response.body()).exact() {
        Some(size) => {
            record.finish(status, size, &identity);
            response
        }
        None => response.map(|body| Body::new(MeasuredBody::new(body, record, status, identity))),
    }
}
