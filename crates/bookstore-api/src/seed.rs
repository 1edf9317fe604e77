//! `/seed-data`: three books and three authors, there once however often it is called.

use axum::{Json, extract::State};
use domain::{Author, AuthorId, Book, BookId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use service_defaults::{access::Tenant, problem::Problem};
use storage::{Cached, StorageError};
use tenancy::TenantId;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app::AppState, fields::Fields, problems::storage_problem, resource::Resource};

/// What was done.
#[derive(Serialize, ToSchema)]
struct Seeded {
    message: String,
}

/// The route.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(seed_data))
}

/// Stores the sample books and authors that are not there yet.
#[utoipa::path(post, path = "/seed-data", tag = "seed data", responses((status = 200, body = Seeded)))]
async fn seed_data(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
) -> Result<Json<Seeded>, Problem> {
    let mut added = 0;
    for (position, book) in books().into_iter().enumerate() {
        let id = BookId::from_bytes(fixed_id(&tenant, position));
        added += u8::from(insert_once::<Book>(&app.books, &tenant, &book, id).await?);
    }
    for (position, author) in authors().into_iter().enumerate() {
        let id = AuthorId::from_bytes(fixed_id(&tenant, position));
        added += u8::from(insert_once::<Author>(&app.authors, &tenant, &author, id).await?);
    }
    let message = format!("Database seeded successfully ({added} of 6 entries were new)");
    Ok(Json(Seeded { message }))
}

/// Inserts unless it is there: by its fixed identifier, which makes two calls at once one entry.
async fn insert_once<R: Resource>(
    cached: &Cached<R>,
    tenant: &TenantId,
    sample: &Value,
    id: R::Id,
) -> Result<bool, Problem> {
    let text = sample.to_string();
    let fields =
        Fields::parse(text.as_bytes(), "").map_err(|error| Problem::invalid(vec![error]))?;
    let draft = R::read_draft(fields).map_err(Problem::invalid)?;
    let now = domain::to_milliseconds(Timestamp::now());
    match cached.insert(tenant, &R::create(draft, id, now)).await {
        Ok(()) => Ok(true),
        // The identifier, or the ISBN of a book that somebody made by hand, is there.
        Err(StorageError::Duplicate { .. }) => Ok(false),
        Err(error) => Err(storage_problem(error)),
    }
}

/// `5eed`, a mark of the tenant, the sample's position: the same at every call, and never that of
/// another tenant's sample, since `MongoDB` knows an identifier once for all tenants.
fn fixed_id(tenant: &TenantId, position: usize) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..2].copy_from_slice(&[0x5e, 0xed]);
    bytes[2..10].copy_from_slice(&domain::fingerprint(&[tenant.as_str()]).to_be_bytes());
    bytes[11] = u8::try_from(position + 1).unwrap_or(u8::MAX);
    bytes
}

fn books() -> [Value; 3] {
    [
        json!({
            "title": "The Great Gatsby", "author": "F. Scott Fitzgerald",
            "isbn": "978-0-7432-7356-5", "price": 12.99, "genre": "Fiction",
            "description": "A self-made millionaire, an old love and the parties of a Long Island summer.",
            "stockQuantity": 50, "publishedDate": "1925-04-10",
        }),
        json!({
            "title": "To Kill a Mockingbird", "author": "Harper Lee",
            "isbn": "978-0-06-112008-4", "price": 14.99, "genre": "Fiction",
            "description": "A lawyer in Alabama defends an innocent man; his daughter tells of it.",
            "stockQuantity": 35, "publishedDate": "1960-07-11",
        }),
        json!({
            "title": "1984", "author": "George Orwell",
            "isbn": "978-0-452-28423-4", "price": 13.99, "genre": "Dystopian Fiction",
            "description": "A clerk who rewrites the past begins to remember it.",
            "stockQuantity": 42, "publishedDate": "1949-06-08",
        }),
    ]
}

fn authors() -> [Value; 3] {
    [
        json!({
            "name": "F. Scott Fitzgerald", "birthDate": "1896-09-24", "nationality": "American",
            "bio": "Novelist of the Jazz Age.",
        }),
        json!({
            "name": "Harper Lee", "birthDate": "1926-04-28", "nationality": "American",
            "bio": "Novelist from Monroeville, Alabama.",
        }),
        json!({
            "name": "George Orwell", "birthDate": "1903-06-25", "nationality": "British",
            "bio": "Novelist, essayist and journalist.",
        }),
    ]
}
