//! What goes out: the vendor's documents, field for field in its order.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::{body::to_json, call::Call};

pub(super) const JSON: &str = "application/json; charset=utf-8";

/// Which route's documents are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Chat,
    Generate,
}

/// One line of a stream, or a whole answer.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    model: &'a str,
    created_at: String,
    #[serde(flatten)]
    text: Text<'a>,
    done: bool,
    #[serde(flatten)]
    ending: Option<Ending>,
}

/// The text stands in a message or bare.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Text<'a> {
    Message {
        role: &'static str,
        content: &'a str,
    },
    Response(&'a str),
}

/// What the last line adds: counts, and times in nanoseconds. The model counts
/// as loaded, and the vendor leaves a `load_duration` of 0 out.
#[derive(Serialize)]
pub(super) struct Ending {
    done_reason: &'static str,
    #[serde(flatten)]
    counts: Option<Counts>,
}

#[derive(Serialize)]
struct Counts {
    total_duration: u64,
    prompt_eval_count: u64,
    prompt_eval_duration: u64,
    eval_count: u64,
    eval_duration: u64,
}

impl<'a> Line<'a> {
    pub(super) fn token(call: &'a Call, shape: Shape, text: &'a str) -> Self {
        Self::new(call.model(), shape, text, None)
    }

    /// The line that ends an answer; alone, it is the whole of it.
    pub(super) fn last(call: &'a Call, shape: Shape, text: &'a str) -> Self {
        Self::new(call.model(), shape, text, Some(Ending::of(call)))
    }

    /// The answer to a request that only loads the model.
    pub(super) fn loaded(model: &'a str, shape: Shape) -> Self {
        Self::new(
            model,
            shape,
            "",
            Some(Ending {
                done_reason: "load",
                counts: None,
            }),
        )
    }

    fn new(model: &'a str, shape: Shape, text: &'a str, ending: Option<Ending>) -> Self {
        let text = match shape {
            Shape::Chat => Text::Message {
                role: "assistant",
                content: text,
            },
            Shape::Generate => Text::Response(text),
        };
        let created_at = format!("{:.9}", jiff::Timestamp::now());
        Self {
            model,
            created_at,
            text,
            done: ending.is_some(),
            ending,
        }
    }
}

impl Ending {
    fn of(call: &Call) -> Self {
        let (total, first) = call.elapsed();
        let counts = Counts {
            total_duration: nanoseconds(total),
            prompt_eval_count: call.input_tokens(),
            prompt_eval_duration: nanoseconds(first),
            eval_count: call.output_tokens(),
            eval_duration: nanoseconds(total.saturating_sub(first)),
        };
        let done_reason = if call.was_limited() { "length" } else { "stop" };
        Self {
            done_reason,
            counts: Some(counts),
        }
    }
}

pub(super) fn reply(document: &impl Serialize) -> Response {
    ([(CONTENT_TYPE, JSON)], to_json(document)).into_response()
}

/// The document as one line of a stream.
pub(super) fn to_line(document: &impl Serialize) -> Bytes {
    let mut line = to_json(document);
    line.push(b'\n');
    line.into()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
