//! What a run will take, by k6's word on its plan and the runs before it.

use std::time::Duration;

use load_analysis::dollars::Dollars;
use load_analysis::forecast::{
    BoundForecast, Forecast, Observation, Planned as PlannedLoad, bounds, forecast,
};
use load_analysis::results::Results;
use load_runner::plan::RunPlan;
use load_runner::runner::{Requirements, StartError};
use performance_store::{Alike, WithResults};
use service_defaults::problem::Problem;
use tenancy::TenantId;
use tokio::time::timeout;

use super::spending::Billing;
use super::{Shared, blocking};
use crate::money_limits::RunBudget;
use crate::planner::Planned;
use crate::runs::request::StartBody;
use crate::{comparing, problems, tenant_limits};

/// How long a forecast waits for its place.
const PLACE_DEADLINE: Duration = Duration::from_secs(10);

/// When a place is free again, most likely.
const PLACE_RETRY: Duration = Duration::from_secs(1);

/// Earlier runs that a forecast rests on, at most: older ones were of other code.
const MOST_RUNS: u32 = 20;

/// Runs that are looked through for them: those with another provider do not count.
const LOOKED_AT: u32 = 60;

/// Variables of a script that make it another test.
const DISTINGUISHING: [&str; 2] = ["PROVIDER", "MODEL"];

/// Its figure in the store: requests per second.
const RATE: &str = "http_reqs rate";

/// A forecast and what it is held against.
pub(crate) struct Expected {
    pub(crate) forecast: Forecast,
    /// What the run may spend.
    pub(crate) budget: RunBudget,
    /// What is left of the tenant's real dollars of today.
    pub(crate) left_today: Dollars,
    /// The real dollars that a start wants to have confirmed.
    pub(crate) to_confirm: Option<Dollars>,
    /// The highest rate of a passed run against the target, with the run's number.
    pub(crate) held: Option<(u64, f64)>,
    /// What its limits and the thresholds of the request will say.
    pub(crate) bounds: Vec<BoundForecast>,
}

impl Planned {
    /// Who counts the run's money, and what it may spend.
    pub(super) fn billing(&self) -> Billing {
        Billing {
            target: self.target.clone(),
            budget: self.budget,
        }
    }
}

impl Shared {
    /// Forecasts a plan. Nothing is started, and no file of it stays.
    pub(super) async fn forecast(
        &self,
        tenant: &TenantId,
        planned: &Planned,
        body: &StartBody,
    ) -> Result<Expected, Problem> {
        let place = timeout(PLACE_DEADLINE, self.forecasts.take(tenant)).await;
        let Ok(Some(_place)) = place else {
            let detail = "too many forecasts are under way";
            return Err(Problem::unavailable(detail, PLACE_RETRY));
        };
        let requirements = self.inspect(planned.plan.clone()).await?;
        let history = self.history(tenant, planned, body).await?;
        let observed: Vec<_> = history.iter().filter_map(Observation::of).collect();
        let forecast = forecast(
            PlannedLoad {
                execution: requirements.execution.as_ref(),
                longest_seconds: requirements.total_duration.as_secs_f64(),
                virtual_users: requirements.max_virtual_users,
            },
            &observed,
        );
        let left_today = self
            .left_today(tenant)
            .await
            .map_err(problems::from_store)?;
        let held = self.store.highest(tenant, &planned.target.name, RATE).await;
        let budget = planned.budget.within(left_today);
        Ok(Expected {
            to_confirm: to_confirm(&forecast, budget, self.planner.money.confirm),
            forecast,
            budget,
            left_today,
            held: held.map_err(problems::from_store)?,
            bounds: bounds(
                &planned.limits,
                &planned.plan.options.thresholds(),
                &history,
            ),
        })
    }

    /// The real dollars that a start wants to have confirmed whose forecast did not come in time:
    /// all that the run may spend, where one of its kind has spent any.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn to_confirm_unforecast(
        &self,
        tenant: &TenantId,
        planned: &Planned,
        body: &StartBody,
    ) -> Result<Option<Dollars>, Problem> {
        let history = self.history(tenant, planned, body).await?;
        let mut observed = history.iter().filter_map(Observation::of);
        let has_cost = observed.any(|run| run.real > 0.0);
        let most = planned.budget.cap.real.filter(|_| has_cost);
        Ok(most.filter(|most| *most > self.planner.money.confirm))
    }

    /// What is left of a tenant's real dollars of today.
    pub(super) async fn left_today(
        &self,
        tenant: &TenantId,
    ) -> Result<Dollars, performance_store::StoreError> {
        let begin = tenant_limits::midnight(self.store.clock().now());
        let spent = self.store.spent_since(tenant, begin).await?;
        let allowed = self.planner.tenant_limits.daily_dollars;
        Ok(allowed.saturating_sub(spent))
    }

    async fn inspect(&self, plan: RunPlan) -> Result<Requirements, Problem> {
        let directory = blocking(tempfile::tempdir).await?.map_err(|error| {
            tracing::error!("a forecast has no directory: {error}");
            Problem::internal()
        })?;
        let plan = RunPlan {
            directory: directory.path().join("plan"),
            ..plan
        };
        let requirements = self.generators.runner.inspect(&plan).await;
        requirements.map_err(|error| refused(&error))
    }

    /// What the runs of this kind measured.
    async fn history(
        &self,
        tenant: &TenantId,
        planned: &Planned,
        body: &StartBody,
    ) -> Result<Vec<Results>, Problem> {
        let alike = Alike {
            tenant: tenant.clone(),
            script: planned.script.clone(),
            environment: planned.target.name.clone(),
            scenario: planned.scenario.name().to_owned(),
        };
        let runs = self.store.alike(&alike, LOOKED_AT).await;
        let mut runs = runs.map_err(problems::from_store)?;
        let wanted = distinction(body);
        runs.retain(|stored| distinction_of(stored).as_ref() == Some(&wanted));
        runs.truncate(MOST_RUNS as usize);
        blocking(move || {
            let measured = comparing::measured(runs).into_iter();
            measured.map(|run| run.results).collect()
        })
        .await
    }
}

/// The variables that tell tests of one script apart, in lower case.
fn distinction(body: &StartBody) -> [String; DISTINGUISHING.len()] {
    DISTINGUISHING.map(|name| {
        let value = body.environment.get(name);
        value
            .map(|word| word.0.to_ascii_lowercase())
            .unwrap_or_default()
    })
}

fn distinction_of(stored: &WithResults) -> Option<[String; DISTINGUISHING.len()]> {
    let request: StartBody = serde_json::from_str(&stored.run.request).ok()?;
    Some(distinction(&request))
}

/// The most real dollars that a run may spend, where that is more than nobody has to confirm.
fn to_confirm(forecast: &Forecast, budget: RunBudget, unconfirmed: Dollars) -> Option<Dollars> {
    let high = forecast.real.range.as_ref()?.high;
    let most = budget.cap.real.map_or(high, |cap| cap.min(high));
    (most > unconfirmed).then_some(most)
}

/// Why k6 would not start.
fn refused(error: &StartError) -> Problem {
    match error {
        StartError::Inspect(_) | StartError::Unconfined(_) => {
            Problem::invalid_field("testScript", error.to_string())
        }
        StartError::TooLarge(_) => Problem::forbidden(error.to_string()).with_kind("tenant-limit"),
        StartError::Target { .. } => {
            Problem::invalid_field("environment.BASE_URL", error.to_string())
        }
        _ => Problem::unavailable(error.to_string(), PLACE_RETRY),
    }
}
