//! Reading one entity and lists of them.

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use domain::{Page, PageRequest};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use service_defaults::problem::Problem;
use storage::{Cached, Level};
use tenancy::TenantId;

use super::Resource;
use crate::{
    conditional::{IfNoneMatch, etag},
    problems::{malformed_id, no_such, storage_problem},
};

/// One entity: its finished JSON from the nearest cache that has it.
pub(crate) async fn get<R: Resource>(
    cached: &Cached<R>,
    tenant: &TenantId,
    id: &str,
    known: &IfNoneMatch,
) -> Result<Response, Problem> {
    let id = R::parse_id(id).ok_or_else(malformed_id)?;
    let found = cached.get(tenant, &id).await.map_err(storage_problem)?;
    let entry = found.ok_or_else(|| no_such(R::SINGULAR))?;
    let etag =
        HeaderValue::from_maybe_shared(entry.etag.clone()).unwrap_or_else(|_| etag(entry.version));
    if known.names(&etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let mut response = Response::new(Body::from(entry.body.clone()));
    let reply = response.headers_mut();
    reply.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    reply.insert(header::ETAG, etag);
    if entry.level == Level::Stale {
        // RFC 9111, 5.2.2 has no word for it that clients act upon; a warning header is plain.
        reply.insert("x-cache-status", HeaderValue::from_static("stale"));
    }
    Ok(response)
}

/// One page of entities as JSON.
pub(crate) fn list_reply<R: Resource>(page: PageRequest, found: &Page<R>) -> Json<Value> {
    let bodies: Vec<R::Body<'_>> = found.items.iter().map(|item| item.body(false)).collect();
    Json(json!({
        R::PLURAL: bodies,
        "totalCount": found.total,
        "page": page.page(),
        "pageSize": page.size(),
        "totalPages": page.total_pages(found.total),
    }))
}
