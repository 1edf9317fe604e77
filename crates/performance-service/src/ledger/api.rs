//! The ledger of a BookStore API: `GET /api/v1/llm/costs`.

use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use load_analysis::dollars::Dollars;
use load_analysis::spend::{Amount, ModelSpend, Spend};
use reqwest::{Client, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use service_defaults::http_client;

use super::{BilledTarget, Ledger, LedgerError, LedgerSettings};

/// A sum over an index takes milliseconds; a target under load gets this much.
const DEADLINE: Duration = Duration::from_secs(2);

/// A group takes some 250 bytes; more than a thousand models are no answer.
const MOST_BYTES: usize = 256 * 1024;

/// Models of a run that are kept apart; tests call one to five.
const MOST_MODELS: usize = 50;

/// What the further ones are called together.
const OTHERS: &str = "others";

/// Asks targets over HTTP.
pub(crate) struct ApiLedger {
    client: Client,
    settings: LedgerSettings,
}

#[derive(Deserialize)]
struct Costs {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    key: String,
    simulated: bool,
    attempts: u64,
    unpriced_attempts: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: String,
}

impl ApiLedger {
    pub(crate) const fn new(client: Client, settings: LedgerSettings) -> Self {
        Self { client, settings }
    }

    async fn ask(&self, target: &BilledTarget, run: &str) -> Result<Response, LedgerError> {
        let listed = self.settings.addresses.named(&target.name);
        let base = listed.map_or(target.base_url.as_str(), |url| url.as_str());
        let base = base.trim_end_matches('/');
        // The id is hexadecimal.
        let address = format!("{base}/api/v1/llm/costs?by=model&testId={run}");
        let mut request = self.client.get(address).timeout(DEADLINE);
        if let Some(token) = self.settings.token.as_ref().filter(|_| listed.is_some()) {
            request = request.bearer_auth(token.expose_secret());
        }
        let request = request.build().map_err(|error| silent(&error))?;
        let reply = http_client::send(&self.client, request).await;
        reply.map_err(|error| silent(&error))
    }
}

#[async_trait]
impl Ledger for ApiLedger {
    async fn spend(&self, target: &BilledTarget, run: &str) -> Result<Spend, LedgerError> {
        let reply = self.ask(target, run).await?;
        match reply.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                return Err(LedgerError::Absent);
            }
            status => return Err(LedgerError::Silent(format!("it answers {status}"))),
        }
        let text = text(reply).await?;
        let costs: Costs = serde_json::from_slice(&text).map_err(|error| other(&text, &error))?;
        Ok(Spend::of_models(models(costs.groups)?))
    }
}

/// What an answer of another shape means. Some servers answer everything with a page; groups are
/// those of a ledger, whatever is wrong with them.
fn other(text: &[u8], error: &serde_json::Error) -> LedgerError {
    let answer: Option<Value> = serde_json::from_slice(text).ok();
    match answer.and_then(|it| it.get("groups").cloned()) {
        Some(_) => LedgerError::Silent(format!("its answer cannot be read: {error}")),
        None => LedgerError::Absent,
    }
}

async fn text(mut reply: Response) -> Result<Vec<u8>, LedgerError> {
    let mut text = Vec::new();
    while let Some(part) = reply.chunk().await.map_err(|error| silent(&error))? {
        text.extend_from_slice(&part);
        if text.len() > MOST_BYTES {
            let reason = format!("its answer has more than {MOST_BYTES} bytes");
            return Err(LedgerError::Silent(reason));
        }
    }
    Ok(text)
}

fn models(groups: Vec<Group>) -> Result<Vec<ModelSpend>, LedgerError> {
    let mut models: Vec<ModelSpend> = Vec::new();
    for group in groups {
        let simulated = group.simulated;
        let amount = amount(&group)?;
        let model = if models.len() < MOST_MODELS {
            group.key
        } else {
            OTHERS.to_owned()
        };
        let same = |part: &&mut ModelSpend| part.model == model && part.simulated == simulated;
        match models.iter_mut().find(same) {
            Some(part) => part.amount = part.amount.plus(amount),
            None => models.push(ModelSpend {
                model,
                simulated,
                amount,
            }),
        }
    }
    Ok(models)
}

fn amount(group: &Group) -> Result<Amount, LedgerError> {
    let cost: Dollars = group.cost_usd.parse().map_err(|error| {
        LedgerError::Silent(format!("it says {:?} dollars: {error}", group.cost_usd))
    })?;
    Ok(Amount {
        calls: Some(group.attempts),
        unpriced_calls: group.unpriced_attempts,
        input_tokens: group.input_tokens,
        output_tokens: group.output_tokens,
        cost,
    })
}

/// The innermost cause, without the address: it may be longer than what it says.
fn silent(error: &reqwest::Error) -> LedgerError {
    if error.is_timeout() {
        return LedgerError::Silent(format!("nothing within {} s", DEADLINE.as_secs()));
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    LedgerError::Silent(innermost.to_string())
}

#[cfg(test)]
mod tests;
