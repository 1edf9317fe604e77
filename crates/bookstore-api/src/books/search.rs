//! `/api/v1/books/search`.
#![expect(unused_qualifications, reason = "utoipa's macro writes full paths")]

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::SearchTerm;
use instrumentation::catalogue;
use serde::Deserialize;
use service_defaults::{access::Tenant, extract::ValidQuery, problem::Problem};
use utoipa::IntoParams;

use super::BookBody;
use crate::{app::AppState, openapi::ProblemDocument, problems::storage_problem};

/// What to search for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// Text in title, author or description, in any case; part of a word counts.
    #[param(required = true, min_length = 1, max_length = 200)]
    query: Option<String>,
}

/// Searches books: at most 50, the best first.
#[utoipa::path(get, path = "/api/v1/books/search", tag = "books", params(SearchQuery), responses(
    (status = 200, body = Vec<BookBody<'static>>),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn search(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidQuery(SearchQuery { query }): ValidQuery<SearchQuery>,
) -> Result<Response, Problem> {
    let term = SearchTerm::parse(query.as_deref().unwrap_or(""))
        .map_err(|error| Problem::invalid_field(error.field, error.reason))?;
    let found = app
        .books
        .search(&tenant, &term)
        .await
        .map_err(storage_problem)?;
    let outcome = if found.is_empty() { "empty" } else { "found" };
    catalogue::SEARCHES
        .counter(&[("outcome", outcome)])
        .increment(1);
    let bodies: Vec<BookBody<'_>> = found
        .iter()
        .map(|book| BookBody::new(book, false))
        .collect();
    Ok(Json(bodies).into_response())
}
