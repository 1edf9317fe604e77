//! Anthropic's messages within Bedrock: the same documents, the model in the
//! address, and the version in the body.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::{
    Asked, Chunk, InvocationMetrics, error::Error, event_stream::broken_off, model, parse,
};
use crate::{
    anthropic::{
        request::MessagesRequest,
        stream::Events,
        wire::{Event, Message},
    },
    body::to_json,
    call::Call,
    service_tier::ServiceTier,
};

const VERSION: &str = "bedrock-2023-05-31";

/// What the body says beside the message.
#[derive(Debug, Deserialize)]
struct Wrapper {
    anthropic_version: Option<String>,
}

/// The last event, with what Bedrock adds to it.
#[derive(Serialize)]
struct Last<'a> {
    #[serde(flatten)]
    event: &'a Event<'a>,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: InvocationMetrics,
}

pub(super) fn read(bytes: &[u8], model: &str) -> Result<Asked, Error> {
    let wrapper: Wrapper = parse(bytes)?;
    match wrapper.anthropic_version.as_deref() {
        Some(VERSION) => {}
        None => return Err(Error::invalid("anthropic_version: Field required")),
        Some(_) => {
            return Err(Error::invalid(format!(
                "anthropic_version: Input should be '{VERSION}'"
            )));
        }
    }
    let name = model::name(model);
    let own_name = name.strip_prefix("anthropic.").unwrap_or(name);
    let request: MessagesRequest = parse(bytes)?;
    let request = request.of_model(own_name);
    request
        .check_prompt()
        .and_then(|()| request.check_generation())
        .map_err(|error| Error::invalid(error.message()))?;
    Ok(Asked {
        prompt: request.prompt(),
        max_tokens: request.max_tokens(),
        service_tier: ServiceTier::Standard,
    })
}

pub(super) fn document(call: &Call, text: &str) -> Vec<u8> {
    to_json(&Message::whole(call, text))
}

pub(super) fn events() -> Events {
    Events {
        frame,
        error: |_call| broken_off(),
    }
}

fn frame(event: &Event<'_>, call: &Call) -> Bytes {
    match event {
        Event::MessageStop => Chunk::of(&Last {
            event,
            metrics: InvocationMetrics::of(call),
        }),
        _ => Chunk::of(event),
    }
}
