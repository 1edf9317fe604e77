//! Whether a request has left: what a provider never got, it does not charge.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

tokio::task_local! {
    /// Where the transport of the running attempt writes.
    static DEPARTURE: Arc<Departure>;
}

/// Nobody has told: the provider's client is not one of ours, or writes its request still.
const UNTOLD: u8 = 0;

/// There is a request, and no connection that takes it.
const WAITING: u8 = 1;

/// A connection has begun to send it.
const LEFT: u8 = 2;

/// How far the request of an attempt has come.
#[derive(Debug)]
pub(crate) struct Departure(AtomicU8);

impl Default for Departure {
    fn default() -> Self {
        Self(AtomicU8::new(UNTOLD))
    }
}

impl Departure {
    /// Runs an attempt; the requests that its task sends tell this departure how far they are.
    pub(crate) async fn observed<T>(self: &Arc<Self>, attempt: impl Future<Output = T>) -> T {
        DEPARTURE.scope(Arc::clone(self), attempt).await
    }

    /// Whether the provider may have the request.
    pub(crate) fn may_have_left(&self) -> bool {
        self.0.load(Ordering::Relaxed) != WAITING
    }
}

/// The body of a request that is about to be sent; it tells when a connection asks for it, which
/// one does as soon as it is open and has the head.
pub(super) fn told(body: Bytes) -> reqwest::Body {
    let Ok(departure) = DEPARTURE.try_with(Arc::clone) else {
        return body.into();
    };
    departure.0.store(WAITING, Ordering::Relaxed);
    reqwest::Body::wrap(Told {
        body: Full::new(body),
        departure,
    })
}

struct Told {
    body: Full<Bytes>,
    departure: Arc<Departure>,
}

impl Body for Told {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.departure.0.store(LEFT, Ordering::Relaxed);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
