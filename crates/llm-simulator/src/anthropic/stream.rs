//! A streamed message: server-sent events in the vendor's order, one write each.

use std::io;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;

use super::{
    error,
    wire::{Event, Message, REQUEST_ID, TextBlock, to_json},
};
use crate::{
    body,
    call::{Call, Step},
    dialect::Dialect,
};

/// The one content block of an answer.
const BLOCK: u32 = 0;

pub(super) fn reply(call: Call) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream; charset=utf-8".to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (REQUEST_ID, call.request_id().to_owned()),
    ];
    (headers, Body::from_stream(events(call))).into_response()
}

/// The vendor opens the message at once and the block with its first token.
fn events(mut call: Call) -> impl Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        yield frame(&Event::MessageStart { message: Message::start(&call) });
        let mut opened = false;
        loop {
            match call.next().await {
                Step::Token(text) => {
                    if !std::mem::replace(&mut opened, true) {
                        yield frame(&Event::ContentBlockStart { index: BLOCK, content_block: block("text", "") });
                        yield frame(&Event::Ping);
                    }
                    yield frame(&Event::ContentBlockDelta { index: BLOCK, delta: block("text_delta", text) });
                }
                Step::Finished => break,
                Step::Cut => Err(body::broken().await)?,
                Step::Error => {
                    yield overloaded(&call);
                    return;
                }
            }
        }
        yield frame(&Event::ContentBlockStop { index: BLOCK });
        yield frame(&Event::end(&call));
        call.finish();
        yield frame(&Event::MessageStop);
    }
}

fn block<'a>(kind: &'static str, text: &'a str) -> TextBlock<'a> {
    TextBlock { kind, text }
}

fn frame(event: &Event<'_>) -> Bytes {
    named_frame(event.name(), event)
}

/// An error within a stream comes after its 200.
fn overloaded(call: &Call) -> Bytes {
    let status = Dialect::Anthropic.overloaded_status();
    named_frame(
        "error",
        &error::document(status, error::message(status), call.request_id()),
    )
}

fn named_frame(name: &str, document: &impl Serialize) -> Bytes {
    let data = to_json(document);
    let mut frame = Vec::with_capacity(name.len() + data.len() + 16);
    for part in [b"event: ", name.as_bytes(), b"\ndata: ", &data, b"\n\n"] {
        frame.extend_from_slice(part);
    }
    frame.into()
}
