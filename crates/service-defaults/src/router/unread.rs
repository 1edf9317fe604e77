//! Reads what a handler left of a body.
//!
//! A connection that is closed while its client still sends is reset, and the reset can overtake
//! the reply: the client learns of a broken pipe instead of its body's being too long.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;

/// Most that is read after the reply: twice the largest body of any route. Whoever sends more has
/// not looked at the reply for long.
const MAX_UNREAD: usize = 8 * 1_024 * 1_024;

/// Longest time that is read after the reply.
const MAX_TIME: Duration = Duration::from_secs(10);

/// A body whose rest is read and thrown away when it is dropped.
pub(super) struct ReadToEnd(Option<Body>);

impl ReadToEnd {
    pub(super) const fn new(body: Body) -> Self {
        Self(Some(body))
    }
}

impl HttpBody for ReadToEnd {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0
            .as_ref()
            .map_or_else(|| http_body::SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for ReadToEnd {
    fn drop(&mut self) {
        let unread = self.0.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                // Whatever ends it, there is nobody left to tell.
                drop(tokio::time::timeout(MAX_TIME, discard(body)).await);
            });
        }
    }
}

async fn discard(mut body: Body) {
    let mut length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        length += frame.data_ref().map_or(0, Bytes::len);
        if length > MAX_UNREAD {
            return;
        }
    }
}
