//! `/api/v1/books`.
#![expect(unused_qualifications, reason = "utoipa's macro writes full paths")]

mod body;
mod fields;
mod search;

pub(crate) use body::{BookBody, encode};

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
};
use domain::{BookFilter, BookQuery};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use service_defaults::{
    access::Tenant,
    extract::{JsonBytes, ValidPath, ValidQuery},
    problem::Problem,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::AppState,
    conditional::{IfMatch, IfNoneMatch},
    openapi::ProblemDocument,
    problems::storage_problem,
    resource::{self, BULK_BODY_LIMIT, ListQuery, parse_sort},
};

/// The routes, fixed words before the identifier.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let bulk = OpenApiRouter::new()
        .routes(routes!(create_many))
        .layer(DefaultBodyLimit::max(BULK_BODY_LIMIT));
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(search::search))
        .merge(bulk)
        .routes(routes!(get, replace, patch, delete))
}

/// Which books, and in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct BookListQuery {
    /// Only books of exactly this genre.
    genre: Option<String>,
    /// Only books of exactly this author.
    author: Option<String>,
    /// oldest (the default), newest, title or price.
    sort: Option<String>,
}

/// One page of books.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a reply that is built from parts")]
#[schema(rename_all = "camelCase")]
struct BookPage {
    books: Vec<BookBody<'static>>,
    total_count: u64,
    page: u32,
    page_size: u32,
    total_pages: u64,
}

/// The books of a bulk request, as stored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a reply that is built from parts")]
struct CreatedBooks {
    message: String,
    books: Vec<BookBody<'static>>,
}

/// Lists books.
#[utoipa::path(get, path = "/api/v1/books", tag = "books", params(BookListQuery, ListQuery), responses(
    (status = 200, body = BookPage),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn list(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidQuery(books): ValidQuery<BookListQuery>,
    ValidQuery(page): ValidQuery<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let query = BookQuery {
        filter: BookFilter {
            genre: books.genre,
            author: books.author,
        },
        sort: parse_sort(books.sort.as_deref())?,
    };
    let page = page.page()?;
    let found = app
        .books
        .list(&tenant, &query, page)
        .await
        .map_err(storage_problem)?;
    Ok(resource::list_reply(page, &found))
}

/// Gets one book.
#[utoipa::path(get, path = "/api/v1/books/{id}", tag = "books", params(("id" = String, Path)), responses(
    (status = 200, body = BookBody<'static>),
    (status = 304, description = "If-None-Match names the present version"),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn get(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidPath(id): ValidPath<String>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    resource::get(&app.books, &tenant, &id, &known).await
}

/// Creates a book.
#[utoipa::path(post, path = "/api/v1/books", tag = "books", request_body = BookBody<'static>, responses(
    (status = 201, body = BookBody<'static>, headers(("Location" = String), ("ETag" = String))),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 413, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn create(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    resource::create(&app.books, &app.identities, &tenant, &body).await
}

/// Creates up to a thousand books, all or none.
#[utoipa::path(post, path = "/api/v1/books/bulk", tag = "books", request_body = Vec<BookBody<'static>>, responses(
    (status = 200, body = CreatedBooks),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 413, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn create_many(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    resource::create_many(&app.books, &app.identities, &tenant, &body).await
}

/// Replaces a book.
#[utoipa::path(put, path = "/api/v1/books/{id}", tag = "books", request_body = BookBody<'static>,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, body = BookBody<'static>),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn replace(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidPath(id): ValidPath<String>,
    condition: IfMatch,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    resource::replace(&app.books, &tenant, &id, &condition, &body).await
}

/// Changes some fields of a book.
#[utoipa::path(patch, path = "/api/v1/books/{id}", tag = "books", request_body = fields::BookPatchBody,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, body = BookBody<'static>),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn patch(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidPath(id): ValidPath<String>,
    condition: IfMatch,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    resource::patch(&app.books, &tenant, &id, &condition, &body).await
}

/// Deletes a book.
#[utoipa::path(delete, path = "/api/v1/books/{id}", tag = "books",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 204, description = "deleted"),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 412, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn delete(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidPath(id): ValidPath<String>,
    condition: IfMatch,
) -> Result<Response, Problem> {
    let status: StatusCode = resource::delete(&app.books, &tenant, &id, &condition).await?;
    Ok(status.into_response())
}
