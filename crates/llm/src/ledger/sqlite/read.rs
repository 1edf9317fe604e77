//! Reading the file.

use std::time::Duration;

use jiff::Timestamp;
use money::PicoUsd;
use rusqlite::{Connection, Row, params_from_iter, types::Value};
use tenancy::TenantId;
use uuid::Uuid;

use super::super::{
    CostParts, LedgerError, LedgerFilter, LedgerGroup, LedgerPage, LedgerRow, LedgerTotal,
    query::MAX_PAGE_ROWS, store::Visitor,
};
use crate::{LatencySplit, ProviderName, Usage};

/// A condition on `attempts`, and the values of its parameters.
struct Condition {
    sql: String,
    values: Vec<Value>,
}

impl Condition {
    fn of(filter: &LedgerFilter) -> Self {
        let mut condition = Self {
            sql: "TRUE".to_owned(),
            values: Vec::new(),
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let time = |time: Timestamp| Value::Integer(time.as_millisecond());
        let tenant = filter.tenant.as_ref().map(TenantId::as_str);
        let call = filter.call_id.map(|id| id.to_string());
        for (test, value) in [
            ("tenant =", tenant.map(text)),
            ("call_id =", call.map(Value::Text)),
            ("test_id =", filter.test_id.as_deref().map(text)),
            ("feature =", filter.feature.as_deref().map(text)),
            ("variant =", filter.variant.as_deref().map(text)),
            (
                "provider =",
                filter.provider.map(|name| text(name.as_str())),
            ),
            ("model =", filter.model.as_deref().map(text)),
            (
                "outcome =",
                filter.outcome.map(|outcome| text(outcome.as_str())),
            ),
            (
                "simulated =",
                filter.simulated.map(|yes| Value::Integer(yes.into())),
            ),
            ("at_ms >=", filter.from.map(time)),
            ("at_ms <", filter.to.map(time)),
        ] {
            if let Some(value) = value {
                condition.values.push(value);
                let number = condition.values.len();
                condition.sql.push_str(&format!(" AND {test} ?{number}"));
            }
        }
        condition
    }
}

const fn expression(group: LedgerGroup) -> &'static str {
    match group {
        LedgerGroup::Provider => "provider",
        LedgerGroup::Model => "model",
        LedgerGroup::Tenant => "tenant",
        LedgerGroup::Day => "strftime('%Y-%m-%d', at_ms / 1000, 'unixepoch')",
        LedgerGroup::Feature => "feature",
        LedgerGroup::Variant => "coalesce(variant, '')",
        LedgerGroup::Test => "coalesce(test_id, '')",
    }
}

pub(super) fn rows(
    connection: &Connection,
    filter: &LedgerFilter,
    page: LedgerPage,
) -> Result<Vec<LedgerRow>, LedgerError> {
    let Condition { sql, values } = Condition::of(filter);
    let mut select = connection.prepare_cached(&format!(
        "SELECT * FROM attempts WHERE {sql} ORDER BY at_ms DESC, id DESC LIMIT {} OFFSET {}",
        page.limit.min(MAX_PAGE_ROWS),
        page.offset
    ))?;
    let rows = select.query_and_then(params_from_iter(values), read_row)?;
    rows.collect()
}

pub(super) fn count(connection: &Connection, filter: &LedgerFilter) -> Result<u64, LedgerError> {
    let Condition { sql, values } = Condition::of(filter);
    let mut select =
        connection.prepare_cached(&format!("SELECT count(*) FROM attempts WHERE {sql}"))?;
    Ok(select.query_row(params_from_iter(values), |row| row.get(0))?)
}

pub(super) fn visit(
    connection: &Connection,
    filter: &LedgerFilter,
    mut visitor: Visitor,
) -> Result<(), LedgerError> {
    let Condition { sql, values } = Condition::of(filter);
    let mut select = connection.prepare_cached(&format!("SELECT * FROM attempts WHERE {sql}"))?;
    for row in select.query_and_then(params_from_iter(values), read_row)? {
        visitor(&row?);
    }
    Ok(())
}

pub(super) fn totals(
    connection: &Connection,
    filter: &LedgerFilter,
    group: LedgerGroup,
) -> Result<Vec<LedgerTotal>, LedgerError> {
    let Condition { sql, values } = Condition::of(filter);
    // SQLite's sum() stops at 64 bits: both halves of the costs are added up apart.
    let mut select = connection.prepare_cached(&format!(
        "SELECT {} AS key, simulated, count(*) AS attempts, count(*) - count(cost_pico_usd) AS unpriced,
            sum(usage_estimated) AS estimated, sum(input_tokens) AS input_tokens,
            sum(output_tokens) AS output_tokens,
            coalesce(sum(cost_pico_usd >> 32), 0) AS cost_high,
            coalesce(sum(cost_pico_usd & 0xffffffff), 0) AS cost_low
         FROM attempts WHERE {sql} GROUP BY 1, 2 ORDER BY 1, 2",
        expression(group)
    ))?;
    let totals = select.query_and_then(params_from_iter(values), |row| {
        let (high, low): (i64, i64) = (row.get("cost_high")?, row.get("cost_low")?);
        Ok(LedgerTotal {
            key: row.get("key")?,
            simulated: row.get("simulated")?,
            attempts: tokens(row, "attempts")?,
            unpriced: tokens(row, "unpriced")?,
            estimated: tokens(row, "estimated")?,
            input_tokens: tokens(row, "input_tokens")?,
            output_tokens: tokens(row, "output_tokens")?,
            cost: (i128::from(high) << 32) + i128::from(low),
        })
    })?;
    totals.collect()
}

fn read_row(row: &Row<'_>) -> Result<LedgerRow, LedgerError> {
    let corrupt = |what: &str| LedgerError::Corrupt(what.to_owned());
    let text = |name: &str| row.get::<_, String>(name);
    let provider: ProviderName = text("provider")?.parse().map_err(|_| corrupt("provider"))?;
    Ok(LedgerRow {
        // Rows from before there was one have none.
        id: Uuid::parse_str(&text("row_id")?).unwrap_or_default(),
        call_id: text("call_id")?.parse().map_err(|_| corrupt("call id"))?,
        attempt: row.get("attempt")?,
        at: Timestamp::from_millisecond(row.get("at_ms")?).map_err(|_| corrupt("time"))?,
        tenant: TenantId::parse(&text("tenant")?).map_err(|_| corrupt("tenant"))?,
        test_id: row.get("test_id")?,
        feature: text("feature")?.into(),
        variant: row.get("variant")?,
        prompt_version: row.get("prompt_version")?,
        provider,
        model: row.get("model")?,
        region_class: row.get("region_class")?,
        service_tier: row.get("service_tier")?,
        outcome: text("outcome")?.parse().map_err(|_| corrupt("outcome"))?,
        error_type: row.get::<_, Option<String>>("error_type")?.map(Into::into),
        streamed: row.get("streamed")?,
        usage: read_usage(row)?,
        price_version: text("price_version")?.into(),
        cost: money(row, "cost_pico_usd")?,
        cost_parts: read_parts(row)?,
        simulated: row.get("simulated")?,
        trace_id: row.get("trace_id")?,
        latency: LatencySplit {
            queue: time(row, "queue_us")?.unwrap_or_default(),
            connect: time(row, "connect_us")?,
            time_to_first_token: time(row, "first_token_us")?,
            decode: time(row, "decode_us")?,
            total: time(row, "total_us")?.unwrap_or_default(),
        },
    })
}

fn read_usage(row: &Row<'_>) -> Result<Usage, LedgerError> {
    Ok(Usage {
        input_tokens: tokens(row, "input_tokens")?,
        output_tokens: tokens(row, "output_tokens")?,
        cache_read_tokens: tokens(row, "cache_read_tokens")?,
        cache_write_5m_tokens: tokens(row, "cache_write_5m_tokens")?,
        cache_write_1h_tokens: tokens(row, "cache_write_1h_tokens")?,
        reasoning_tokens: tokens(row, "reasoning_tokens")?,
        estimated: row.get("usage_estimated")?,
    })
}

fn read_parts(row: &Row<'_>) -> Result<Option<CostParts>, LedgerError> {
    let parts = (
        money(row, "cost_input")?,
        money(row, "cost_cache_read")?,
        money(row, "cost_cache_write")?,
        money(row, "cost_output")?,
    );
    Ok(match parts {
        (Some(input), Some(cache_read), Some(cache_write), Some(output)) => Some(CostParts {
            input,
            cache_read,
            cache_write,
            output,
        }),
        _ => None,
    })
}

fn money(row: &Row<'_>, name: &str) -> Result<Option<PicoUsd>, LedgerError> {
    Ok(row.get::<_, Option<i64>>(name)?.map(PicoUsd::new))
}

fn time(row: &Row<'_>, name: &str) -> Result<Option<Duration>, LedgerError> {
    let microseconds = row.get::<_, Option<u64>>(name)?;
    Ok(microseconds.map(Duration::from_micros))
}

fn tokens(row: &Row<'_>, name: &str) -> Result<u64, LedgerError> {
    u64::try_from(row.get::<_, i64>(name)?)
        .map_err(|_| LedgerError::Corrupt(format!("negative {name}")))
}
