//! `POST /api/v1/llm/recost`.

use std::sync::Arc;

use axum::{Json, extract::State};
use llm::{LedgerGroup, PriceCatalogue, PriceError, PriceRow, Recost, RecostTotal, is_model_name};
use money::format_usd;
use serde::{Deserialize, Serialize};
use service_defaults::{access::Caller, extract::ValidJson, problem::Problem};
use utoipa::ToSchema;

use super::{catch_up, filter::AttemptFilter, own_tenant, read_group, read_provider, read_time};
use crate::{app::AppState, openapi::ProblemDocument, problems::ledger_problem};

/// Most prices of one request: three times the built-in list.
const MAX_PRICES: usize = 1_000;

/// Longest region class or service tier.
const MAX_WORD: usize = 40;

/// Which attempts, and the other terms; without any, the prices that are in force now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RecostBody {
    /// Which attempts; without it all of the tenant.
    #[serde(default)]
    filter: AttemptFilter,
    /// What the sums are made by; model is the default.
    by: Option<String>,
    /// Who would have been paid.
    provider: Option<String>,
    /// The model; its tokens are taken to be as many as they were.
    model: Option<String>,
    /// Where it would have run, such as eu.
    region_class: Option<String>,
    /// The class of service, such as batch.
    service_tier: Option<String>,
    /// The moment whose prices hold; without it each attempt is priced at its own time.
    at: Option<String>,
    /// Prices that replace those of the models that they name, in the form of a line of the price
    /// file: provider, match, input, output, source, `checked_on` …
    #[schema(value_type = Option<Vec<Object>>)]
    prices: Option<Vec<PriceRow>>,
}

/// What past traffic would have cost. Real and simulated money are never in one sum.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecostReply {
    by: &'static str,
    /// Of the prices that were used.
    price_version: String,
    groups: Vec<RecostGroup>,
    totals: RecostTotals,
}

/// The sums of a group.
#[derive(Serialize, ToSchema)]
struct RecostGroup {
    key: String,
    /// Whether this is the simulated part of the group.
    simulated: bool,
    #[serde(flatten)]
    sum: RecostSum,
}

/// The sums of all groups.
#[derive(Default, Serialize, ToSchema)]
struct RecostTotals {
    real: RecostSum,
    simulated: RecostSum,
}

/// Two sums of attempts. Money is in units of 10⁻¹² USD, and in dollars, exactly.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecostSum {
    attempts: u64,
    /// Attempts that had no price.
    unpriced_before: u64,
    /// Attempts that have no price by the other terms.
    unpriced_after: u64,
    /// What was booked.
    #[schema(value_type = i64)]
    booked_pico_usd: i128,
    booked_usd: String,
    /// What it would have cost.
    #[schema(value_type = i64)]
    recosted_pico_usd: i128,
    recosted_usd: String,
    /// Attempts with both prices.
    compared_attempts: u64,
    /// Of those: what they would have cost less what was booked.
    #[schema(value_type = i64)]
    difference_pico_usd: i128,
    difference_usd: String,
}

/// Prices past model calls at other prices, or as calls of another model, exactly.
#[utoipa::path(post, path = "/api/v1/llm/recost", tag = "costs", request_body = RecostBody, responses(
    (status = 200, body = RecostReply),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 413, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 415, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn recost(
    State(app): State<AppState>,
    Caller(caller): Caller,
    ValidJson(mut body): ValidJson<RecostBody>,
) -> Result<Json<RecostReply>, Problem> {
    let group = body
        .by
        .as_deref()
        .map_or(Ok(LedgerGroup::Model), read_group)?;
    let terms = body.terms(app.prices.current())?;
    let filter = body.filter.read(own_tenant(&caller, group))?;
    let price_version = terms.catalogue.version().to_string();
    catch_up(&app).await;
    let groups = app.ledger.recost(&filter, group, terms).await;
    let groups = groups.map_err(ledger_problem)?;
    Ok(Json(RecostReply {
        by: group.as_str(),
        price_version,
        totals: RecostTotals {
            real: RecostSum::of(groups.iter().filter(|total| !total.simulated)),
            simulated: RecostSum::of(groups.iter().filter(|total| total.simulated)),
        },
        groups: groups.into_iter().map(RecostGroup::from).collect(),
    }))
}

impl RecostBody {
    fn terms(&mut self, catalogue: Arc<PriceCatalogue>) -> Result<Recost, Problem> {
        let provider = self.provider.as_deref();
        let provider = provider
            .map(|text| read_provider("provider", text))
            .transpose()?;
        let at = self
            .at
            .as_deref()
            .map(|text| read_time("at", text))
            .transpose()?;
        let catalogue = match self.prices.take() {
            None => catalogue,
            Some(prices) if prices.len() > MAX_PRICES => {
                let reason = format!("must be at most {MAX_PRICES}");
                return Err(Problem::invalid_field("prices", reason));
            }
            Some(prices) if prices.is_empty() => {
                return Err(Problem::invalid_field("prices", "must not be empty"));
            }
            Some(prices) => Arc::new(catalogue.with_rows(&prices).map_err(wrong_price)?),
        };
        let terms = Recost {
            provider,
            model: self.model.take(),
            region_class: word("regionClass", self.region_class.take())?,
            service_tier: word("serviceTier", self.service_tier.take())?,
            at,
            catalogue,
        };
        if let Some(model) = &terms.model {
            let known = is_model_name(model) && terms.catalogue.names(terms.provider, model);
            if !known {
                return Err(Problem::invalid_field(
                    "model",
                    "must be a model with a known price",
                ));
            }
        }
        Ok(terms)
    }
}

fn wrong_price(error: PriceError) -> Problem {
    match error {
        PriceError::Unreadable(reason) => Problem::invalid_field("prices", reason),
        PriceError::Invalid { place, reason, .. } => Problem::invalid_field(place, reason),
    }
}

fn word(field: &str, word: Option<String>) -> Result<Option<String>, Problem> {
    match word {
        Some(word) if word.len() > MAX_WORD => {
            let reason = format!("must have at most {MAX_WORD} bytes");
            Err(Problem::invalid_field(field, reason))
        }
        word => Ok(word),
    }
}

impl RecostSum {
    fn of<'a>(totals: impl Iterator<Item = &'a RecostTotal>) -> Self {
        let mut sum = Self::default();
        for total in totals {
            sum.attempts += total.attempts;
            sum.unpriced_before += total.unpriced_before;
            sum.unpriced_after += total.unpriced_after;
            sum.booked_pico_usd += total.booked;
            sum.recosted_pico_usd += total.recosted;
            sum.compared_attempts += total.compared;
            sum.difference_pico_usd += total.difference;
        }
        sum.booked_usd = format_usd(sum.booked_pico_usd);
        sum.recosted_usd = format_usd(sum.recosted_pico_usd);
        sum.difference_usd = format_usd(sum.difference_pico_usd);
        sum
    }
}

impl From<RecostTotal> for RecostGroup {
    fn from(total: RecostTotal) -> Self {
        Self {
            sum: RecostSum::of(std::iter::once(&total)),
            key: total.key,
            simulated: total.simulated,
        }
    }
}
