//! `GET /api/v1/llm/costs`.

use axum::{Json, extract::State};
use llm::{LedgerGroup, LedgerTotal};
use money::format_usd;
use serde::{Deserialize, Serialize};
use service_defaults::{access::Caller, extract::ValidQuery, problem::Problem};
use utoipa::{IntoParams, ToSchema};

use super::{catch_up, filter::AttemptFilter, own_tenant, read_group};
use crate::{app::AppState, openapi::ProblemDocument, problems::ledger_problem};

/// What is added up, and by what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct CostsQuery {
    /// provider (the default), model, tenant, day, feature, variant or test. By tenant, an
    /// administrator sees the costs of all tenants.
    by: Option<String>,
    /// Only of this load test.
    test_id: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    /// Only from this time on, or from the beginning of this day in UTC.
    from: Option<String>,
    /// Only before this time, or before this day in UTC.
    to: Option<String>,
}

/// What model calls cost. Real and simulated money are never in one sum.
#[derive(Serialize, ToSchema)]
pub(super) struct CostsReply {
    by: &'static str,
    groups: Vec<Group>,
    totals: Totals,
}

/// The sum of a group.
#[derive(Serialize, ToSchema)]
struct Group {
    key: String,
    /// Whether this is the simulated part of the group.
    simulated: bool,
    #[serde(flatten)]
    sum: Sum,
}

/// The sums of all groups.
#[derive(Default, Serialize, ToSchema)]
struct Totals {
    real: Sum,
    simulated: Sum,
}

/// A sum of attempts.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Sum {
    attempts: u64,
    /// Attempts without a known price; the cost leaves them out.
    unpriced_attempts: u64,
    /// Attempts whose tokens were estimated.
    estimated_attempts: u64,
    /// Cached ones included.
    input_tokens: u64,
    /// Reasoning included.
    output_tokens: u64,
    /// Units of 10⁻¹² USD.
    #[schema(value_type = i64)]
    cost_pico_usd: i128,
    /// The same in dollars, exactly.
    cost_usd: String,
}

/// Adds up what model calls cost.
#[utoipa::path(get, path = "/api/v1/llm/costs", tag = "costs", params(CostsQuery), responses(
    (status = 200, body = CostsReply),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn costs(
    State(app): State<AppState>,
    Caller(caller): Caller,
    ValidQuery(query): ValidQuery<CostsQuery>,
) -> Result<Json<CostsReply>, Problem> {
    let group = query
        .by
        .as_deref()
        .map_or(Ok(LedgerGroup::Provider), read_group)?;
    let filter = AttemptFilter {
        provider: query.provider,
        model: query.model,
        test_id: query.test_id,
        from: query.from,
        to: query.to,
        ..AttemptFilter::default()
    };
    let filter = filter.read(own_tenant(&caller, group))?;
    catch_up(&app).await;
    let groups = app.ledger.totals(filter, group).await;
    let groups = groups.map_err(ledger_problem)?;
    Ok(Json(CostsReply {
        by: group.as_str(),
        totals: Totals {
            real: Sum::of(groups.iter().filter(|total| !total.simulated)),
            simulated: Sum::of(groups.iter().filter(|total| total.simulated)),
        },
        groups: groups.into_iter().map(Group::from).collect(),
    }))
}

impl Sum {
    fn of<'a>(totals: impl Iterator<Item = &'a LedgerTotal>) -> Self {
        let mut sum = Self::default();
        for total in totals {
            sum.attempts += total.attempts;
            sum.unpriced_attempts += total.unpriced;
            sum.estimated_attempts += total.estimated;
            sum.input_tokens += total.input_tokens;
            sum.output_tokens += total.output_tokens;
            sum.cost_pico_usd += total.cost;
        }
        sum.cost_usd = format_usd(sum.cost_pico_usd);
        sum
    }
}

impl From<LedgerTotal> for Group {
    fn from(total: LedgerTotal) -> Self {
        Self {
            sum: Sum::of(std::iter::once(&total)),
            key: total.key,
            simulated: total.simulated,
        }
    }
}
