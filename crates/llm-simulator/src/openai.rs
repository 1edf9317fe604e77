//! `OpenAI`'s API, from the server's side: chat completions, responses and models.
//!
//! LM Studio speaks the same; under `/lmstudio` no key is asked for, as there.

mod capabilities;
mod chat;
mod checks;
mod content;
mod error;
mod limits;
pub(crate) mod models;
mod responses;

use std::{future::Future, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::{
    body::{self, Unreadable},
    call::{Arrival, Call},
    credentials::{Caller, ListedKeys},
    dialect::Dialect,
    engine::Engine,
    journal::Operation,
};
use error::Error;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The version of the protocol, which the vendor has named since 2020.
const VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("openai-version"),
    HeaderValue::from_static("2020-10-01"),
);
const PROCESSING_TIME: HeaderName = HeaderName::from_static("openai-processing-ms");

/// The routes of this dialect but those of the models, which it shares.
pub(crate) fn router() -> Router<Arc<Engine>> {
    routes(Dialect::OpenAi)
}

/// LM Studio's routes, under an address of its own.
pub(crate) fn lm_studio() -> Router<Arc<Engine>> {
    let list = || async { models::reply_all() };
    routes(Dialect::LmStudio).route("/v1/models", get(list).fallback(method_not_allowed))
}

pub(crate) async fn method_not_allowed() -> Error {
    Error::method_not_allowed()
}

/// The same for either, but that one asks for no key, and no money.
fn routes(dialect: Dialect) -> Router<Arc<Engine>> {
    Router::new()
        .route(
            "/v1/chat/completions",
            post(move |State(engine), request| async move {
                answer(&engine, request, dialect, chat::reply).await
            })
            .fallback(method_not_allowed),
        )
        .route(
            "/v1/responses",
            post(move |State(engine), request| async move {
                answer(&engine, request, dialect, responses::reply).await
            })
            .fallback(method_not_allowed),
        )
}

/// What is asked of a model, whichever way it is put.
trait Question: DeserializeOwned {
    /// Whether the vendor takes it.
    fn check(&self) -> Result<(), Error>;
}

/// Lets `reply` answer what is asked, if the vendor takes it.
async fn answer<T: Question, F: Future<Output = Response>>(
    engine: &Arc<Engine>,
    request: Request,
    dialect: Dialect,
    reply: impl FnOnce(Arrival, T, Caller) -> F,
) -> Response {
    let started = Instant::now();
    let extensions = request.extensions();
    let arrival = Arrival::new(engine, dialect, Operation::Chat, extensions);
    let response = match read::<T>(request, dialect, &engine.keys).await {
        Ok((question, caller)) => reply(arrival, question, caller).await,
        Err(error) => {
            let refusal = arrival.refuse(error.status().as_u16());
            error.reply(&refusal.request_id)
        }
    };
    timed(response, started)
}

/// Head first, then the body: a caller without a key uploads nothing.
async fn read<T: Question>(
    request: Request,
    dialect: Dialect,
    keys: &ListedKeys,
) -> Result<(T, Caller), Error> {
    let (head, body) = request.into_parts();
    let caller = checks::key(&head.headers, dialect, keys)?;
    let bytes: Bytes = body::read(body)
        .await
        .map_err(|unreadable| match unreadable {
            Unreadable::TooLarge => Error::too_large(),
            Unreadable::Broken(reason) => {
                Error::invalid(format!("The body could not be read: {reason}"))
            }
        })?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let question: T = serde_path_to_error::deserialize(&mut reader).map_err(Error::unreadable)?;
    reader.end().map_err(|error| {
        Error::invalid(format!(
            "We could not parse the JSON body of your request: {error}"
        ))
    })?;
    question.check()?;
    Ok((question, caller))
}

/// The head of a reply that is one document.
fn document_headers(call: &Call) -> HeaderMap {
    headers(call, "application/json")
}

/// The head of a stream.
fn stream_headers(call: &Call) -> HeaderMap {
    let mut headers = headers(call, "text/event-stream; charset=utf-8");
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers
}

fn headers(call: &Call, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([
        VERSION,
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
    ]);
    if let Ok(id) = HeaderValue::try_from(call.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(state) = call.limits() {
        limits::add(&mut headers, state);
    }
    headers
}

/// Says how long the server took until it sent the head.
fn timed(mut response: Response, started: Instant) -> Response {
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    response
        .headers_mut()
        .insert(PROCESSING_TIME, HeaderValue::from(milliseconds));
    response
}
