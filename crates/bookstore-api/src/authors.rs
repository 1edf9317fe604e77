//! `/api/v1/authors`.

mod body;
mod fields;

pub(crate) use body::{AuthorBody, encode};

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::Value;
use service_defaults::{
    access::Tenant,
    extract::{JsonBytes, ValidPath, ValidQuery},
    problem::Problem,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::AppState,
    conditional::{IfMatch, IfNoneMatch},
    openapi::ProblemDocument,
    problems::storage_problem,
    resource::{self, BULK_BODY_LIMIT, ListQuery},
};

/// The routes, fixed words before the identifier.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let bulk = OpenApiRouter::new()
        .routes(routes!(create_many))
        .layer(DefaultBodyLimit::max(BULK_BODY_LIMIT));
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .merge(bulk)
        .routes(routes!(get, replace, patch, delete))
}

/// One page of authors.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a reply that is built from parts")]
#[schema(rename_all = "camelCase")]
struct AuthorPage {
    authors: Vec<AuthorBody<'static>>,
    total_count: u64,
    page: u32,
    page_size: u32,
    total_pages: u64,
}

/// The authors of a bulk request, as stored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a reply that is built from parts")]
struct CreatedAuthors {
    message: String,
    authors: Vec<AuthorBody<'static>>,
}

/// Lists authors.
#[utoipa::path(get, path = "/api/v1/authors", tag = "authors", params(ListQuery), responses(
    (status = 200, body = AuthorPage),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json")
))]
async fn list(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidQuery(page): ValidQuery<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let page = page.page()?;
    let found = app
        .authors
        .list(&tenant, page)
        .await
        .map_err(storage_problem)?;
    Ok(resource::list_reply(page, &found))
}

/// Gets one author.
#[utoipa::path(get, path = "/api/v1/authors/{id}", tag = "authors", params(("id" = String, Path)), responses(
    (status = 200, body = AuthorBody<'static>),
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
    resource::get(&app.authors, &tenant, &id, &known).await
}

/// Creates an author.
#[utoipa::path(post, path = "/api/v1/authors", tag = "authors", request_body = AuthorBody<'static>, responses(
    (status = 201, body = AuthorBody<'static>, headers(("Location" = String), ("ETag" = String))),
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
    resource::create(&app.authors, &app.identities, &tenant, &body).await
}

/// Creates up to a thousand authors, all or none.
#[utoipa::path(post, path = "/api/v1/authors/bulk", tag = "authors", request_body = Vec<AuthorBody<'static>>, responses(
    (status = 200, body = CreatedAuthors),
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
    resource::create_many(&app.authors, &app.identities, &tenant, &body).await
}

/// Replaces an author.
#[utoipa::path(put, path = "/api/v1/authors/{id}", tag = "authors", request_body = AuthorBody<'static>,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, body = AuthorBody<'static>),
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
    resource::replace(&app.authors, &tenant, &id, &condition, &body).await
}

/// Changes some fields of an author.
#[utoipa::path(patch, path = "/api/v1/authors/{id}", tag = "authors", request_body = fields::AuthorPatchBody,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, body = AuthorBody<'static>),
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
    resource::patch(&app.authors, &tenant, &id, &condition, &body).await
}

/// Deletes an author.
#[utoipa::path(delete, path = "/api/v1/authors/{id}", tag = "authors",
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
    let status: StatusCode = resource::delete(&app.authors, &tenant, &id, &condition).await?;
    Ok(status.into_response())
}
