//! Converse: one shape for all models.

pub(super) mod request;
pub(super) mod wire;

use bytes::Bytes;

use super::event_stream::{broken_off, event};
use crate::{body::to_json, call::Call, framing::Framing};
use wire::{BlockStop, Delta, MessageStart, MessageStop, Metadata, Reply};

/// The whole reply.
pub(super) fn document(call: &Call, text: &str) -> Vec<u8> {
    to_json(&Reply::of(call, text))
}

/// The events of one answer. A block of text has no start of its own.
pub(super) struct Events;

impl Framing for Events {
    fn begin(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![event("messageStart", &MessageStart::assistant())]
    }

    fn token(&mut self, _call: &Call, text: &'static str) -> Bytes {
        event("contentBlockDelta", &Delta::of(text))
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        vec![
            event("contentBlockStop", &BlockStop::first()),
            event("messageStop", &MessageStop::of(call)),
            event("metadata", &Metadata::of(call)),
        ]
    }

    fn error(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![broken_off()]
    }
}
