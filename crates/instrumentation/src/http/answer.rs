//! The reply to come: made for its request, measured when it is there.

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

use super::{body::MeasuredBody, record::RequestRecord};
use crate::request::{self, Scoped};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

pin_project! {
    /// The future of [`super::HttpService`]. A type of its own, not a box: axum boxes it anyway.
    pub struct Answer<F> {
        #[pin]
        answer: Scoped<F>,
        open: Option<RequestRecord>,
    }
}

impl<F: Future> Answer<F> {
    pub(super) fn new(answer: F, record: RequestRecord) -> Self {
        Self {
            answer: request::scope(Arc::clone(&record.identity), answer),
            open: Some(record),
        }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let response = ready!(this.answer.poll(context))?;
        Poll::Ready(Ok(match this.open.take() {
            Some(record) => finish(response, record),
            None => response,
        }))
    }
}

fn finish(mut response: Response, record: RequestRecord) -> Response {
    let status = response.status();
    let identity = &record.identity;
    if let Ok(value) = HeaderValue::from_str(identity.request_id()) {
        // A reply that names its own keeps it: the simulator's must, as its vendor's do.
        let named = response.headers_mut().entry(X_REQUEST_ID);
        named.or_insert(value);
    }
    if let Some(value) = record.trace.response_header(status) {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    match http_body::Body::size_hint(response.body()).exact() {
        Some(size) => {
            record.finish(status, size);
            response
        }
        None => response.map(|body| Body::new(MeasuredBody::new(body, record, status))),
    }
}
