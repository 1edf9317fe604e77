//! `POST /forecast`.

use axum::Json;
use axum::extract::State;
use load_analysis::dollars::Dollars;
use load_analysis::forecast::{BoundForecast, Forecast, ForecastLine, against};
use serde::Serialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidJson;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::request::StartBody;
use crate::app::App;
use crate::conductor::Expected;

/// What a run would take. Each figure is `{"range": {"low", "expected", "high"}, "basis"}`; the
/// range is null where nothing is known, and the basis says why.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForecastBody {
    /// Earlier runs that it rests on, load, tokens, dollars, and the load generator's CPU.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) forecast: Forecast,
    /// The same in words, line by line.
    #[schema(value_type = Vec<Object>)]
    pub(crate) lines: Vec<ForecastLine>,
    /// Real dollars after which the run is stopped.
    #[schema(value_type = Option<Object>)]
    pub(crate) max_real: Option<Dollars>,
    /// Simulated dollars after which the run is stopped; absent without such a cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) max_simulated: Option<Dollars>,
    /// What is left of the tenant's real dollars of today.
    #[schema(value_type = Object)]
    pub(crate) left_today: Dollars,
    /// What `confirmDollars` of a start must be, at least; absent where none is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm_dollars: Option<String>,
    /// What the limits of the test and the thresholds of the request will say, as far as earlier
    /// runs tell.
    #[schema(value_type = Vec<Object>)]
    pub(crate) bounds: Vec<BoundForecast>,
    /// The highest rate that the target has held in a passed run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<HeldBody>,
}

/// A rate that a target has held.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeldBody {
    /// Requests per second.
    pub(crate) rate: f64,
    /// The number of the run.
    pub(crate) run: u64,
}

impl From<Expected> for ForecastBody {
    fn from(expected: Expected) -> Self {
        let held = |(run, rate)| HeldBody { rate, run };
        Self {
            lines: against(&expected.forecast, None),
            forecast: expected.forecast,
            max_real: expected.budget.cap.real,
            max_simulated: expected.budget.cap.simulated,
            left_today: expected.left_today,
            confirm_dollars: expected.to_confirm.map(Dollars::decimal),
            bounds: expected.bounds,
            held: expected.held.map(held),
        }
    }
}

/// Says what a run would take, and starts nothing. What a start is refused for, this is, too.
#[utoipa::path(
    post,
    path = "/api/v1/performancetest/forecast",
    tag = "runs",
    request_body = StartBody,
    responses(
        (status = 200, description = "The script's plan, times what earlier runs of it took", body = ForecastBody),
        (status = 400, description = "A field is invalid, or k6 refuses the script"),
        (status = 403, description = "The target is not listed, or the script asks for too much"),
        (status = 429, description = "A start would exceed a limit"),
        (status = 503, description = "k6 is not installed, or too many forecasts are under way"),
    )
)]
pub(crate) async fn forecast(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidJson(body): ValidJson<StartBody>,
) -> Result<Json<ForecastBody>, Problem> {
    let expected = app.conductor.forecast(&caller, body).await?;
    Ok(Json(expected.into()))
}
