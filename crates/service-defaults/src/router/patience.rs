//! The time that a request's body may take.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a body may pause before it is given up.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a body may take in all: the largest one at 140 kB/s. A client that sends a byte now and
/// then would keep its place for ever.
const TOTAL: Duration = Duration::from_secs(30);

/// A body that fails with [`BodyTimedOut`] when it pauses or takes too long.
pub(super) struct Patience {
    body: Body,
    /// Set when the body is first waited for: most are there at once.
    timer: Option<Pin<Box<Sleep>>>,
    end: Option<Instant>,
}

/// The body did not arrive in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyTimedOut;

impl Patience {
    pub(super) const fn new(body: Body) -> Self {
        Self {
            body,
            timer: None,
            end: None,
        }
    }
}

impl HttpBody for Patience {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.timer = None;
            return Poll::Ready(frame);
        }
        let now = Instant::now();
        let end = *this.end.get_or_insert(now + TOTAL);
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(end.min(now + PAUSE))));
        timer
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(axum::Error::new(BodyTimedOut))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Display for BodyTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the body did not arrive in time")
    }
}

impl std::error::Error for BodyTimedOut {}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::*;

    /// A byte every nine seconds.
    fn drip() -> Body {
        Body::from_stream(
            stream::iter(0..)
                .then(|_: u64| async {
                    sleep_until(Instant::now() + Duration::from_secs(9)).await;
                    Ok::<_, std::convert::Infallible>("x")
                })
                .boxed(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_pauses_for_long_still_ends() {
        let begun = Instant::now();
        let mut body = Patience::new(drip());
        let mut read = 0;
        let error = loop {
            match body.frame().await.unwrap() {
                Ok(_) => read += 1,
                Err(error) => break error,
            }
        };
        assert!(error.into_inner().is::<BodyTimedOut>());
        assert_eq!((read, begun.elapsed().as_secs()), (3, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_pauses_is_given_up() {
        let begun = Instant::now();
        let silent = stream::pending::<Result<Bytes, std::convert::Infallible>>();
        let mut body = Patience::new(Body::from_stream(silent));
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}
