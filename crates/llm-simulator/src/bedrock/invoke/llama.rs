//! Meta's models: a prompt in, a text out.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::{
    Asked, Chunk, InvocationMetrics, error::Error, event_stream::broken_off, parse,
};
use crate::{
    body::to_json,
    call::Call,
    framing::Framing,
    prompt::{Caching, Prompt},
    service_tier::ServiceTier,
};

/// The vendor's bounds of `max_gen_len`.
const GENERATION: std::ops::RangeInclusive<i64> = 1..=8192;

#[derive(Debug, Deserialize)]
struct PromptRequest {
    prompt: Option<String>,
    max_gen_len: Option<i64>,
}

/// A whole reply, or a piece of one.
#[derive(Serialize)]
struct Reply<'a> {
    generation: &'a str,
    prompt_token_count: Option<u64>,
    generation_token_count: u64,
    stop_reason: Option<&'static str>,
    #[serde(
        rename = "amazon-bedrock-invocationMetrics",
        skip_serializing_if = "Option::is_none"
    )]
    metrics: Option<InvocationMetrics>,
}

impl<'a> Reply<'a> {
    fn last(call: &Call, text: &'a str) -> Self {
        let reason = if call.was_limited() { "length" } else { "stop" };
        Self {
            generation: text,
            prompt_token_count: Some(call.input_tokens()),
            generation_token_count: call.output_tokens(),
            stop_reason: Some(reason),
            metrics: None,
        }
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Asked, Error> {
    let request: PromptRequest = parse(bytes)?;
    let text = request.prompt.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Error::invalid("prompt: a text is required"))?;
    if request
        .max_gen_len
        .is_some_and(|limit| !GENERATION.contains(&limit))
    {
        return Err(Error::invalid("max_gen_len: must be between 1 and 8192"));
    }
    let mut prompt = Prompt::new(Caching::Off);
    prompt.text("user", &text, 0);
    Ok(Asked {
        prompt,
        max_tokens: request.max_gen_len,
        service_tier: ServiceTier::Standard,
    })
}

pub(super) fn document(call: &Call, text: &str) -> Vec<u8> {
    to_json(&Reply::last(call, text))
}

/// The pieces of one answer; the first tells the prompt's length.
pub(super) struct Chunks;

impl Framing for Chunks {
    fn token(&mut self, call: &Call, text: &'static str) -> Bytes {
        let is_first = call.output_tokens() == 1;
        Chunk::of(&Reply {
            generation: text,
            prompt_token_count: is_first.then(|| call.input_tokens()),
            generation_token_count: call.output_tokens(),
            stop_reason: None,
            metrics: None,
        })
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        vec![Chunk::of(&Reply {
            metrics: Some(InvocationMetrics::of(call)),
            ..Reply::last(call, "")
        })]
    }

    fn error(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![broken_off()]
    }
}
