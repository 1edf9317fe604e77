//! `POST /baselines`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidJson;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::body::BaselineBody;
use super::{Wish, establish as put_in_force};
use crate::app::App;
use crate::runs::compare::ids;

/// Which runs a baseline is made of.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EstablishBody {
    /// The name of the test; needed without `runs`.
    test: String,
    /// The target's name; that of the latest run when absent.
    environment: Option<String>,
    /// The scenario; that of the latest run when absent.
    scenario: Option<String>,
    /// Ids of 5 to 30 runs, oldest first; the latest five good ones when absent.
    runs: Option<Vec<String>>,
    /// Why the baseline in force is replaced by one that is not better.
    reason: Option<String>,
}

/// Establishes a baseline, or replaces the one in force: by itself only when the new runs are
/// better, else by hand with a reason.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/baselines",
    tag = "baselines",
    params(crate::idempotency::KeyHeader),
    request_body = EstablishBody,
    responses(
        (status = 201, body = BaselineBody),
        (status = 400, description = "The runs make no baseline; `errors` says why"),
        (status = 403, description = "By hand, and the caller is no administrator"),
        (status = 404, description = "No such run"),
        (status = 409, description = "The new runs are not better and no reason is given"),
        (status = 429, description = "Too many comparisons of the tenant wait"),
        (status = 503, description = "Too many comparisons are under way"),
    )
)]
pub(crate) async fn establish(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<EstablishBody>,
) -> Result<(StatusCode, Json<BaselineBody>), Problem> {
    if body.runs.is_none() && body.test.is_empty() {
        return Err(Problem::invalid_field("test", "must name a test"));
    }
    let runs = body.runs.as_ref();
    let runs = runs.map(|runs| ids("runs", runs.iter().map(String::as_str)));
    let wish = Wish {
        test: body.test,
        environment: body.environment,
        scenario: body.scenario,
        runs: runs.transpose()?,
        reason: body.reason,
    };
    let version = put_in_force(&app, &caller, wish).await?;
    Ok((StatusCode::CREATED, Json(version.into())))
}
