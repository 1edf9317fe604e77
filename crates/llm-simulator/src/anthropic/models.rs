//! The models that are offered. A list only: calls for other models are
//! answered too, as this is a simulator.

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{checks, error::Error, unmetered_request_id, wire};
use crate::credentials::ListedKeys;

/// Id and name for people, in the order in which they are listed.
const MODELS: [(&str, &str); 5] = [
    ("claude-opus-5-5", "Claude Opus 5.5"),
    ("claude-sonnet-5-5", "Claude Sonnet 5.5"),
    ("claude-haiku-5-5", "Claude Haiku 5.5"),
    ("claude-sonnet-5", "Claude Sonnet 5"),
    ("claude-haiku-4-5", "Claude Haiku 4.5"),
];
/// What the vendor gives for a release date that is not known.
const UNKNOWN_DATE: &str = "1970-01-01T00:00:00Z";
/// The vendor's page sizes.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 1000;

#[derive(Deserialize)]
pub(crate) struct Paging {
    limit: Option<usize>,
    after_id: Option<String>,
    before_id: Option<String>,
}

#[derive(Serialize)]
struct Model {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'static str,
    display_name: &'static str,
    created_at: &'static str,
    lifecycle: &'static str,
}

#[derive(Serialize)]
struct ModelPage {
    data: Vec<Model>,
    has_more: bool,
    first_id: Option<&'static str>,
    last_id: Option<&'static str>,
}

pub(crate) fn list(
    headers: &HeaderMap,
    paging: Result<Query<Paging>, QueryRejection>,
    keys: &ListedKeys,
) -> Result<Response, Error> {
    checks::head(headers, keys)?;
    let Query(paging) = paging.map_err(|error| Error::invalid(error.body_text()))?;
    Ok(wire::reply(&page(&paging)?, &unmetered_request_id()))
}

pub(crate) fn one(headers: &HeaderMap, id: &str, keys: &ListedKeys) -> Result<Response, Error> {
    checks::head(headers, keys)?;
    let found = MODELS.into_iter().find(|model| model.0 == id);
    let model = found.ok_or_else(|| Error::not_found(format!("model: {id}")))?;
    Ok(wire::reply(&describe(model), &unmetered_request_id()))
}

fn page(paging: &Paging) -> Result<ModelPage, Error> {
    let limit = paging.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Error::invalid("limit: Input should be between 1 and 1000"));
    }
    let place = |id: &Option<String>| match id {
        None => Ok(None),
        Some(id) => match MODELS.iter().position(|model| model.0 == id) {
            Some(place) => Ok(Some(place)),
            None => Err(Error::invalid(format!("No model {id:?} to page from"))),
        },
    };
    let after = place(&paging.after_id)?.map_or(0, |last| last + 1);
    let (start, end, has_more) = match place(&paging.before_id)? {
        Some(end) => {
            let start = end.saturating_sub(limit).max(after.min(end));
            (start, end, start > after)
        }
        None => {
            let end = MODELS.len().min(after.saturating_add(limit));
            (after, end, end < MODELS.len())
        }
    };
    let shown = &MODELS[start..end];
    Ok(ModelPage {
        data: shown.iter().copied().map(describe).collect(),
        has_more,
        first_id: shown.first().map(|model| model.0),
        last_id: shown.last().map(|model| model.0),
    })
}

fn describe((id, display_name): (&'static str, &'static str)) -> Model {
    Model {
        kind: "model",
        id,
        display_name,
        created_at: UNKNOWN_DATE,
        lifecycle: "active",
    }
}
