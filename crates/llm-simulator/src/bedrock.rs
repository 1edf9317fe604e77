//! Amazon Bedrock's runtime, from the server's side: converse and invoke,
//! streamed and not.
//!
//! Converse has one shape for all models; invoke has that of the model's vendor.

mod checks;
mod converse;
mod error;
mod event_stream;
mod invoke;
mod model;
mod service_tier;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::{
    body::{self, Unreadable},
    call::{Arrival, Call, CallRequest},
    credentials::ListedKeys,
    dialect::Dialect,
    engine::Engine,
    framing,
    journal::Operation,
    prompt::Prompt,
    service_tier::ServiceTier,
};
use checks::Credential;
use error::Error;
use event_stream::{Chunk, InvocationMetrics};
use model::Family;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
/// What the frames of an invoked stream hold.
const INNER_TYPE: HeaderName = HeaderName::from_static("x-amzn-bedrock-content-type");
const LATENCY: HeaderName = HeaderName::from_static("x-amzn-bedrock-invocation-latency");
const INPUT_COUNT: HeaderName = HeaderName::from_static("x-amzn-bedrock-input-token-count");
const OUTPUT_COUNT: HeaderName = HeaderName::from_static("x-amzn-bedrock-output-token-count");

type ModelPath = Result<Path<String>, PathRejection>;

/// One of the four operations.
#[derive(Debug, Clone, Copy)]
struct Action {
    api: Api,
    streamed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Converse,
    Invoke,
}

/// How requests and replies are written.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Converse,
    Invoke(Family),
}

/// What a body asks for.
struct Asked {
    prompt: Prompt,
    max_tokens: Option<i64>,
    service_tier: ServiceTier,
}

/// The routes of this dialect.
pub(crate) fn router() -> Router<Arc<Engine>> {
    let action = |api, streamed| route(Action { api, streamed });
    Router::new()
        .route("/model/{model}/converse", action(Api::Converse, false))
        .route(
            "/model/{model}/converse-stream",
            action(Api::Converse, true),
        )
        .route("/model/{model}/invoke", action(Api::Invoke, false))
        .route(
            "/model/{model}/invoke-with-response-stream",
            action(Api::Invoke, true),
        )
}

fn route(action: Action) -> MethodRouter<Arc<Engine>> {
    post(
        move |State(engine): State<Arc<Engine>>, model: ModelPath, request: Request| {
            answer(engine, model, request, action)
        },
    )
    .fallback(async || Error::method_not_allowed())
}

async fn answer(
    engine: Arc<Engine>,
    model: ModelPath,
    request: Request,
    action: Action,
) -> Response {
    let arrival = Arrival::new(
        &engine,
        Dialect::Bedrock,
        Operation::Chat,
        request.extensions(),
    );
    match understand(model, request, action, &engine.keys).await {
        Ok((call, shape)) => reply(arrival, call, shape).await,
        Err(error) => {
            let refusal = arrival.refuse(error.status().as_u16());
            error.reply(&refusal.request_id)
        }
    }
}

/// Head first, then the body: a caller without credentials uploads nothing.
async fn understand(
    model: ModelPath,
    request: Request,
    action: Action,
    keys: &ListedKeys,
) -> Result<(CallRequest, Shape), Error> {
    let (head, body) = request.into_parts();
    let credential = Credential::read(&head.headers, keys)?;
    let Path(model) = model.map_err(|error| Error::invalid(error.body_text()))?;
    model::check(&model)?;
    let shape = match action.api {
        Api::Converse => Shape::Converse,
        Api::Invoke => Shape::Invoke(Family::of(&model)?),
    };
    let bytes = body::read(body)
        .await
        .map_err(|unreadable| match unreadable {
            Unreadable::TooLarge => Error::too_large(),
            Unreadable::Broken(reason) => {
                Error::invalid(format!("The body could not be read: {reason}"))
            }
        })?;
    credential.verify(&head, &bytes)?;
    let asked = match shape {
        Shape::Converse => converse::request::read(&bytes, &model)?,
        Shape::Invoke(family) => Asked {
            service_tier: service_tier::in_header(&head.headers)?,
            ..invoke::read(family, &bytes, &model)?
        },
    };
    let call = CallRequest {
        streamed: action.streamed,
        caller: credential.caller,
        prompt: asked.prompt,
        max_tokens: asked.max_tokens.and_then(|limit| u64::try_from(limit).ok()),
        service_tier: asked.service_tier,
        model,
    };
    Ok((call, shape))
}

async fn reply(arrival: Arrival, request: CallRequest, shape: Shape) -> Response {
    let streamed = request.streamed;
    match arrival.admit(request).await {
        Ok(call) if streamed => stream(call, shape),
        Ok(call) => whole(call, shape).await,
        Err(refusal) => Error::injected(&refusal).reply(&refusal.request_id),
    }
}

fn stream(call: Call, shape: Shape) -> Response {
    let mut headers = headers(call.request_id(), EVENT_STREAM);
    let body = match shape {
        Shape::Converse => framing::stream(call, converse::Events),
        Shape::Invoke(family) => {
            headers.insert(INNER_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(service_tier::HEADER, service_tier::header(&call));
            invoke::stream(family, call)
        }
    };
    (headers, body).into_response()
}

async fn whole(call: Call, shape: Shape) -> Response {
    let mut headers = headers(call.request_id(), "application/json");
    let body = framing::whole(call, |call, text| match shape {
        Shape::Converse => converse::document(call, text),
        Shape::Invoke(family) => {
            let metrics = InvocationMetrics::of(call);
            headers.insert(service_tier::HEADER, service_tier::header(call));
            headers.insert(LATENCY, metrics.invocation_latency.into());
            headers.insert(INPUT_COUNT, metrics.input_token_count.into());
            headers.insert(OUTPUT_COUNT, metrics.output_token_count.into());
            invoke::document(family, call, text)
        }
    });
    let body = body.await;
    (headers, body).into_response()
}

fn headers(request_id: &str, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    headers
}

/// Reads a body, whatever its content type says: the official clients send
/// several, or none.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let document = serde_path_to_error::deserialize(&mut reader).map_err(Error::unreadable)?;
    match reader.end() {
        Ok(()) => Ok(document),
        Err(error) => Err(Error::malformed(&error)),
    }
}
