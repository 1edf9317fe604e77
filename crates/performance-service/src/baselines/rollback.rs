//! `POST /baselines/rollback`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use performance_store::BaselineName;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidJson;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::body::BaselineBody;
use super::reverting::roll_back;
use super::versions::LOCAL;
use crate::app::App;

/// Which version is to be in force again, and why.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RollbackBody {
    /// The name of the test.
    test: String,
    /// The target's name, `local` when absent.
    environment: Option<String>,
    /// The scenario's name.
    scenario: String,
    /// The number of the version.
    version: u64,
    /// Why.
    reason: String,
}

/// Puts the runs of an earlier version in force again, as the next version. What that hides is
/// kept with the reason.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/baselines/rollback",
    tag = "baselines",
    params(crate::idempotency::KeyHeader),
    request_body = RollbackBody,
    responses(
        (status = 201, body = BaselineBody),
        (status = 400, description = "No such version, or no reason; `errors` says which"),
        (status = 403, description = "The caller is no administrator"),
        (status = 404, description = "There is no such baseline"),
        (status = 409, description = "The version is in force, or its runs are not kept any more"),
        (status = 429, description = "Too many comparisons of the tenant wait"),
        (status = 503, description = "Too many comparisons are under way"),
    )
)]
pub(crate) async fn rollback(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<RollbackBody>,
) -> Result<(StatusCode, Json<BaselineBody>), Problem> {
    let name = BaselineName {
        tenant: caller.tenant.clone(),
        test: body.test,
        environment: body.environment.unwrap_or_else(|| LOCAL.to_owned()),
        scenario: body.scenario,
    };
    let put = roll_back(&app, &caller, name, body.version, &body.reason).await?;
    Ok((StatusCode::CREATED, Json(put.into())))
}
