//! All dialects on one port, and the addresses that two of them share.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
    routing::get,
};
use http::HeaderMap;

use crate::{
    anthropic::{self, models::Paging},
    bedrock,
    engine::Engine,
    ollama, openai, page,
};

/// The routes of every dialect.
pub(crate) fn dialects() -> Router<Arc<Engine>> {
    Router::new()
        .route("/", get(root).fallback(ollama::method_not_allowed))
        .route(
            "/v1/models",
            get(models).fallback(openai::method_not_allowed),
        )
        .route(
            "/v1/models/{model}",
            get(model).fallback(openai::method_not_allowed),
        )
        .merge(anthropic::router())
        .merge(openai::router())
        .merge(ollama::router())
        .merge(bedrock::router())
        .nest("/lmstudio", openai::lm_studio())
}

/// A page for people, and what Ollama says to whoever looks whether it is there.
async fn root(State(engine): State<Arc<Engine>>, headers: HeaderMap) -> Response {
    if page::is_wanted(&headers) {
        page::home(&engine)
    } else {
        "Ollama is running".into_response()
    }
}

/// Both vendors list their models here; only one of them asks for a version.
async fn models(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    if anthropic::is_meant(&headers) {
        anthropic::models::list(&headers, paging, &engine.keys).into_response()
    } else {
        openai::models::list(&headers, &engine.keys).into_response()
    }
}

async fn model(
    State(engine): State<Arc<Engine>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if anthropic::is_meant(&headers) {
        anthropic::models::one(&headers, &id, &engine.keys).into_response()
    } else {
        openai::models::one(&headers, &id, &engine.keys).into_response()
    }
}
