//! The dollars that a run is expected to spend: within those of the day, and confirmed by who asks.

use std::time::Duration;

use load_analysis::dollars::Dollars;
use load_analysis::forecast::Forecast;
use performance_store::RunAddress;
use service_defaults::problem::Problem;
use tokio::time::timeout;

use super::Shared;
use super::forecasting::Expected;
use crate::money_limits::dollars;
use crate::planner::Planned;
use crate::runs::request::StartBody;
use crate::{problems, tenant_limits};

/// How long a start waits for its forecast: k6 reads a script in 0.03 s, and one that takes longer
/// may hang for good. Then the run starts without, unless it is of a kind that costs real dollars.
const FORECAST_DEADLINE: Duration = Duration::from_secs(5);

impl Shared {
    /// What a run is expected to take, as far as that is known in time, its dollars confirmed.
    pub(super) async fn confirmed(
        &self,
        run: &RunAddress,
        planned: &Planned,
        body: &StartBody,
    ) -> Result<Option<Expected>, Problem> {
        let expected = self.forecast(&run.tenant, planned, body);
        match timeout(FORECAST_DEADLINE, expected).await {
            Ok(Ok(expected)) => {
                confirmed(expected.to_confirm, Some(&expected.forecast), body)?;
                Ok(Some(expected))
            }
            // A script that k6 refuses fails as a run, with its log.
            Ok(Err(refused)) if refused.status().is_client_error() => Ok(None),
            // Nobody knows what it will do. What others of its kind did is known.
            Ok(Err(_)) | Err(_) => {
                let most = self.to_confirm_unforecast(&run.tenant, planned, body);
                confirmed(most.await?, None, body)?;
                Ok(None)
            }
        }
    }

    /// Refuses a run whose tenant has spent its dollars of today, unless it is known to cost none.
    pub(super) async fn check_day(
        &self,
        run: &RunAddress,
        forecast: Option<&Forecast>,
    ) -> Result<(), Problem> {
        let allowed = self.planner.tenant_limits.daily_dollars;
        let begin = tenant_limits::midnight(self.store.clock().now());
        let spent = self.store.spent_since(&run.tenant, begin).await;
        let spent = spent.map_err(problems::from_store)?;
        let range = forecast.and_then(|forecast| forecast.real.range);
        let costs_nothing = range.is_some_and(|range| range.high.is_zero());
        if spent < allowed || costs_nothing {
            return Ok(());
        }
        Err(tenant_limits::dollars_used_up(spent, allowed))
    }
}

/// Whether somebody has confirmed the real dollars that a run may spend, by its forecast if there
/// is one.
fn confirmed(
    wanted: Option<Dollars>,
    forecast: Option<&Forecast>,
    body: &StartBody,
) -> Result<(), Problem> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let given = dollars("confirmDollars", body.confirm_dollars.as_ref())?;
    if given.is_some_and(|given| given >= wanted) {
        return Ok(());
    }
    let why = match forecast {
        Some(_) => "is expected to spend",
        None => {
            "was not forecast in time, and others of its kind have spent real money: it may spend"
        }
    };
    let detail = format!(
        "the run {why} up to {wanted} of real money: it needs \"confirmDollars\": {}",
        wanted.decimal()
    );
    let forecast = serde_json::to_value(forecast).unwrap_or_default();
    Err(Problem::conflict(detail)
        .with_kind("confirm-dollars")
        .with_extension("confirmDollars", wanted.decimal())
        .with_extension("forecast", forecast))
}
