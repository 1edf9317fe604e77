//! The responses API.

mod events;
mod request;
mod wire;

use axum::response::{IntoResponse, Response};

use super::{document_headers, error::Error, stream_headers};
use crate::{body::to_json, call::Arrival, credentials::Caller, framing};
use events::Events;
use request::ResponsesRequest;
use wire::{Document, Origin};

pub(super) async fn reply(arrival: Arrival, request: ResponsesRequest, caller: Caller) -> Response {
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
