//! A streamed reply, which ends its request's record when it ends, breaks off or is dropped.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::record::RequestRecord;

pin_project! {
    /// Counts the bytes of `inner` and keeps the record until its end.
    pub(super) struct MeasuredBody {
        #[pin]
        inner: Body,
        record: Option<RequestRecord>,
        status: StatusCode,
        bytes: u64,
    }
}

impl MeasuredBody {
    pub(super) const fn new(inner: Body, record: RequestRecord, status: StatusCode) -> Self {
        Self {
            inner,
            record: Some(record),
            status,
            bytes: 0,
        }
    }
}

impl HttpBody for MeasuredBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.project();
        let poll = || this.inner.poll_frame(context);
        let frame = ready!(match this.record {
            // What the stream measures leads to its request's trace.
            Some(record) if record.trace.is_recorded() => record.for_request(poll),
            _ => poll(),
        });
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                *this.bytes += u64::try_from(length).unwrap_or(u64::MAX);
            }
            Some(Err(_)) => {
                if let Some(record) = this.record.take() {
                    record.break_off(*this.status);
                }
            }
            None => {
                if let Some(record) = this.record.take() {
                    record.finish(*this.status, *this.bytes);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        // Hyper must ask for the end, or the record would never learn of it.
        self.record.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
