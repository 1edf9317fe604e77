//! The ledger, page by page from `GET /api/v1/llm/ledger`.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::books::{Attempt, Row, Tokens};
use crate::caller::Caller;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    attempts: Vec<Member>,
    total_pages: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    call_id: String,
    attempt: u32,
    at: String,
    total_ms: f64,
    test_id: Option<String>,
    trace_id: Option<String>,
    provider: String,
    model: String,
    service_tier: String,
    outcome: String,
    error_type: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write5m_tokens: u64,
    cache_write1h_tokens: u64,
    reasoning_tokens: u64,
    usage_source: String,
    cost_pico_usd: Option<i64>,
}

/// Every row of the tenant, oldest first.
pub(super) async fn read(caller: &Caller) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut number) = (Vec::new(), 1);
    loop {
        let path = format!("/api/v1/llm/ledger?pageSize=1000&page={number}");
        let page: Page = serde_json::from_value(caller.read(&path).await?)?;
        for member in page.attempts {
            rows.push(member.into_row()?);
        }
        if number >= page.total_pages {
            rows.reverse();
            return Ok(rows);
        }
        number += 1;
    }
}

/// How many rows there are.
pub(super) async fn count(caller: &Caller) -> anyhow::Result<u64> {
    let page = caller.read("/api/v1/llm/ledger?pageSize=1").await?;
    page["totalCount"].as_u64().context("a count")
}

impl Member {
    fn into_row(self) -> anyhow::Result<Row> {
        let began: Timestamp = self.at.parse()?;
        Ok(Row {
            test_id: self.test_id.context("a row without a test id")?,
            trace_id: self.trace_id.context("a row without a trace")?,
            began,
            ended: began + SignedDuration::try_from_secs_f64(self.total_ms / 1e3)?,
            attempt: Attempt {
                provider: telemetry_name(&self.provider).to_owned(),
                model: self.model,
                service_tier: self.service_tier,
                number: self.attempt,
                outcome: self.outcome,
                error: self.error_type.unwrap_or_default(),
                tokens: Tokens {
                    input: self.input_tokens,
                    cache_read: self.cache_read_tokens,
                    cache_write: self.cache_write5m_tokens + self.cache_write1h_tokens,
                    output: self.output_tokens,
                    reasoning: self.reasoning_tokens,
                },
                estimated: self.usage_source == "estimated",
                cost: self.cost_pico_usd,
            },
            call_id: self.call_id,
        })
    }
}

/// The ledger has the names of the settings.
fn telemetry_name(provider: &str) -> &str {
    match provider {
        "claude" => "anthropic",
        "bedrock" => "aws.bedrock",
        other => other,
    }
}
