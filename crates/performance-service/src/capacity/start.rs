//! `POST /capacity`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use performance_store::{NewSearch, SearchRecord, StoreError};
use service_defaults::access::Caller;
use service_defaults::extract::ValidJson;
use service_defaults::problem::Problem;
use tenancy::Principal;

use super::body::SearchBody;
use super::document::Document;
use super::request::{self, CapacityBody, Wanted};
use crate::app::App;
use crate::audit::changes;
use crate::{idempotency, problems};

/// Searches for the highest rate that the target carries within all limits. Its runs queue like
/// any other, one after another.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/capacity",
    tag = "capacity",
    params(idempotency::KeyHeader),
    request_body = CapacityBody,
    responses(
        (status = 201, description = "The search begins; `Location` is its address", body = SearchBody),
        (status = 400, description = "A field is invalid; `errors` names it"),
        (status = 403, description = "The target is not listed, or in production and not confirmed"),
        (status = 429, description = "As many searches of the tenant go on as may"),
        (status = 503, description = "k6 is not installed"),
    )
)]
pub(crate) async fn start(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<CapacityBody>,
) -> Result<Response, Problem> {
    let search = begin(&app, &caller, body).await?;
    let address = format!("/api/v1/performancetest/capacity/{}", search.id);
    let body = SearchBody::new(&search)?;
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    // The id is hexadecimal, so the address always is a header value.
    if let Ok(address) = HeaderValue::from_str(&address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    Ok(response)
}

/// Checks a request and begins its search.
///
/// # Errors
/// As of a run, and 429 when too many searches go on.
pub(crate) async fn begin(
    app: &App,
    caller: &Principal,
    body: CapacityBody,
) -> Result<SearchRecord, Problem> {
    if let Some(search) = begun_before(app, caller).await? {
        return Ok(search);
    }
    let wanted = Wanted::parse(body)?;
    // The highest rate asks for the most; what it may, the others may.
    let most_users = app.conductor.most_users();
    let highest = wanted.run_at(wanted.plan.highest(), most_users);
    let planned = app.conductor.admit(caller, highest).await?;
    if planned.limits.is_empty() && wanted.body.run.options.thresholds.is_empty() {
        return Err(request::no_limit());
    }
    let asked = serde_json::to_string(&wanted.body).map_err(|_| Problem::internal())?;
    let new = NewSearch {
        id: idempotency::id_of_new(app.store.clock()),
        test_name: planned.test_name,
        environment: planned.target.name,
        started_by: caller.user.to_string(),
        request: asked.clone(),
        document: Document::new(&wanted).json(),
    };
    let added = app.store.add_search(&caller.tenant, new).await;
    let added = added.map_err(request::from_store)?;
    changes::made(&asked);
    app.searcher.notice();
    Ok(added)
}

/// The search of the present request, where that was carried out before and nobody knew.
async fn begun_before(app: &App, caller: &Principal) -> Result<Option<SearchRecord>, Problem> {
    let Some(id) = idempotency::id_of_made() else {
        return Ok(None);
    };
    match app.store.search(&caller.tenant, id).await {
        Ok(search) => Ok(Some(search)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(problems::from_store(error)),
    }
}
