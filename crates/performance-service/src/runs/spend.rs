//! `GET /spend`.

pub(crate) mod month;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use load_analysis::dollars::Dollars;
use load_analysis::spend::Amount;
use performance_store::{BudgetStop, Period, SpendGroup, SpendTotal};
use serde::{Deserialize, Serialize};
use service_defaults::access::Caller;
use service_defaults::extract::ValidQuery;
use service_defaults::problem::Problem;
use tenancy::TenantId;
use utoipa::ToSchema;

use self::month::MonthBody;
use crate::app::App;
use crate::problems;

/// What is added up, and by what.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpendQuery {
    /// `test` (the default), `model`, `user` or `day`.
    pub(crate) by: Option<String>,
    /// Runs that began from this time on (RFC 3339), or from the beginning of this day in UTC.
    pub(crate) from: Option<String>,
    /// Runs that began before it.
    pub(crate) to: Option<String>,
}

/// What the model calls of runs cost. Real and simulated dollars are never in one sum.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpendBody {
    /// What was asked for.
    #[serde(flatten)]
    period: PeriodBody,
    /// The present month, whatever was asked for.
    month: MonthBody,
}

/// The runs of a period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeriodBody {
    /// What the groups are.
    pub(crate) by: &'static str,
    /// The groups.
    pub(crate) groups: Vec<SpendGroupBody>,
    /// The sum of real dollars, `{"picoUsd", "usd"}`.
    #[schema(value_type = Object)]
    pub(crate) real: Dollars,
    /// The sum of simulated dollars.
    #[schema(value_type = Object)]
    pub(crate) simulated: Dollars,
    /// Runs that were stopped because they reached their cap.
    pub(crate) stopped: Vec<BudgetStopBody>,
}

/// A group, of one kind of dollars.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpendGroupBody {
    /// Its name; empty where nobody knows it.
    pub(crate) key: String,
    /// Whether its dollars are simulated.
    pub(crate) simulated: bool,
    /// Runs with such calls.
    pub(crate) runs: u64,
    /// `calls`, `unpricedCalls`, `inputTokens`, `outputTokens`, `cost`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) amount: Amount,
}

/// A run that was stopped for its money.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BudgetStopBody {
    /// Its id; it may be removed.
    pub(crate) test_id: String,
    /// Its number.
    pub(crate) number: u64,
    /// The name of its test.
    pub(crate) test_name: String,
    /// Who started it.
    pub(crate) started_by: String,
    /// When it began.
    pub(crate) at: String,
    /// Whether simulated dollars reached the cap.
    pub(crate) simulated: bool,
    /// The cap.
    #[schema(value_type = Object)]
    pub(crate) allowed: Dollars,
    /// What was spent beyond it.
    #[schema(value_type = Object)]
    pub(crate) overshoot: Dollars,
}

/// Adds up what runs cost.
#[utoipa::path(
    get,
    path = "/api/v1/performancetest/spend",
    tag = "runs",
    params(SpendQuery),
    responses(
        (status = 200, body = SpendBody),
        (status = 400, description = "A parameter is invalid"),
    )
)]
pub(crate) async fn spend(
    State(app): State<App>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<SpendQuery>,
) -> Result<Json<SpendBody>, Problem> {
    let group = query
        .by
        .as_deref()
        .map_or(Some(SpendGroup::Test), SpendGroup::parse);
    let group = group.ok_or_else(|| {
        let words = SpendGroup::ALL.map(SpendGroup::as_str).join(", ");
        Problem::invalid_field("by", format!("must be one of {words}"))
    })?;
    let period = query.period()?;
    Ok(Json(SpendBody {
        period: of_period(&app, &caller.tenant, period, group).await?,
        month: month::of_tenant(&app, &caller.tenant).await?,
    }))
}

/// What the runs of a period cost.
pub(crate) async fn of_period(
    app: &App,
    tenant: &TenantId,
    period: Period,
    group: SpendGroup,
) -> Result<PeriodBody, Problem> {
    let totals = app.store.spend(tenant, period, group).await;
    let totals = totals.map_err(problems::from_store)?;
    let stops = app.store.budget_stops(tenant, period).await;
    let sum = |simulated| {
        let of_kind = totals.iter().filter(|total| total.simulated == simulated);
        let costs = of_kind.map(|total| total.amount.cost);
        costs.fold(Dollars::ZERO, |sum, cost| sum + cost)
    };
    Ok(PeriodBody {
        by: group.as_str(),
        real: sum(false),
        simulated: sum(true),
        groups: totals.into_iter().map(SpendGroupBody::from).collect(),
        stopped: stops
            .map_err(problems::from_store)?
            .into_iter()
            .map(BudgetStopBody::from)
            .collect(),
    })
}

impl SpendQuery {
    /// The time that is asked for.
    ///
    /// # Errors
    /// 400 for what is no time, and for a period that ends before it begins.
    pub(crate) fn period(&self) -> Result<Period, Problem> {
        let from = moment("from", self.from.as_deref())?;
        let to = moment("to", self.to.as_deref())?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::invalid_field("to", "must be after from"));
        }
        Ok(Period { from, to })
    }
}

/// A time, or the beginning of a day in UTC; empty fields of forms are absent.
fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let day = || {
        let day: Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let moment = text.parse().ok().or_else(day);
    let wrong = || {
        let reason = "must be an RFC 3339 time, or a date for its beginning in UTC";
        Problem::invalid_field(field, reason)
    };
    moment.ok_or_else(wrong).map(Some)
}

impl From<SpendTotal> for SpendGroupBody {
    fn from(total: SpendTotal) -> Self {
        Self {
            key: total.key,
            simulated: total.simulated,
            runs: total.runs,
            amount: total.amount,
        }
    }
}

impl From<BudgetStop> for BudgetStopBody {
    fn from(stop: BudgetStop) -> Self {
        Self {
            test_id: stop.run,
            number: stop.number,
            test_name: stop.test_name,
            started_by: stop.user,
            at: stop.at.to_string(),
            simulated: stop.reached.simulated,
            allowed: stop.reached.allowed,
            overshoot: stop.reached.overshoot,
        }
    }
}
