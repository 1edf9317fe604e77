//! Invoke: requests and replies in the shape of the model's vendor. A stream
//! carries the vendor's own pieces as `chunk` events.

mod claude;
mod llama;
mod nova;

use axum::body::Body;

use super::{Asked, converse, error::Error, model::Family};
use crate::{call::Call, framing};

/// What a body asks for.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn read(family: Family, bytes: &[u8], model: &str) -> Result<Asked, Error> {
    match family {
        Family::Anthropic => claude::read(bytes, model),
        // Nova's own shape is that of converse, but for the names in the usage.
        Family::Nova => converse::request::read(bytes, model),
        Family::Llama => llama::read(bytes),
    }
}

/// The whole reply.
pub(super) fn document(family: Family, call: &Call, text: &str) -> Vec<u8> {
    match family {
        Family::Anthropic => claude::document(call, text),
        Family::Nova => nova::document(call, text),
        Family::Llama => llama::document(call, text),
    }
}

/// The body of a stream.
pub(super) fn stream(family: Family, call: Call) -> Body {
    match family {
        Family::Anthropic => framing::stream(call, claude::events()),
        Family::Nova => framing::stream(call, nova::Chunks),
        Family::Llama => framing::stream(call, llama::Chunks),
    }
}
