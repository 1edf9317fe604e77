//! Amazon's own models: the events of converse, each as a chunk under its name.

use bytes::Bytes;
use serde::Serialize;

use super::super::{
    Chunk, InvocationMetrics,
    converse::wire::{BlockStop, Delta, MessageStart, MessageStop, Output, stop_reason},
    event_stream::broken_off,
};
use crate::{body::to_json, call::Call, framing::Framing};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    output: Output<'a>,
    stop_reason: &'static str,
    usage: Usage,
}

/// `inputTokens` excludes cached tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    cache_read_input_token_count: u64,
    cache_write_input_token_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Piece<'a> {
    MessageStart(MessageStart),
    ContentBlockDelta(Delta<'a>),
    ContentBlockStop(BlockStop),
    MessageStop(MessageStop),
}

#[derive(Serialize)]
struct Last {
    metadata: Metadata,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: InvocationMetrics,
}

#[derive(Serialize)]
struct Metadata {
    usage: Usage,
    metrics: Empty,
    trace: Empty,
}

#[derive(Serialize)]
struct Empty {}

impl Usage {
    fn of(call: &Call) -> Self {
        Self {
            input_tokens: call.uncached_tokens(),
            output_tokens: call.output_tokens(),
            total_tokens: call.input_tokens() + call.output_tokens(),
            cache_read_input_token_count: call.cache_usage().read,
            cache_write_input_token_count: call.cache_usage().written(),
        }
    }
}

pub(super) fn document(call: &Call, text: &str) -> Vec<u8> {
    to_json(&Reply {
        output: Output::of(text),
        stop_reason: stop_reason(call),
        usage: Usage::of(call),
    })
}

/// The pieces of one answer.
pub(super) struct Chunks;

impl Framing for Chunks {
    fn begin(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![Chunk::of(&Piece::MessageStart(MessageStart::assistant()))]
    }

    fn token(&mut self, _call: &Call, text: &'static str) -> Bytes {
        Chunk::of(&Piece::ContentBlockDelta(Delta::of(text)))
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        let last = Last {
            metadata: Metadata {
                usage: Usage::of(call),
                metrics: Empty {},
                trace: Empty {},
            },
            metrics: InvocationMetrics::of(call),
        };
        vec![
            Chunk::of(&Piece::ContentBlockStop(BlockStop::first())),
            Chunk::of(&Piece::MessageStop(MessageStop::of(call))),
            Chunk::of(&last),
        ]
    }

    fn error(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![broken_off()]
    }
}
