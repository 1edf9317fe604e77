//! Anthropic's Messages API, from the server's side.
//!
//! Written from the public description of the protocol, not from our client:
//! the two readings check each other.

mod checks;
mod content;
mod error;
mod limits;
pub(crate) mod models;
pub(crate) mod request;
pub(crate) mod stream;
pub(crate) mod wire;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::HeaderMap;

use crate::{
    body::{self, Unreadable},
    call::{Arrival, Call},
    credentials::{Caller, ListedKeys},
    dialect::Dialect,
    engine::Engine,
    framing,
    journal::Operation,
    seed,
};
use error::Error;
use request::MessagesRequest;
use wire::Message;

/// The routes of this dialect.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/v1/messages", post(messages).fallback(method_not_allowed))
        .route(
            "/v1/messages/count_tokens",
            post(count_tokens).fallback(method_not_allowed),
        )
}

/// Whether a request for an address of two vendors is meant for this one.
pub(crate) fn is_meant(headers: &HeaderMap) -> bool {
    headers.contains_key(checks::VERSION)
}

async fn messages(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let arrival = Arrival::new(
        &engine,
        Dialect::Anthropic,
        Operation::Chat,
        request.extensions(),
    );
    let (head, body) = request.into_parts();
    let (request, caller) = match understand(&head.headers, body, &engine.keys).await {
        Ok(request) => request,
        Err(error) => {
            let refusal = arrival.refuse(error.status().as_u16());
            return error.reply(&refusal.request_id);
        }
    };
    match arrival.admit(request.call(caller)).await {
        Ok(call) if request.is_streamed() => stream::reply(call),
        Ok(call) => reply(call).await,
        Err(refusal) => Error::injected(&refusal).reply(&refusal.request_id),
    }
}

async fn count_tokens(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let request_id = unmetered_request_id();
    let (head, body) = request.into_parts();
    match understand_prompt(&head.headers, body, &engine.keys).await {
        Ok((request, _)) => {
            let count = wire::TokenCount {
                input_tokens: request.prompt().tokens(),
            };
            wire::reply(&count, &request_id)
        }
        Err(error) => error.reply(&request_id),
    }
}

async fn reply(call: Call) -> Response {
    let headers = wire::headers(&call, "application/json");
    let body = framing::whole(call, |call, text| {
        body::to_json(&Message::whole(call, text))
    });
    (headers, body.await).into_response()
}

async fn understand(
    headers: &HeaderMap,
    body: Body,
    keys: &ListedKeys,
) -> Result<(MessagesRequest, Caller), Error> {
    let (request, caller) = understand_prompt(headers, body, keys).await?;
    request.check_generation()?;
    Ok((request, caller))
}

/// Head first, then the body: a caller without credentials uploads nothing.
async fn understand_prompt(
    headers: &HeaderMap,
    body: Body,
    keys: &ListedKeys,
) -> Result<(MessagesRequest, Caller), Error> {
    let caller = checks::head(headers, keys)?;
    let bytes = body::read(body)
        .await
        .map_err(|unreadable| match unreadable {
            Unreadable::TooLarge => Error::too_large(),
            Unreadable::Broken(reason) => {
                Error::invalid(format!("The body could not be read: {reason}"))
            }
        })?;
    let request: MessagesRequest = serde_json::from_slice(&bytes)
        .map_err(|error| Error::invalid(format!("The body is not a valid request: {error}")))?;
    request.check_prompt()?;
    Ok((request, caller))
}

async fn method_not_allowed() -> Error {
    Error::method_not_allowed()
}

/// For routes that no seed governs.
fn unmetered_request_id() -> String {
    seed::identifier(&mut fastrand::Rng::new(), "req_", 24)
}
