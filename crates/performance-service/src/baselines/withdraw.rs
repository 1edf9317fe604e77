//! `DELETE /baselines`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;

use super::body::BaselineBody;
use super::reverting::withdraw as take_out_of_force;
use super::versions::WhichBaseline;
use crate::app::App;

/// Why.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReasonQuery {
    /// Why nothing is in force from now on; 1 to 1,000 characters.
    #[serde(default)]
    reason: String,
}

/// Takes a baseline out of force. Its versions stay: they tell who withdrew it and why, and one of
/// them can be put in force again.
#[utoipa::path(
    delete,
    path = "/api/v1/performancetest/baselines",
    tag = "baselines",
    params(crate::idempotency::KeyHeader, WhichBaseline, ReasonQuery),
    responses(
        (status = 200, description = "The version that says so", body = BaselineBody),
        (status = 400, description = "A parameter is missing; `errors` names it"),
        (status = 403, description = "The caller is no administrator"),
        (status = 404, description = "None is in force"),
    )
)]
pub(crate) async fn withdraw(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(which): ValidQuery<WhichBaseline>,
    ValidQuery(why): ValidQuery<ReasonQuery>,
) -> Result<Json<BaselineBody>, Problem> {
    let name = which.of(caller.tenant.clone());
    let put = take_out_of_force(&app, &caller, name, &why.reason).await?;
    Ok(Json(put.into()))
}
