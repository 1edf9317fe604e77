//! `GET /limits`.

use axum::Json;
use axum::extract::State;
use load_analysis::limits::Limit;
use serde::{Deserialize, Serialize};
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use crate::app::App;
use crate::conductor::blocking;
use crate::planner::LimitFile;
use crate::scenarios::Scenario;

/// Which limits.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct LimitsQuery {
    /// Those that runs of this script are held against, such as `tests/load.js`; all files when
    /// absent.
    test_script: Option<String>,
    /// In this scenario; Smoke when absent.
    scenario: Option<String>,
}

/// A file of limits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LimitFileBody {
    /// Its name, below the scripts directory.
    file: String,
    /// The limits in their order: `{metric, tags, stat, target, warning, unit, priority, window,
    /// better}`, values in k6's unit.
    #[schema(value_type = Vec<Object>)]
    limits: Vec<Limit>,
    /// Why runs with this file are refused, where it is not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl From<LimitFile> for LimitFileBody {
    fn from(file: LimitFile) -> Self {
        let (limits, problem) = match file.limits {
            Ok(limits) => (limits, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        Self {
            file: format!("limits/{}.toml", file.name),
            limits,
            problem,
        }
    }
}

/// What runs are held against beside their thresholds: every file of limits, or the one of a script
/// in a scenario. A generated script has none.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/limits",
    tag = "criteria",
    params(LimitsQuery),
    responses(
        (status = 200, body = Vec<LimitFileBody>),
        (status = 400, description = "There is no such script or scenario; `errors` names it"),
    )
)]
pub(crate) async fn limits(
    State(app): State<App>,
    ValidQuery(query): ValidQuery<LimitsQuery>,
) -> Result<Json<Vec<LimitFileBody>>, Problem> {
    let planner = app.conductor.planner().clone();
    let files = blocking(move || match &query.test_script {
        None => planner.limit_files(),
        Some(script) => {
            let scenario = query.scenario.as_deref().unwrap_or("Smoke");
            let scenario = Scenario::parse(scenario).ok_or_else(|| {
                Problem::invalid_field("scenario", "must be the name of a scenario")
            })?;
            planner.limits_of(script, scenario)
        }
    });
    let files = files.await??.into_iter();
    Ok(Json(files.map(LimitFileBody::from).collect()))
}
