//! `/webhooks`: list, make, remove, test, and what became of the deliveries.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use performance_store::MAX_DELIVERIES;
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::{ValidJson, ValidPath};
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::body::{DeliveryBody, WebhookBody, WebhookRequest};
use crate::app::App;
use crate::idempotency::Repeated;
use crate::problems;

/// The webhook that a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct WebhookInPath {
    pub(crate) name: String,
}

/// A delivery that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestedBody {
    /// Its number among the deliveries of the webhook.
    delivery_id: u64,
}

/// The tenant's webhooks, by name.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/webhooks",
    tag = "webhooks",
    responses((status = 200, body = Vec<WebhookBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    Caller(caller): Caller,
) -> Result<Json<Vec<WebhookBody>>, Problem> {
    let found = app.store.webhooks(&caller.tenant).await;
    let found = found.map_err(problems::from_store)?;
    Ok(Json(found.into_iter().map(WebhookBody::from).collect()))
}

/// Makes a webhook. `signingSecret` of the answer is told this once.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/webhooks",
    tag = "webhooks",
    params(crate::idempotency::KeyHeader),
    request_body = WebhookRequest,
    responses(
        (status = 201, description = "It is kept; `Location` is its address", body = WebhookBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 409, description = "The name is taken"),
        (status = 429, description = "There are as many as are kept"),
    )
)]
pub(crate) async fn add(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(request): ValidJson<WebhookRequest>,
) -> Result<Response, Problem> {
    let (webhook, secret) = super::add(&app, &caller, request).await?;
    let address = format!("/api/v1/performancetest/webhooks/{}", webhook.name);
    let mut body = WebhookBody::from(webhook);
    let without = serde_json::to_vec(&body).map_err(|_| Problem::internal())?;
    body.signing_secret = Some(secret);
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    let repeated = Repeated(without.into());
    response.extensions_mut().insert(repeated);
    let headers = response.headers_mut();
    if let Ok(address) = HeaderValue::from_str(&address) {
        headers.insert(header::LOCATION, address);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Removes a webhook; what waits is not sent any more.
#[utoipa::path(
    delete,
    path = "/api/v1/performancetest/webhooks/{name}",
    tag = "webhooks",
    params(("name" = String, Path, description = "The webhook's name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No such webhook"),
    )
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<WebhookInPath>,
) -> Result<StatusCode, Problem> {
    super::remove(&app, &caller, &path.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a webhook be told that it works. The deliveries say how that went; while such a one waits
/// there is no other.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/webhooks/{name}/test",
    tag = "webhooks",
    params(
        ("name" = String, Path, description = "The webhook's name"),
        crate::idempotency::KeyHeader
    ),
    responses(
        (status = 202, description = "It is sent", body = TestedBody),
        (status = 404, description = "No such webhook"),
        (status = 409, description = "It is switched off, since its receiver is gone"),
    )
)]
pub(crate) async fn test(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<WebhookInPath>,
) -> Result<(StatusCode, Json<TestedBody>), Problem> {
    let delivery_id = super::test(&app, &caller, &path.name).await?;
    Ok((StatusCode::ACCEPTED, Json(TestedBody { delivery_id })))
}

/// The latest deliveries of a webhook, newest first, at most 200 that are over.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/webhooks/{name}/deliveries",
    tag = "webhooks",
    params(("name" = String, Path, description = "The webhook's name")),
    responses(
        (status = 200, body = Vec<DeliveryBody>),
        (status = 404, description = "No such webhook"),
    )
)]
pub(crate) async fn deliveries(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidPath(path): ValidPath<WebhookInPath>,
) -> Result<Json<Vec<DeliveryBody>>, Problem> {
    let tenant = &caller.tenant;
    let known = app.store.webhook(tenant, &path.name).await;
    known.map_err(problems::from_store)?;
    let found = app
        .store
        .deliveries(tenant, &path.name, MAX_DELIVERIES)
        .await;
    let found = found.map_err(problems::from_store)?;
    Ok(Json(found.into_iter().map(DeliveryBody::from).collect()))
}
