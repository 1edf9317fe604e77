//! How an answer becomes a body. The order of a stream is the same in every
//! dialect and stands here once; a [`Framing`] only says how each part is written.

use std::io;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;

use crate::{
    body,
    call::{Call, Step},
};

/// The parts of one streamed answer, as one dialect writes them. Each piece of
/// bytes is one write, as the vendors do it.
pub(crate) trait Framing: Send + 'static {
    /// What is sent at once, before there is a token.
    fn begin(&mut self, _call: &Call) -> Vec<Bytes> {
        Vec::new()
    }

    /// What is sent together with the first token, before it.
    fn first(&mut self, _call: &Call) -> Vec<Bytes> {
        Vec::new()
    }

    /// One token.
    fn token(&mut self, call: &Call, text: &'static str) -> Bytes;

    /// What follows the last token and ends the stream.
    fn end(&mut self, call: &Call) -> Vec<Bytes>;

    /// The vendor's own error after a 200; it ends the stream, too.
    fn error(&mut self, call: &Call) -> Vec<Bytes>;
}

/// A body that is written as its tokens become due.
pub(crate) fn stream(call: Call, framing: impl Framing) -> Body {
    Body::from_stream(frames(call, framing))
}

/// A reply that is one document, of the answer's whole text; without headers.
pub(crate) async fn whole(
    mut call: Call,
    document: impl FnOnce(&Call, &str) -> Vec<u8>,
) -> Response {
    let text = call.whole().await;
    let document = document(&call, &text);
    call.finish();
    Body::from(document).into_response()
}

/// A server-sent event with a name.
pub(crate) fn event(name: &str, document: &impl Serialize) -> Bytes {
    let data = body::to_json(document);
    let mut frame = Vec::with_capacity(name.len() + data.len() + 16);
    for part in [b"event: ", name.as_bytes(), b"\ndata: ", &data, b"\n\n"] {
        frame.extend_from_slice(part);
    }
    frame.into()
}

/// A server-sent event without a name.
pub(crate) fn data(document: &impl Serialize) -> Bytes {
    let data = body::to_json(document);
    let mut frame = Vec::with_capacity(data.len() + 8);
    for part in [b"data: ", data.as_slice(), b"\n\n"] {
        frame.extend_from_slice(part);
    }
    frame.into()
}

fn frames(mut call: Call, mut framing: impl Framing) -> impl Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        for frame in framing.begin(&call) {
            yield frame;
        }
        let mut begun = false;
        loop {
            match call.next().await {
                Step::Token(text) => {
                    if !std::mem::replace(&mut begun, true) {
                        for frame in framing.first(&call) {
                            yield frame;
                        }
                    }
                    yield framing.token(&call, text);
                }
                Step::Finished => break,
                Step::Cut => Err(body::broken().await)?,
                Step::Error => {
                    for frame in framing.error(&call) {
                        yield frame;
                    }
                    return;
                }
            }
        }
        let mut ending = framing.end(&call);
        let last = ending.pop();
        for frame in ending {
            yield frame;
        }
        call.finish();
        if let Some(last) = last {
            yield last;
        }
    }
}
