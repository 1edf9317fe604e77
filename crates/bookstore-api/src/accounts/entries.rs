//! `GET /api/v1/llm/ledger`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use llm::{LedgerPage, LedgerRow, MAX_PAGE_ROWS};
use money::PicoUsd;
use serde::{Deserialize, Serialize};
use service_defaults::{access::Tenant, extract::ValidQuery, problem::Problem};
use utoipa::{IntoParams, ToSchema};

use super::{catch_up, csv, filter::AttemptFilter};
use crate::{app::AppState, openapi::ProblemDocument, problems::ledger_problem};

/// Rows of a page of which no size is asked.
const DEFAULT_PAGE_ROWS: u32 = 100;

/// The last page; with it the rows to be passed over can be counted.
const MAX_PAGE: u32 = 1_000_000;

/// Which attempts, which part of them, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct LedgerQuery {
    provider: Option<String>,
    model: Option<String>,
    /// Only of this load test.
    test_id: Option<String>,
    /// Only for this purpose, such as summary.
    feature: Option<String>,
    /// Only of this variant of an experiment.
    variant: Option<String>,
    /// succeeded, failed, partial or cancelled.
    outcome: Option<String>,
    /// Only of this call.
    call_id: Option<String>,
    /// Only of real (false) or of simulated providers (true).
    simulated: Option<bool>,
    /// Only from this time on, or from the beginning of this day in UTC.
    from: Option<String>,
    /// Only before this time, or before this day in UTC.
    to: Option<String>,
    /// Page, from 1.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    page: Option<String>,
    /// Rows on a page; more than 1,000 are served as 1,000.
    #[param(value_type = Option<u32>, minimum = 1)]
    page_size: Option<String>,
    /// json or csv; without it the Accept header decides.
    format: Option<String>,
}

/// One page of attempts, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LedgerReply {
    attempts: Vec<AttemptReply>,
    total_count: u64,
    page: u32,
    page_size: u32,
    total_pages: u64,
}

/// One attempt of a model call. Money is in units of 10⁻¹² USD.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttemptReply {
    /// The same for all attempts of one call.
    call_id: String,
    /// 1 for the first.
    attempt: u32,
    at: String,
    tenant: String,
    test_id: Option<String>,
    feature: String,
    variant: Option<String>,
    provider: &'static str,
    model: String,
    /// Empty, or the geography that the call was kept in.
    region_class: String,
    service_tier: String,
    prompt_version: Option<String>,
    /// succeeded, failed, partial or cancelled.
    outcome: &'static str,
    error_type: Option<String>,
    streamed: bool,
    /// Cached ones included.
    input_tokens: u64,
    /// Reasoning included.
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write5m_tokens: u64,
    cache_write1h_tokens: u64,
    reasoning_tokens: u64,
    /// provider or estimated.
    usage_source: &'static str,
    price_version: String,
    input_pico_usd: Option<i64>,
    cache_read_pico_usd: Option<i64>,
    cache_write_pico_usd: Option<i64>,
    output_pico_usd: Option<i64>,
    /// Null when no price is known.
    cost_pico_usd: Option<i64>,
    /// The same in dollars, exactly.
    cost_usd: Option<String>,
    simulated: bool,
    trace_id: Option<String>,
    queue_ms: f64,
    connect_ms: Option<f64>,
    time_to_first_token_ms: Option<f64>,
    decode_ms: Option<f64>,
    total_ms: f64,
}

/// Lists the attempts of model calls, newest first, as JSON or CSV.
#[utoipa::path(get, path = "/api/v1/llm/ledger", tag = "costs", params(LedgerQuery), responses(
    (status = 200, content((LedgerReply = "application/json"), (String = "text/csv"))),
    (status = 400, body = ProblemDocument, content_type = "application/problem+json"),
    (status = 503, body = ProblemDocument, content_type = "application/problem+json")
))]
pub(super) async fn ledger(
    State(app): State<AppState>,
    Tenant(tenant): Tenant,
    ValidQuery(query): ValidQuery<LedgerQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let as_csv = wants_csv(query.format.as_deref(), &headers)?;
    let page = positive("page", query.page.as_deref(), 1)?;
    if page > MAX_PAGE {
        return Err(Problem::invalid_field(
            "page",
            format!("must be at most {MAX_PAGE}"),
        ));
    }
    let size = positive("pageSize", query.page_size.as_deref(), DEFAULT_PAGE_ROWS)?;
    let size = size.min(MAX_PAGE_ROWS);
    let filter = query.filter().read(Some(tenant))?;
    catch_up(&app).await;
    let part = LedgerPage {
        offset: (page - 1) * size,
        limit: size,
    };
    let rows = app.ledger.rows(filter.clone(), part).await;
    let rows = rows.map_err(ledger_problem)?;
    let attempts: Vec<AttemptReply> = rows.into_iter().map(AttemptReply::new).collect();
    let mut response = if as_csv {
        csv::response(&attempts)
    } else {
        let total_count = app.ledger.count(&filter).await.map_err(ledger_problem)?;
        Json(LedgerReply {
            attempts,
            total_count,
            page,
            page_size: size,
            total_pages: total_count.div_ceil(size.into()),
        })
        .into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

impl LedgerQuery {
    fn filter(self) -> AttemptFilter {
        AttemptFilter {
            provider: self.provider,
            model: self.model,
            test_id: self.test_id,
            feature: self.feature,
            variant: self.variant,
            outcome: self.outcome,
            call_id: self.call_id,
            simulated: self.simulated,
            from: self.from,
            to: self.to,
        }
    }
}

fn positive(field: &str, text: Option<&str>, default: u32) -> Result<u32, Problem> {
    match text {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Problem::invalid_field(field, "must be a whole number from 1 on")),
    }
}

/// Whether CSV is asked for: by name, else by what stands first among the accepted types.
fn wants_csv(format: Option<&str>, headers: &HeaderMap) -> Result<bool, Problem> {
    match format {
        Some("csv") => return Ok(true),
        Some("json") => return Ok(false),
        Some(_) => return Err(Problem::invalid_field("format", "must be json or csv")),
        None => {}
    }
    let accepted = headers.get_all(header::ACCEPT).iter();
    let types = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(str::trim);
    let known = |range: &&str| matches!(*range, "text/csv" | "application/json" | "*/*");
    let first = types.into_iter().find(known);
    Ok(first == Some("text/csv"))
}

impl AttemptReply {
    fn new(row: LedgerRow) -> Self {
        let parts = row.cost_parts.as_ref();
        let (usage, latency) = (row.usage, row.latency);
        Self {
            call_id: row.call_id.to_string(),
            attempt: row.attempt,
            at: row.at.to_string(),
            tenant: row.tenant.as_str().to_owned(),
            test_id: row.test_id,
            feature: row.feature.into_owned(),
            variant: row.variant,
            provider: row.provider.as_str(),
            model: row.model,
            region_class: row.region_class,
            service_tier: row.service_tier,
            prompt_version: row.prompt_version,
            outcome: row.outcome.as_str(),
            error_type: row.error_type.map(Into::into),
            streamed: row.streamed,
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_tokens: usage.cache_read_tokens,
            cache_write5m_tokens: usage.cache_write_5m_tokens,
            cache_write1h_tokens: usage.cache_write_1h_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            usage_source: if usage.estimated {
                "estimated"
            } else {
                "provider"
            },
            price_version: row.price_version.to_string(),
            input_pico_usd: parts.map(|parts| parts.input.get()),
            cache_read_pico_usd: parts.map(|parts| parts.cache_read.get()),
            cache_write_pico_usd: parts.map(|parts| parts.cache_write.get()),
            output_pico_usd: parts.map(|parts| parts.output.get()),
            cost_pico_usd: row.cost.map(PicoUsd::get),
            cost_usd: row.cost.map(|cost| cost.to_string()),
            simulated: row.simulated,
            trace_id: row.trace_id,
            queue_ms: milliseconds(latency.queue),
            connect_ms: latency.connect.map(milliseconds),
            time_to_first_token_ms: latency.time_to_first_token.map(milliseconds),
            decode_ms: latency.decode.map(milliseconds),
            total_ms: milliseconds(latency.total),
        }
    }
}

/// With the three decimals that the ledger keeps.
fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
