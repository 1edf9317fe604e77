//! Spoiled bodies, of streams and of whole documents.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use super::{WireFault, cut, encoding::Encoding, junk, usage};
use crate::{body::broken, call, exchange::Exchange};

/// The body of a stream, frame by frame, with one of them or all spoiled.
pub(super) fn spoil_stream(
    body: Body,
    encoding: Encoding,
    exchange: Exchange,
) -> impl Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        let mut frames = body.into_data_stream();
        if matches!(exchange.fault(), Some(WireFault::Silent)) {
            call::silence().await;
            Err(broken().await)?;
        }
        while let Some(frame) = frames.next().await {
            let frame = frame.map_err(io::Error::other)?;
            match exchange.fault() {
                Some(WireFault::Usage(reported)) => {
                    yield usage::misreport(&frame, encoding, *reported);
                }
                Some(WireFault::Cut(within)) if exchange.is_due() => {
                    let Some(place) = cut::place(&frame, *within, encoding) else {
                        yield frame;
                        continue;
                    };
                    yield frame.slice(..place);
                    Err(broken().await)?;
                }
                Some(WireFault::WrongCrc) if exchange.take_due() => yield flip_last_bit(&frame),
                Some(WireFault::Garbage) if exchange.take_due() => {
                    yield Bytes::from(junk::garbage(&frame, encoding));
                    yield frame;
                }
                Some(WireFault::HugeLine(bytes)) if exchange.take_due() => {
                    for piece in junk::huge(&frame, encoding, *bytes) {
                        yield piece;
                    }
                    yield frame;
                }
                _ => yield frame,
            }
        }
    }
}

/// A whole document, spoiled, and the length that its head announces, if it does.
pub(super) fn spoil_document(document: Bytes, exchange: &Exchange) -> (Body, Option<u64>) {
    let announced = document.len() as u64;
    let encoding = Encoding::Document;
    match exchange.fault() {
        Some(WireFault::Silent) => (broken_after(Bytes::new(), true), Some(announced)),
        Some(WireFault::Cut(within)) => {
            let place = cut::place(&document, *within, encoding).unwrap_or(document.len() / 2);
            (
                broken_after(document.slice(..place), false),
                Some(announced),
            )
        }
        Some(WireFault::Garbage) => (Body::from(junk::garbage(&document, encoding)), None),
        Some(WireFault::HugeLine(bytes)) => {
            let pieces = junk::huge(&document, encoding, *bytes).map(io::Result::Ok);
            (Body::from_stream(stream::iter(pieces)), None)
        }
        Some(WireFault::Usage(reported)) => {
            let changed = usage::misreport(&document, encoding, *reported);
            (Body::from(changed), None)
        }
        _ => (Body::from(document), None),
    }
}

fn broken_after(bytes: Bytes, silent: bool) -> Body {
    let end = stream::once(async move {
        if silent {
            call::silence().await;
        }
        Err(broken().await)
    });
    if bytes.is_empty() {
        return Body::from_stream(end);
    }
    Body::from_stream(stream::once(async { Ok(bytes) }).chain(end))
}

/// The checksum comes last.
fn flip_last_bit(frame: &Bytes) -> Bytes {
    let mut bytes = frame.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Bytes::from(bytes)
}
