//! The checks and limits of every request, as one service: axum boxes and clones each layer of each
//! route for each request, so one layer is cheaper than four.

use std::{
    any::Any,
    convert::Infallible,
    future::{Ready, ready},
    panic::AssertUnwindSafe,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    extract::{DefaultBodyLimit, Request},
    response::{IntoResponse, Response},
};
use futures_util::{
    FutureExt,
    future::{CatchUnwind, Either, Map},
};
use http::{Version, header};
use tower::{Layer, Service};
use tower_http::timeout::TimeoutBody;

use super::{BODY_IDLE_LIMIT, BODY_LIMIT, unread::ReadToEnd};
use crate::problem::Problem;

/// Refuses doubtful heads, bounds bodies and makes a problem of a panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard;

/// See [`Guard`].
#[derive(Debug, Clone)]
pub(super) struct Guarded<S>(S);

type Answer = Result<Response, Infallible>;

/// What a future brought, or the panic that ended it.
type Outcome = Result<Answer, Box<dyn Any + Send>>;

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
    type Future =
        Either<Ready<Answer>, Map<CatchUnwind<AssertUnwindSafe<S::Future>>, fn(Outcome) -> Answer>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if let Some(problem) = doubtful(&request) {
            return Either::Left(ready(Ok(problem.into_response())));
        }
        let answer = AssertUnwindSafe(self.0.call(bounded(request))).catch_unwind();
        Either::Right(answer.map(answer_or_problem as fn(Outcome) -> Answer))
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
        let body = Body::new(TimeoutBody::new(BODY_IDLE_LIMIT, body));
        Body::new(ReadToEnd::new(body))
    })
}

fn answer_or_problem(outcome: Outcome) -> Answer {
    outcome.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        tracing::error!("a handler panicked: {text}");
        Ok(Problem::internal().into_response())
    })
}
