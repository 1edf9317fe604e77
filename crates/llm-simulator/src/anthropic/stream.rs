//! A streamed message: server-sent events in the vendor's order, one write each.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::{
    error,
    wire::{Event, Message, REQUEST_ID, TextBlock},
};
use crate::{
    call::Call,
    dialect::Dialect,
    framing::{self, Framing, event},
};

/// The one content block of an answer.
const BLOCK: u32 = 0;

pub(super) fn reply(call: Call) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream; charset=utf-8".to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (REQUEST_ID, call.request_id().to_owned()),
    ];
    (headers, framing::stream(call, Events)).into_response()
}

/// The vendor opens the message at once and the block with its first token.
struct Events;

impl Framing for Events {
    fn begin(&mut self, call: &Call) -> Vec<Bytes> {
        let message = Message::start(call);
        vec![frame(&Event::MessageStart { message })]
    }

    fn first(&mut self, _call: &Call) -> Vec<Bytes> {
        let start = Event::ContentBlockStart {
            index: BLOCK,
            content_block: block("text", ""),
        };
        vec![frame(&start), frame(&Event::Ping)]
    }

    fn token(&mut self, _call: &Call, text: &'static str) -> Bytes {
        frame(&Event::ContentBlockDelta {
            index: BLOCK,
            delta: block("text_delta", text),
        })
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        [
            Event::ContentBlockStop { index: BLOCK },
            Event::end(call),
            Event::MessageStop,
        ]
        .iter()
        .map(frame)
        .collect()
    }

    fn error(&mut self, call: &Call) -> Vec<Bytes> {
        let status = Dialect::Anthropic.overloaded_status();
        let document = error::document(status, error::message(status), call.request_id());
        vec![event("error", &document)]
    }
}

fn block<'a>(kind: &'static str, text: &'a str) -> TextBlock<'a> {
    TextBlock { kind, text }
}

fn frame(document: &Event<'_>) -> Bytes {
    event(document.name(), document)
}
