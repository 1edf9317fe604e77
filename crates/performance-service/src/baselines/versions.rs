//! `GET /baselines/versions`.

use axum::Json;
use axum::extract::State;
use performance_store::BaselineName;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::TenantId;

use super::body::BaselineBody;
use crate::app::App;
use crate::problems;

/// The target that is meant when none is named.
pub(crate) const LOCAL: &str = "local";

/// Which baseline.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichBaseline {
    /// The name of the test.
    test: String,
    /// The target's name, `local` when absent.
    environment: Option<String>,
    /// The scenario's name.
    scenario: String,
}

impl WhichBaseline {
    /// That of a tenant.
    pub(crate) fn of(self, tenant: TenantId) -> BaselineName {
        BaselineName {
            tenant,
            test: self.test,
            environment: self.environment.unwrap_or_else(|| LOCAL.to_owned()),
            scenario: self.scenario,
        }
    }
}

/// How a baseline changed, newest version first: who, when, why, and what that hid.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/baselines/versions",
    tag = "baselines",
    params(WhichBaseline),
    responses(
        (status = 200, body = Vec<BaselineBody>),
        (status = 404, description = "There is no such baseline"),
    )
)]
pub(crate) async fn versions(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<WhichBaseline>,
) -> Result<Json<Vec<BaselineBody>>, Problem> {
    let found = app.store.baseline_versions(&query.of(caller.tenant)).await;
    let found = found.map_err(problems::from_store)?;
    if found.is_empty() {
        return Err(Problem::not_found("there is no such baseline"));
    }
    Ok(Json(found.into_iter().map(BaselineBody::from).collect()))
}
