//! The models that are offered. A list only: calls for other models are
//! answered too, as this is a simulator.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header::CONTENT_TYPE};
use serde::Serialize;

use super::{
    REQUEST_ID, VERSION, checks,
    error::{Error, unmetered_request_id},
};
use crate::{body::to_json, credentials::ListedKeys, dialect::Dialect};

/// In the order in which they are listed.
const MODELS: [&str; 10] = [
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-6-sol",
    "gpt-6-luna",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
];
/// When they were made, for want of models: the start of 2026, in seconds.
const CREATED: u64 = 1_767_225_600;

#[derive(Serialize)]
struct Model {
    id: &'static str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct List {
    object: &'static str,
    data: Vec<Model>,
}

pub(crate) fn list(headers: &HeaderMap, keys: &ListedKeys) -> Result<Response, Error> {
    checks::key(headers, Dialect::OpenAi, keys)?;
    Ok(reply_all())
}

pub(crate) fn one(headers: &HeaderMap, id: &str, keys: &ListedKeys) -> Result<Response, Error> {
    checks::key(headers, Dialect::OpenAi, keys)?;
    let found = MODELS.into_iter().find(|model| *model == id);
    let model = found.ok_or_else(|| Error::unknown_model(id))?;
    Ok(reply(&describe(model)))
}

/// The list, for whoever asks.
pub(super) fn reply_all() -> Response {
    reply(&List {
        object: "list",
        data: MODELS.into_iter().map(describe).collect(),
    })
}

fn describe(id: &'static str) -> Model {
    Model {
        id,
        object: "model",
        created: CREATED,
        owned_by: "openai",
    }
}

fn reply(document: &impl Serialize) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (REQUEST_ID, unmetered_request_id()),
    ];
    ([VERSION], headers, to_json(document)).into_response()
}
