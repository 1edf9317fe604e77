//! `/api/v1/llm/budgets`.

use axum::{Json, extract::State};
use llm::{AccountsError, BudgetLimits, RateLimit};
use money::{PicoUsd, parse_decimal};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_defaults::{
    access::Caller,
    extract::{ValidJson, ValidPath},
    problem::Problem,
};
use tenancy::{Role, TenantId};
use utoipa::ToSchema;

use super::read_provider;
use crate::{app::AppState, openapi::ProblemDocument, problems::ledger_problem};

/// Decimals of a dollar in a pico-dollar.
const USD_SCALE: u32 = 12;

/// Most rates of a tenant: one for each provider and one for the others.
const MAX_RATES: usize = llm::ProviderName::ALL.len() + 1;

/// The limits of a tenant; what is left out or null is not limited. Each holds for real and for
/// simulated money apart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BudgetBody {
    /// Dollars from midnight to midnight UTC, as a number or as text.
    #[schema(value_type = Option<f64>)]
    day_usd: Option<Box<RawValue>>,
    /// Dollars from the first of a month to the first of the next, UTC.
    #[schema(value_type = Option<f64>)]
    month_usd: Option<Box<RawValue>>,
    #[serde(default)]
    rates: Vec<RateBody>,
}

/// How fast a provider may be asked.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RateBody {
    /// Which one; without it each that has no rate of its own.
    provider: Option<String>,
    requests_per_minute: Option<u64>,
    /// Read and written ones.
    tokens_per_minute: Option<u64>,
}

/// The limits of a tenant, and what is left of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BudgetReply {
    tenant: String,
    /// Dollars, exactly; null is without limit.
    day_usd: Option<String>,
    month_usd: Option<String>,
    rates: Vec<RateBody>,
    real: StandingReply,
    simulated: StandingReply,
}

/// What is spent, in dollars, exactly.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StandingReply {
    spent_today_usd: String,
    spent_this_month_usd: String,
    /// For attempts under way.
    reserved_usd: String,
    /// Null without a limit; below zero after an overshoot.
    left_today_usd: Option<String>,
    left_this_month_usd: Option<String>,
}

/// The budgets of all tenants that have limits.
#[derive(Serialize, ToSchema)]
pub(super) struct BudgetList {
    budgets: Vec<BudgetReply>,
}

/// Lists the tenants that have limits; for administrators.
#[utoipa::path(get, path = "/api/v1/llm/budgets", tag = "costs", responses(
    (status = 200, body = BudgetList),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn list_budgets(State(app): State<AppState>) -> Result<Json<BudgetList>, Problem> {
    let mut budgets = Vec::new();
    for (tenant, limits) in app.budgets.all() {
        budgets.push(reply(&app, &tenant, &limits).await?);
    }
    budgets.sort_by(|one, other| one.tenant.cmp(&other.tenant));
    Ok(Json(BudgetList { budgets }))
}

/// Gets the limits of a tenant and what it has spent; another one's are for administrators.
#[utoipa::path(get, path = "/api/v1/llm/budgets/{tenant}", tag = "costs",
    params(("tenant" = String, Path)), responses(
    (status = 200, body = BudgetReply),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn get_budget(
    State(app): State<AppState>,
    Caller(caller): Caller,
    ValidPath(tenant): ValidPath<String>,
) -> Result<Json<BudgetReply>, Problem> {
    let tenant = read_tenant(&tenant)?;
    if tenant != caller.tenant && caller.role < Role::Admin {
        let detail = "the budget of another tenant needs the role admin";
        return Err(Problem::forbidden(detail).with_kind("role-needed"));
    }
    let limits = app.budgets.limits(&tenant).unwrap_or_default();
    Ok(Json(reply(&app, &tenant, &limits).await?))
}

/// Sets the limits of a tenant; `{}` takes them away; for administrators.
#[utoipa::path(put, path = "/api/v1/llm/budgets/{tenant}", tag = "costs", request_body = BudgetBody,
    params(("tenant" = String, Path)), responses(
    (status = 200, body = BudgetReply),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 409, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn put_budget(
    State(app): State<AppState>,
    ValidPath(tenant): ValidPath<String>,
    ValidJson(body): ValidJson<BudgetBody>,
) -> Result<Json<BudgetReply>, Problem> {
    let tenant = read_tenant(&tenant)?;
    let limits = body.limits()?;
    let set = app.budgets.set(&tenant, limits.clone()).await;
    if !set.map_err(ledger_problem)? {
        let most = llm::MAX_BUDGETS;
        return Err(Problem::conflict(format!(
            "{most} tenants have budgets already"
        )));
    }
    Ok(Json(reply(&app, &tenant, &limits).await?))
}

impl BudgetBody {
    fn limits(self) -> Result<BudgetLimits, Problem> {
        if self.rates.len() > MAX_RATES {
            let reason = format!("must be at most {MAX_RATES}");
            return Err(Problem::invalid_field("rates", reason));
        }
        let rates = self.rates.iter().enumerate().map(|(index, rate)| {
            let field = format!("rates[{index}].provider");
            let provider = rate.provider.as_deref();
            Ok(RateLimit {
                provider: provider
                    .map(|text| read_provider(&field, text))
                    .transpose()?,
                requests_per_minute: rate.requests_per_minute,
                tokens_per_minute: rate.tokens_per_minute,
            })
        });
        let limits = BudgetLimits {
            day: amount("dayUsd", self.day_usd.as_deref())?,
            month: amount("monthUsd", self.month_usd.as_deref())?,
            rates: rates.collect::<Result<_, Problem>>()?,
        };
        let checked = limits.check();
        checked.map_err(|error| Problem::invalid_field(error.field, error.reason))?;
        Ok(limits)
    }
}

/// Reads dollars exactly, from a JSON number or a text.
fn amount(field: &str, value: Option<&RawValue>) -> Result<Option<PicoUsd>, Problem> {
    let text = match value.map(RawValue::get) {
        None | Some("null") => return Ok(None),
        Some(text) => text.trim_matches('"'),
    };
    let wrong = |reason: String| Problem::invalid_field(field, reason);
    let pico = parse_decimal(text, USD_SCALE).map_err(|error| wrong(error.to_string()))?;
    let pico = i64::try_from(pico).map_err(|_| wrong("is out of range".to_owned()))?;
    Ok(Some(PicoUsd::new(pico)))
}

fn read_tenant(text: &str) -> Result<TenantId, Problem> {
    TenantId::parse(text).map_err(|error| Problem::invalid_field("tenant", error.to_string()))
}

async fn reply(
    app: &AppState,
    tenant: &TenantId,
    limits: &BudgetLimits,
) -> Result<BudgetReply, Problem> {
    let rate = |rate: &RateLimit| RateBody {
        provider: rate.provider.map(|provider| provider.as_str().to_owned()),
        requests_per_minute: rate.requests_per_minute,
        tokens_per_minute: rate.tokens_per_minute,
    };
    Ok(BudgetReply {
        tenant: tenant.as_str().to_owned(),
        day_usd: limits.day.map(|amount| amount.to_string()),
        month_usd: limits.month.map(|amount| amount.to_string()),
        rates: limits.rates.iter().map(rate).collect(),
        real: standing(app, tenant, limits, false).await?,
        simulated: standing(app, tenant, limits, true).await?,
    })
}

async fn standing(
    app: &AppState,
    tenant: &TenantId,
    limits: &BudgetLimits,
    simulated: bool,
) -> Result<StandingReply, Problem> {
    let standing = app.budgets.standing(tenant, simulated).await;
    let standing = standing.map_err(accounts_problem)?;
    let left = |limit: Option<PicoUsd>, spent: PicoUsd| {
        let limit = limit?.get();
        let left = limit.saturating_sub(spent.get());
        let left = left.saturating_sub(standing.reserved.get());
        Some(PicoUsd::new(left).to_string())
    };
    Ok(StandingReply {
        spent_today_usd: standing.day_spent.to_string(),
        spent_this_month_usd: standing.month_spent.to_string(),
        reserved_usd: standing.reserved.to_string(),
        left_today_usd: left(limits.day, standing.day_spent),
        left_this_month_usd: left(limits.month, standing.month_spent),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn accounts_problem(error: AccountsError) -> Problem {
    tracing::warn!("the budgets' accounts are unavailable: {error}");
    Problem::unavailable(
        "what is spent is not known for now",
        std::time::Duration::from_secs(1),
    )
    .with_kind("budget-unavailable")
}
