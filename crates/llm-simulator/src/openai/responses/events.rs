//! A streamed response: typed events with a running number.

use bytes::Bytes;
use serde::Serialize;

use super::{
    super::error,
    wire::{Document, Failure, Item, Origin, Part, Status},
};
use crate::{
    call::Call,
    dialect::Dialect,
    framing::{Framing, event},
};

/// The one message of an answer and its one part.
const OUTPUT: u32 = 0;
const CONTENT: u32 = 0;

/// The events of one response.
pub(super) struct Events {
    origin: Origin,
    text: String,
    sent: u64,
}

/// An event around what it carries.
#[derive(Serialize)]
struct Numbered<'a, T> {
    #[serde(rename = "type")]
    name: &'static str,
    sequence_number: u64,
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Serialize)]
struct OfResponse<'a> {
    response: Document<'a>,
}

#[derive(Serialize)]
struct OfItem<'a> {
    output_index: u32,
    item: Item<'a>,
}

/// What names the part of the answer that an event is about.
#[derive(Serialize)]
struct Place<'a> {
    item_id: &'a str,
    output_index: u32,
    content_index: u32,
}

#[derive(Serialize)]
struct OfPart<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    part: Part<'a>,
}

#[derive(Serialize)]
struct Delta<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    delta: &'a str,
    logprobs: [(); 0],
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
    logprobs: [(); 0],
}

#[derive(Serialize)]
struct ErrorEvent {
    #[serde(flatten)]
    failure: Failure,
    param: Option<()>,
}

impl Events {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            origin,
            text: String::new(),
            sent: 0,
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            item_id: self.origin.message_id(),
            output_index: OUTPUT,
            content_index: CONTENT,
        }
    }
}

/// Writes event `number`, counted from 0.
fn frame(number: u64, name: &'static str, content: &impl Serialize) -> Bytes {
    let numbered = Numbered {
        name,
        sequence_number: number,
        content,
    };
    event(name, &numbered)
}

fn failure() -> Failure {
    let status = Dialect::OpenAi.overloaded_status();
    Failure {
        code: error::code(status).unwrap_or("server_error"),
        message: error::message(status),
    }
}

impl Framing for Events {
    fn begin(&mut self, _call: &Call) -> Vec<Bytes> {
        self.sent = 2;
        let response = || OfResponse {
            response: Document::begun(&self.origin),
        };
        vec![
            frame(0, "response.created", &response()),
            frame(1, "response.in_progress", &response()),
        ]
    }

    fn first(&mut self, _call: &Call) -> Vec<Bytes> {
        self.sent = 4;
        let item = OfItem {
            output_index: OUTPUT,
            item: self.origin.item(Status::InProgress, None),
        };
        let part = OfPart {
            place: self.place(),
            part: Part::of(""),
        };
        vec![
            frame(2, "response.output_item.added", &item),
            frame(3, "response.content_part.added", &part),
        ]
    }

    fn token(&mut self, _call: &Call, text: &'static str) -> Bytes {
        self.text.push_str(text);
        let delta = Delta {
            place: self.place(),
            delta: text,
            logprobs: [],
        };
        let written = frame(self.sent, "response.output_text.delta", &delta);
        self.sent += 1;
        written
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        let status = Status::at_the_end_of(call);
        let text = Text {
            place: self.place(),
            text: &self.text,
            logprobs: [],
        };
        let part = OfPart {
            place: self.place(),
            part: Part::of(&self.text),
        };
        let item = OfItem {
            output_index: OUTPUT,
            item: self.origin.item(status, Some(&self.text)),
        };
        let response = OfResponse {
            response: Document::ended(&self.origin, call, &self.text),
        };
        let last = if status == Status::Incomplete {
            "response.incomplete"
        } else {
            "response.completed"
        };
        vec![
            frame(self.sent, "response.output_text.done", &text),
            frame(self.sent + 1, "response.content_part.done", &part),
            frame(self.sent + 2, "response.output_item.done", &item),
            frame(self.sent + 3, last, &response),
        ]
    }

    fn error(&mut self, _call: &Call) -> Vec<Bytes> {
        let reported = ErrorEvent {
            failure: failure(),
            param: None,
        };
        let response = OfResponse {
            response: Document::failed(&self.origin, failure()),
        };
        vec![
            frame(self.sent, "error", &reported),
            frame(self.sent + 1, "response.failed", &response),
        ]
    }
}
