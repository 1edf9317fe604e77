//! Ollama's API, from the server's side: chat and generate, streamed unless
//! the request says otherwise, and the questions about models.

mod error;
mod models;
mod request;
mod wire;

use std::{io, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::{
    body::{self, Unreadable},
    call::{Arrival, Call, Step, Whole},
    dialect::Dialect,
    engine::Engine,
    meter::Operation,
};
use error::Error;
use request::{ChatRequest, GenerateRequest, Prompt};
use wire::{Line, Shape};

/// The routes of this dialect.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/", get(greeting).fallback(method_not_allowed))
        .route("/api/chat", post(chat).fallback(method_not_allowed))
        .route("/api/generate", post(generate).fallback(method_not_allowed))
        .route("/api/tags", get(models::tags).fallback(method_not_allowed))
        .route("/api/show", post(models::show).fallback(method_not_allowed))
        .route("/api/ps", get(models::running).fallback(method_not_allowed))
        .route(
            "/api/version",
            get(models::version).fallback(method_not_allowed),
        )
}

async fn greeting() -> &'static str {
    "Ollama is running"
}

async fn chat(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let arrival = Arrival::new(&engine, Dialect::Ollama, Operation::Chat);
    answer::<ChatRequest>(arrival, request, Shape::Chat).await
}

async fn generate(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let arrival = Arrival::new(&engine, Dialect::Ollama, Operation::TextCompletion);
    answer::<GenerateRequest>(arrival, request, Shape::Generate).await
}

async fn answer<P: Prompt + DeserializeOwned>(
    arrival: Arrival,
    request: Request,
    shape: Shape,
) -> Response {
    let request = match understand::<P>(request).await {
        Ok(request) => request,
        Err(error) => {
            arrival.refuse(error.status().as_u16());
            return error.into_response();
        }
    };
    if request.only_loads() {
        // Nothing is generated, so the accounts do not hear of it.
        return models::loaded(request.model(), shape);
    }
    match arrival.admit(request.call()).await {
        Ok(call) if request.is_streamed() => {
            let lines = Body::from_stream(lines(call, shape));
            ([(CONTENT_TYPE, "application/x-ndjson")], lines).into_response()
        }
        Ok(call) => whole(call, shape).await,
        Err(refusal) => Error::injected(&refusal).into_response(),
    }
}

async fn whole(mut call: Call, shape: Shape) -> Response {
    match call.whole().await {
        Whole::Text(text) => {
            call.finish();
            wire::reply(&Line::last(&call, shape, &text))
        }
        Whole::Cut(text) => {
            let document = wire::to_json(&Line::last(&call, shape, &text));
            ([(CONTENT_TYPE, wire::JSON)], body::cut_in_half(document)).into_response()
        }
    }
}

/// One line per token and a last one with the counts, one write each.
fn lines(mut call: Call, shape: Shape) -> impl Stream<Item = io::Result<Bytes>> {
    async_stream::try_stream! {
        loop {
            match call.next().await {
                Step::Token(text) => yield wire::to_line(&Line::token(&call, shape, text)),
                Step::Finished => break,
                Step::Cut => Err(body::broken().await)?,
                Step::Error => {
                    yield wire::to_line(&error::document(error::OVERLOADED));
                    return;
                }
            }
        }
        call.finish();
        yield wire::to_line(&Line::last(&call, shape, ""));
    }
}

/// The vendor reads the body whatever its content type says.
async fn understand<P: Prompt + DeserializeOwned>(request: Request) -> Result<P, Error> {
    let request: P = read(request).await?;
    request.check()?;
    Ok(request)
}

async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Error> {
    let bytes = body::read(request.into_body())
        .await
        .map_err(|unreadable| match unreadable {
            Unreadable::TooLarge => Error::too_large(),
            Unreadable::Broken(reason) => Error::invalid(reason),
        })?;
    if bytes.is_empty() {
        return Err(Error::invalid("missing request body"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Error::invalid(error.to_string()))
}

async fn method_not_allowed() -> Error {
    Error::method_not_allowed()
}
