//! Rows as documents.

use std::{str::FromStr, time::Duration};

use jiff::Timestamp;
use money::PicoUsd;
use mongodb::bson::{Bson, DateTime, Document, doc};
use tenancy::TenantId;

use super::super::{CostParts, LedgerError, LedgerFilter, LedgerRow, Outcome};
use crate::{LatencySplit, ProviderName, Usage};

/// The document of a row; what a row lacks is null, so that all documents have the same fields.
pub(in crate::ledger) fn of_row(row: &LedgerRow) -> Document {
    let (usage, latency) = (&row.usage, &row.latency);
    let part =
        |part: fn(&CostParts) -> PicoUsd| row.cost_parts.as_ref().map(|parts| part(parts).get());
    doc! {
        "_id": row.id.to_string(),
        "callId": row.call_id.to_string(),
        "attempt": i64::from(row.attempt),
        "at": date(row.at),
        "tenant": row.tenant.as_str(),
        "testId": row.test_id.as_deref(),
        "feature": &*row.feature,
        "variant": row.variant.as_deref(),
        "promptVersion": row.prompt_version.as_deref(),
        "provider": row.provider.as_str(),
        "model": &row.model,
        "regionClass": &row.region_class,
        "serviceTier": &row.service_tier,
        "outcome": row.outcome.as_str(),
        "errorType": row.error_type.as_deref(),
        "streamed": row.streamed,
        "inputTokens": integer(usage.input_tokens),
        "outputTokens": integer(usage.output_tokens),
        "cacheReadTokens": integer(usage.cache_read_tokens),
        "cacheWrite5mTokens": integer(usage.cache_write_5m_tokens),
        "cacheWrite1hTokens": integer(usage.cache_write_1h_tokens),
        "reasoningTokens": integer(usage.reasoning_tokens),
        "usageEstimated": usage.estimated,
        "priceVersion": &*row.price_version,
        "costPicoUsd": row.cost.map(PicoUsd::get),
        "costInput": part(|parts| parts.input),
        "costCacheRead": part(|parts| parts.cache_read),
        "costCacheWrite": part(|parts| parts.cache_write),
        "costOutput": part(|parts| parts.output),
        "simulated": row.simulated,
        "traceId": row.trace_id.as_deref(),
        "queueUs": microseconds(latency.queue),
        "connectUs": latency.connect.map(microseconds),
        "firstTokenUs": latency.time_to_first_token.map(microseconds),
        "decodeUs": latency.decode.map(microseconds),
        "totalUs": microseconds(latency.total),
    }
}

/// The condition that a filter is.
pub(super) fn of_filter(filter: &LedgerFilter) -> Document {
    let mut condition = Document::new();
    for (field, value) in [
        ("tenant", filter.tenant.as_ref().map(ToString::to_string)),
        ("callId", filter.call_id.map(|id| id.to_string())),
        ("testId", filter.test_id.clone()),
        ("feature", filter.feature.clone()),
        ("variant", filter.variant.clone()),
        ("provider", filter.provider.map(|name| name.to_string())),
        ("model", filter.model.clone()),
        ("outcome", filter.outcome.map(|outcome| outcome.to_string())),
    ] {
        if let Some(value) = value {
            condition.insert(field, value);
        }
    }
    if let Some(simulated) = filter.simulated {
        condition.insert("simulated", simulated);
    }
    let mut period = Document::new();
    if let Some(from) = filter.from {
        period.insert("$gte", date(from));
    }
    if let Some(to) = filter.to {
        period.insert("$lt", date(to));
    }
    if !period.is_empty() {
        condition.insert("at", period);
    }
    condition
}

/// The row of a document.
pub(in crate::ledger) fn to_row(document: &Document) -> Result<LedgerRow, LedgerError> {
    let fields = Fields(document);
    let at = document.get_datetime("at").ok();
    let at = at.and_then(|at| Timestamp::from_millisecond(at.timestamp_millis()).ok());
    let tenant = TenantId::parse(fields.text("tenant")?).map_err(|_| corrupt("tenant"))?;
    Ok(LedgerRow {
        id: fields.parsed("_id")?,
        call_id: fields.parsed("callId")?,
        attempt: u32::try_from(fields.count("attempt")?).map_err(|_| corrupt("attempt"))?,
        at: at.ok_or_else(|| corrupt("at"))?,
        tenant,
        test_id: fields.optional_text("testId"),
        feature: fields.text("feature")?.to_owned().into(),
        variant: fields.optional_text("variant"),
        prompt_version: fields.optional_text("promptVersion"),
        provider: fields.parsed::<ProviderName>("provider")?,
        model: fields.text("model")?.to_owned(),
        region_class: fields.text("regionClass")?.to_owned(),
        service_tier: fields.text("serviceTier")?.to_owned(),
        outcome: fields.parsed::<Outcome>("outcome")?,
        error_type: fields.optional_text("errorType").map(Into::into),
        streamed: fields.flag("streamed")?,
        usage: fields.usage()?,
        price_version: fields.text("priceVersion")?.into(),
        cost: fields.money("costPicoUsd"),
        cost_parts: fields.parts(),
        simulated: fields.flag("simulated")?,
        trace_id: fields.optional_text("traceId"),
        latency: LatencySplit {
            queue: fields.time("queueUs").unwrap_or_default(),
            connect: fields.time("connectUs"),
            time_to_first_token: fields.time("firstTokenUs"),
            decode: fields.time("decodeUs"),
            total: fields.time("totalUs").unwrap_or_default(),
        },
    })
}

/// Reads one document's fields; what fails was written by others.
struct Fields<'a>(&'a Document);

impl<'a> Fields<'a> {
    fn text(&self, name: &str) -> Result<&'a str, LedgerError> {
        self.0.get_str(name).map_err(|_| corrupt(name))
    }

    fn optional_text(&self, name: &str) -> Option<String> {
        self.0.get_str(name).ok().map(str::to_owned)
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Result<T, LedgerError> {
        self.text(name)?.parse().map_err(|_| corrupt(name))
    }

    fn flag(&self, name: &str) -> Result<bool, LedgerError> {
        self.0.get_bool(name).map_err(|_| corrupt(name))
    }

    fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Bson::Int64(number) => Some(*number),
            Bson::Int32(number) => Some((*number).into()),
            _ => None,
        }
    }

    fn count(&self, name: &str) -> Result<u64, LedgerError> {
        let number = self.number(name).and_then(|number| number.try_into().ok());
        number.ok_or_else(|| corrupt(name))
    }

    fn usage(&self) -> Result<Usage, LedgerError> {
        Ok(Usage {
            input_tokens: self.count("inputTokens")?,
            output_tokens: self.count("outputTokens")?,
            cache_read_tokens: self.count("cacheReadTokens")?,
            cache_write_5m_tokens: self.count("cacheWrite5mTokens")?,
            cache_write_1h_tokens: self.count("cacheWrite1hTokens")?,
            reasoning_tokens: self.count("reasoningTokens")?,
            estimated: self.flag("usageEstimated")?,
        })
    }

    fn money(&self, name: &str) -> Option<PicoUsd> {
        self.number(name).map(PicoUsd::new)
    }

    fn parts(&self) -> Option<CostParts> {
        Some(CostParts {
            input: self.money("costInput")?,
            cache_read: self.money("costCacheRead")?,
            cache_write: self.money("costCacheWrite")?,
            output: self.money("costOutput")?,
        })
    }

    fn time(&self, name: &str) -> Option<Duration> {
        let microseconds = u64::try_from(self.number(name)?).ok()?;
        Some(Duration::from_micros(microseconds))
    }
}

fn corrupt(field: &str) -> LedgerError {
    LedgerError::Corrupt(field.to_owned())
}

fn date(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn integer(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
