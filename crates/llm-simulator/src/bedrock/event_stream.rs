//! The frames of AWS' event streams, written from their description: lengths,
//! headers, payload, and a checksum over each.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Serialize;

use super::error::Document;
use crate::{body::to_json, call::Call};

/// Both lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at the end.
const CHECKSUM: usize = 4;
/// The type of a header whose value is a text.
const TEXT: u8 = 7;

/// A piece of a stream in the shape of a model's vendor.
#[derive(Serialize)]
pub(super) struct Chunk {
    bytes: String,
}

/// What invoke says of every answer, in its last chunk or in headers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvocationMetrics {
    pub(super) input_token_count: u64,
    pub(super) output_token_count: u64,
    /// Milliseconds from the request to the end.
    pub(super) invocation_latency: u64,
    first_byte_latency: u64,
}

impl Chunk {
    pub(super) fn of(document: &impl Serialize) -> Bytes {
        let chunk = Self {
            bytes: STANDARD.encode(to_json(document)),
        };
        event("chunk", &chunk)
    }
}

impl InvocationMetrics {
    pub(super) fn of(call: &Call) -> Self {
        let (total, first) = call.elapsed();
        Self {
            input_token_count: call.input_tokens(),
            output_token_count: call.output_tokens(),
            invocation_latency: milliseconds(total),
            first_byte_latency: milliseconds(first),
        }
    }
}

/// An event of this type.
pub(super) fn event(kind: &str, document: &impl Serialize) -> Bytes {
    let headers = [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    frame(&headers, &to_json(document))
}

/// An error after the 200 of the stream, which it ends.
pub(super) fn broken_off() -> Bytes {
    let headers = [
        (":exception-type", "modelStreamErrorException"),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    let document = Document {
        message: "An error occurred while streaming the response. Retry your request.",
    };
    frame(&headers, &to_json(&document))
}

pub(super) fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// All lengths come from constants and answers of bounded length, so they fit.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut written = Vec::new();
    for (name, value) in headers {
        written.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        written.extend_from_slice(name.as_bytes());
        written.push(TEXT);
        written.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    let total = PRELUDE + written.len() + payload.len() + CHECKSUM;
    let mut frame = Vec::with_capacity(total);
    frame.extend_from_slice(&length(total));
    frame.extend_from_slice(&length(written.len()));
    append_checksum(&mut frame);
    frame.extend_from_slice(&written);
    frame.extend_from_slice(payload);
    append_checksum(&mut frame);
    frame.into()
}

fn append_checksum(frame: &mut Vec<u8>) {
    let checksum = crc32fast::hash(frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::frame;

    /// The example of the format's description: one header, a JSON payload.
    #[test]
    fn a_frame_is_written_byte_by_byte() {
        let written = frame(&[("content-type", "application/json")], b"{'foo':'bar'}");
        let expected = b"\x00\x00\x00\x3d\x00\x00\x00\x20\x07\xfd\x83\x96\x0ccontent-type\x07\
                         \x00\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1";
        assert_eq!(&written[..], expected);
    }

    #[test]
    fn an_empty_frame_is_only_lengths_and_checksums() {
        let expected = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
        assert_eq!(&frame(&[], b"")[..], expected);
    }
}
