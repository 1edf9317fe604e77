//! A streamed message: server-sent events in the vendor's order, one write each.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header::CACHE_CONTROL};

use super::{
    error,
    wire::{self, Event, Message, TextBlock},
};
use crate::{
    call::Call,
    dialect::Dialect,
    framing::{self, Framing, event},
};

/// The one content block of an answer.
const BLOCK: u32 = 0;

pub(super) fn reply(call: Call) -> Response {
    let mut headers = wire::headers(&call, "text/event-stream; charset=utf-8");
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    (headers, framing::stream(call, sent_events())).into_response()
}

/// The events of one message, however they are written. The vendor opens the
/// message at once and the block with its first token.
pub(crate) struct Events {
    /// Writes one event.
    pub(crate) frame: fn(&Event<'_>, &Call) -> Bytes,
    /// Writes an error that comes after the 200.
    pub(crate) error: fn(&Call) -> Bytes,
}

impl Framing for Events {
    fn begin(&mut self, call: &Call) -> Vec<Bytes> {
        let message = Message::start(call);
        vec![(self.frame)(&Event::MessageStart { message }, call)]
    }

    fn first(&mut self, call: &Call) -> Vec<Bytes> {
        let start = Event::ContentBlockStart {
            index: BLOCK,
            content_block: block("text", ""),
        };
        vec![(self.frame)(&start, call), (self.frame)(&Event::Ping, call)]
    }

    fn token(&mut self, call: &Call, text: &'static str) -> Bytes {
        let delta = Event::ContentBlockDelta {
            index: BLOCK,
            delta: block("text_delta", text),
        };
        (self.frame)(&delta, call)
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        [
            Event::ContentBlockStop { index: BLOCK },
            Event::end(call),
            Event::MessageStop,
        ]
        .iter()
        .map(|event| (self.frame)(event, call))
        .collect()
    }

    fn error(&mut self, call: &Call) -> Vec<Bytes> {
        vec![(self.error)(call)]
    }
}

fn block<'a>(kind: &'static str, text: &'a str) -> TextBlock<'a> {
    TextBlock { kind, text }
}

/// This vendor's own way: server-sent events.
fn sent_events() -> Events {
    Events {
        frame: |document, _call| event(document.name(), document),
        error: overloaded,
    }
}

fn overloaded(call: &Call) -> Bytes {
    let status = Dialect::Anthropic.overloaded_status();
    let document = error::document(status, error::message(status), call.request_id());
    event("error", &document)
}
