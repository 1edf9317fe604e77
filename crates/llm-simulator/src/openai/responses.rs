//! The responses API.

mod events;
mod request;
mod wire;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{checks::Key, document_headers, error::Error, stream_headers, timed};
use crate::{
    body::to_json,
    call::Arrival,
    credentials::{Caller, ListedKeys},
    dialect::Dialect,
    engine::Engine,
    framing,
    journal::Operation,
};
use events::Events;
use request::ResponsesRequest;
use wire::{Document, Origin};

pub(super) async fn answer(
    State(engine): State<Arc<Engine>>,
    request: Request,
    key: Key,
) -> Response {
    let started = Instant::now();
    let arrival = Arrival::new(
        &engine,
        Dialect::OpenAi,
        Operation::Chat,
        request.extensions(),
    );
    let response = match understand(request, key, &engine.keys).await {
        Ok((request, caller)) => reply(arrival, request, caller).await,
        Err(error) => {
            let refusal = arrival.refuse(error.status().as_u16());
            error.reply(&refusal.request_id)
        }
    };
    timed(response, started)
}

async fn understand(
    request: Request,
    key: Key,
    keys: &ListedKeys,
) -> Result<(ResponsesRequest, Caller), Error> {
    let (request, caller): (ResponsesRequest, _) = super::read(request, key, keys).await?;
    request.check()?;
    Ok((request, caller))
}

async fn reply(arrival: Arrival, request: ResponsesRequest, caller: Caller) -> Response {
    match arrival.admit(request.call(caller)).await {
        Ok(call) if request.is_streamed() => {
            let events = Events::new(Origin::new(&call, request.echo));
            (stream_headers(&call), framing::stream(call, events)).into_response()
        }
        Ok(call) => {
            let headers = document_headers(&call);
            let origin = Origin::new(&call, request.echo);
            let body = framing::whole(call, |call, text| {
                to_json(&Document::ended(&origin, call, text))
            });
            (headers, body.await).into_response()
        }
        Err(refusal) => Error::injected(&refusal).reply(&refusal.request_id),
    }
}
