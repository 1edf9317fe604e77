//! The simulator's invoice, from `GET /control/invoice`.

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::books::{Line, Tokens};

/// As many lines as the simulator keeps.
const LINES: usize = 50_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    number: u64,
    test_id: Option<String>,
    model: String,
    service_tier: String,
    outcome: String,
    fault: Option<String>,
    input_tokens: u64,
    cache_read_tokens: u64,
    cache_write_5m_tokens: u64,
    cache_write_1h_tokens: u64,
    output_tokens: u64,
    reasoning_tokens: u64,
    tokens_in_last_250_ms: u64,
    arrived_at: String,
    duration_ms: f64,
    #[serde(default)]
    sent_last: Vec<Sent>,
    charge: Option<Charge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    at_ms: i64,
    tokens: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Charge {
    input: i64,
    cache_read: i64,
    cache_write_5m: i64,
    cache_write_1h: i64,
    output: i64,
}

/// Every line, in the order of arrival.
pub(super) async fn read(base: &str) -> anyhow::Result<Vec<Line>> {
    let invoice = get(&format!("{base}/control/invoice?limit={LINES}")).await?;
    ensure!(invoice["forgottenCalls"] == 0, "the journal was too short");
    ensure!(invoice["unit"] == "pico-USD", "{}", invoice["unit"]);
    let members: Vec<Member> = serde_json::from_value(invoice["lines"].clone())?;
    let mut lines = members
        .into_iter()
        .map(Member::into_line)
        .collect::<anyhow::Result<Vec<_>>>()?;
    lines.sort_by_key(|line| line.number);
    Ok(lines)
}

/// How many calls have ended.
pub(super) async fn count(base: &str) -> anyhow::Result<u64> {
    let meter = get(&format!("{base}/control/meter")).await?;
    meter["total"]["calls"].as_u64().context("a count")
}

async fn get(url: &str) -> anyhow::Result<Value> {
    let reply = test_support::http::client()?.get(url).send().await?;
    Ok(reply.error_for_status()?.json().await?)
}

impl Member {
    fn into_line(self) -> anyhow::Result<Line> {
        let arrived_at: Timestamp = self.arrived_at.parse()?;
        let lasted = SignedDuration::try_from_secs_f64(self.duration_ms / 1e3)?;
        Ok(Line {
            ended: arrived_at + lasted,
            number: self.number,
            test_id: self.test_id.context("a call without a test id")?,
            model: self.model,
            service_tier: self.service_tier,
            outcome: self.outcome,
            fault: self.fault.unwrap_or_default(),
            tokens: Tokens {
                input: self.input_tokens,
                cache_read: self.cache_read_tokens,
                cache_write: self.cache_write_5m_tokens + self.cache_write_1h_tokens,
                output: self.output_tokens,
                reasoning: self.reasoning_tokens,
            },
            cost: self.charge.map(|charge| {
                charge.input
                    + charge.cache_read
                    + charge.cache_write_5m
                    + charge.cache_write_1h
                    + charge.output
            }),
            unseen: self.tokens_in_last_250_ms,
            sent: self
                .sent_last
                .iter()
                .map(|sent| {
                    let after = SignedDuration::from_millis(sent.at_ms);
                    (arrived_at + after, sent.tokens)
                })
                .collect(),
        })
    }
}
