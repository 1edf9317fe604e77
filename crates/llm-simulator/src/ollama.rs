//! Ollama's API, from the server's side: chat and generate, streamed unless
//! the request says otherwise, and the questions about models.

mod error;
mod models;
mod request;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::{
    body::{self, Unreadable},
    call::{Arrival, Call},
    dialect::Dialect,
    engine::Engine,
    framing::{self, Framing},
    journal::Operation,
};
use error::Error;
use request::{Asking, ChatRequest, GenerateRequest};
use wire::{Line, Shape};

/// The routes of this dialect.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
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

async fn chat(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let arrival = Arrival::new(
        &engine,
        Dialect::Ollama,
        Operation::Chat,
        request.extensions(),
    );
    answer::<ChatRequest>(arrival, request, Shape::Chat).await
}

async fn generate(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let arrival = Arrival::new(
        &engine,
        Dialect::Ollama,
        Operation::TextCompletion,
        request.extensions(),
    );
    answer::<GenerateRequest>(arrival, request, Shape::Generate).await
}

async fn answer<P: Asking + DeserializeOwned>(
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
            let lines = framing::stream(call, Lines(shape));
            ([(CONTENT_TYPE, "application/x-ndjson")], lines).into_response()
        }
        Ok(call) => whole(call, shape).await,
        Err(refusal) => Error::injected(&refusal).into_response(),
    }
}

async fn whole(call: Call, shape: Shape) -> Response {
    let body = framing::whole(call, |call, text| {
        body::to_json(&Line::last(call, shape, text))
    });
    ([(CONTENT_TYPE, wire::JSON)], body.await).into_response()
}

/// One line per token and a last one with the counts, one write each.
struct Lines(Shape);

impl Framing for Lines {
    fn token(&mut self, call: &Call, text: &'static str) -> Bytes {
        wire::to_line(&Line::token(call, self.0, text))
    }

    fn end(&mut self, call: &Call) -> Vec<Bytes> {
        vec![wire::to_line(&Line::last(call, self.0, ""))]
    }

    fn error(&mut self, _call: &Call) -> Vec<Bytes> {
        vec![wire::to_line(&error::document(error::OVERLOADED))]
    }
}

/// The vendor reads the body whatever its content type says.
async fn understand<P: Asking + DeserializeOwned>(request: Request) -> Result<P, Error> {
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

pub(crate) async fn method_not_allowed() -> Error {
    Error::method_not_allowed()
}
