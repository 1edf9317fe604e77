//! The checks and limits of every request, as one service: axum boxes and clones each layer of each
//! route for each request, so one layer is cheaper than four.

use std::{
    any::Any,
    convert::Infallible,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    extract::{DefaultBodyLimit, Request},
    response::{IntoResponse, Response},
};
use http::{Version, header};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::{BODY_LIMIT, patience::Patience, unread::ReadToEnd};
use crate::problem::Problem;

/// Refuses doubtful heads, bounds bodies and makes a problem of a panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard;

/// See [`Guard`].
#[derive(Debug, Clone)]
pub(super) struct Guarded<S>(S);

pin_project! {
    /// The future of [`Guarded`].
    #[project = AnswerState]
    pub(super) enum Answer<F> {
        Refused { response: Option<Response> },
        Awaited { #[pin] answer: F },
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded(inner)
    }
}

impl<S> Service<Request> for Guarded<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match doubtful(&request) {
            Some(problem) => Answer::Refused {
                response: Some(problem.into_response()),
            },
            None => Answer::Awaited {
                answer: self.0.call(bounded(request)),
            },
        }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            AnswerState::Refused { response } => {
                let response = response.take();
                Poll::Ready(Ok(
                    response.unwrap_or_else(|| Problem::internal().into_response())
                ))
            }
            AnswerState::Awaited { answer } => {
                catch_unwind(AssertUnwindSafe(|| answer.poll(context)))
                    .unwrap_or_else(|panic| Poll::Ready(Ok(problem_of(&*panic))))
            }
        }
    }
}

/// Heads that two parsers could read differently (RFC 9112, 3.2). A body with both a length and a
/// coding (6.3) shows here without its length: hyper takes the coding and closes the connection.
fn doubtful(request: &Request) -> Option<Problem> {
    let headers = request.headers();
    let http_1 = request.version() <= Version::HTTP_11;
    let several = http_1 && headers.get_all(header::HOST).iter().count() != 1;
    several.then(|| Problem::malformed("exactly one Host header is required"))
}

/// The request with limits on its body, if it has one.
fn bounded(mut request: Request) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
    request.map(|body| {
        let body = Body::new(Patience::new(body));
        Body::new(ReadToEnd::new(body))
    })
}

fn problem_of(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default();
    tracing::error!("a handler panicked: {text}");
    Problem::internal().into_response()
}
