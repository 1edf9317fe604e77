//! Chat completions.

mod request;
mod wire;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::{document_headers, error, error::Error, stream_headers};
use crate::{
    body::to_json,
    call::{Arrival, Call},
    credentials::Caller,
    dialect::Dialect,
    framing::{self, Framing, data},
};
use request::ChatRequest;
use wire::{Chunk, Completion, Frame};

/// What ends a stream of this API.
const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

pub(super) async fn reply(arrival: Arrival, request: ChatRequest, caller: Caller) -> Response {
    match arrival.admit(request.call(caller)).await {
        Ok(call) if request.is_streamed() => {
            let chunks = Chunks {
                frame: Frame::of(&call),
                with_usage: request.wants_usage(),
            };
            (stream_headers(&call), framing::stream(call, chunks)).into_response()
        }
        Ok(call) => {
            let headers = document_headers(&call);
            let body = framing::whole(call, |call, text| to_json(&Completion::of(call, text)));
            (headers, body.await).into_response()
        }
        Err(refusal) => Error::injected(&refusal).reply(&refusal.request_id),
    }
}

/// The chunks of one completion.
struct Chunks {
    frame: Frame,
    with_usage: bool,
}

impl Chunks {
    fn chunk(&self, chunk: Chunk<'_>) -> Bytes {
        data(&self.frame.around(chunk, self.with_usage))
    }
}

impl Framing for Chunks {
    /// The vendor names the role once its first token is there.
    fn first(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![self.chunk(Chunk::role())]
    }

    fn token(&mut self, _call: &Call, text: &'static str) -> Bytes {
        self.chunk(Chunk::text(text))
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        let mut ending = vec![self.chunk(Chunk::finish(call))];
        if self.with_usage {
            ending.push(self.chunk(Chunk::usage(call)));
        }
        ending.push(DONE);
        ending
    }

    fn error(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![data(&error::document(Dialect::OpenAi.overloaded_status()))]
    }
}
