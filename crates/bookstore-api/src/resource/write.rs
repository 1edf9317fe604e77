//! Creating, changing and deleting entities.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;
use service_defaults::problem::Problem;
use storage::{Cached, StorageError};
use tenancy::TenantId;

use super::{BULK_LIMIT, Resource};
use crate::{
    conditional::{IfMatch, etag},
    fields::{Fields, read_many},
    identity::Identities,
    problems::{bulk_problem, malformed_id, no_such, storage_problem},
};

/// Creates one entity.
pub(crate) async fn create<R: Resource>(
    cached: &Cached<R>,
    identities: &Identities,
    tenant: &TenantId,
    body: &[u8],
) -> Result<Response, Problem> {
    let fields = Fields::parse(body, "").map_err(|error| Problem::invalid(vec![error]))?;
    let draft = R::read_draft(fields).map_err(Problem::invalid)?;
    let entity = R::create(draft, R::id_of(identities.next()), now());
    cached
        .insert(tenant, &entity)
        .await
        .map_err(storage_problem)?;
    let location = format!("{}/{}", R::PATH, entity.id());
    let mut response = written(StatusCode::CREATED, &entity);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Creates all of the given entities or none.
pub(crate) async fn create_many<R: Resource>(
    cached: &Cached<R>,
    identities: &Identities,
    tenant: &TenantId,
    body: &[u8],
) -> Result<Response, Problem> {
    let drafts = read_many(body, BULK_LIMIT, R::read_draft).map_err(Problem::invalid)?;
    let now = now();
    let entities: Vec<R> = drafts
        .into_iter()
        .map(|draft| R::create(draft, R::id_of(identities.next()), now))
        .collect();
    cached
        .insert_many(tenant, &entities)
        .await
        .map_err(bulk_problem)?;
    let bodies: Vec<R::Body<'_>> = entities.iter().map(|entity| entity.body(true)).collect();
    let message = format!("Successfully created {} {}", bodies.len(), R::PLURAL);
    Ok(Json(json!({"message": message, R::PLURAL: bodies})).into_response())
}

/// Replaces all fields of an entity.
pub(crate) async fn replace<R: Resource>(
    cached: &Cached<R>,
    tenant: &TenantId,
    id: &str,
    condition: &IfMatch,
    body: &[u8],
) -> Result<Response, Problem> {
    let id = R::parse_id(id).ok_or_else(malformed_id)?;
    let fields = Fields::parse(body, "").map_err(|error| Problem::invalid(vec![error]))?;
    let draft = R::read_draft(fields).map_err(Problem::invalid)?;
    let changed = change(cached, tenant, &id, condition, |entity| {
        entity.replaced(&draft, now())
    });
    Ok(written(StatusCode::OK, &changed.await?))
}

/// Changes some fields of an entity.
pub(crate) async fn patch<R: Resource>(
    cached: &Cached<R>,
    tenant: &TenantId,
    id: &str,
    condition: &IfMatch,
    body: &[u8],
) -> Result<Response, Problem> {
    let id = R::parse_id(id).ok_or_else(malformed_id)?;
    let mut fields = Fields::parse(body, "").map_err(|error| Problem::invalid(vec![error]))?;
    fields.only(R::PATCHABLE);
    let patch = R::read_patch(fields).map_err(Problem::invalid)?;
    let changed = change(cached, tenant, &id, condition, |entity| {
        entity.patched(&patch, now())
    });
    Ok(written(StatusCode::OK, &changed.await?))
}

/// Deletes an entity.
pub(crate) async fn delete<R: Resource>(
    cached: &Cached<R>,
    tenant: &TenantId,
    id: &str,
    condition: &IfMatch,
) -> Result<StatusCode, Problem> {
    let id = R::parse_id(id).ok_or_else(malformed_id)?;
    let expected = match condition {
        IfMatch::Unconditional | IfMatch::Any => None,
        IfMatch::OneOf(_) => {
            let found = cached.read(tenant, &id).await.map_err(storage_problem)?;
            let entity = found.ok_or_else(|| no_such(R::SINGULAR))?;
            guard(condition, &entity).map_err(storage_problem)?;
            Some(entity.version())
        }
    };
    let deleted = cached.delete(tenant, &id, expected).await;
    deleted.map_err(problem_of::<R>)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the entity, in whichever version it is that the condition allows.
async fn change<R: Resource>(
    cached: &Cached<R>,
    tenant: &TenantId,
    id: &R::Id,
    condition: &IfMatch,
    apply: impl Fn(&R) -> R,
) -> Result<R, Problem> {
    let guarded = |entity: &R| guard(condition, entity).map(|()| apply(entity));
    let changed = cached.change(tenant, id, guarded).await;
    changed.map_err(problem_of::<R>)
}

fn guard<R: Resource>(condition: &IfMatch, entity: &R) -> Result<(), StorageError> {
    if condition.allows(entity.version()) {
        Ok(())
    } else {
        Err(StorageError::VersionConflict)
    }
}

fn problem_of<R: Resource>(error: StorageError) -> Problem {
    match error {
        StorageError::NotFound => no_such(R::SINGULAR),
        other => storage_problem(other),
    }
}

fn written<R: Resource>(status: StatusCode, entity: &R) -> Response {
    let tag = etag(entity.version());
    (status, [(header::ETAG, tag)], Json(entity.body(true))).into_response()
}

fn now() -> Timestamp {
    domain::to_milliseconds(Timestamp::now())
}
