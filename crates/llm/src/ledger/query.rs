//! Reading the ledger.

use std::collections::HashMap;

use jiff::Timestamp;
use money::PicoUsd;
use rusqlite::{Row, params};
use tenancy::TenantId;

use super::{LedgerError, LedgerRow, store::LedgerStore};
use crate::{ProviderName, Usage};

/// Most rows of one page.
const MAX_PAGE_ROWS: u32 = 1000;

/// Which rows are wanted; `None` is any. The tenant is always one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Whose rows.
    pub tenant: TenantId,
    /// Only of this load test.
    pub test_id: Option<String>,
    /// Only of this provider.
    pub provider: Option<ProviderName>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only from this time on.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

/// A part of a long answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerPage {
    /// Rows to leave out at the beginning.
    pub offset: u32,
    /// Most rows to give, at most 1,000.
    pub limit: u32,
}

/// What rows are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerGroup {
    /// The provider.
    Provider,
    /// The model.
    Model,
    /// The day, in UTC, as `2026-11-20`.
    Day,
    /// What the answers were for.
    Feature,
    /// The load test; empty for calls outside of one.
    Test,
}

/// The sum of a group. Real and simulated money are never in one sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTotal {
    /// The group's value.
    pub key: String,
    /// Whether this is the simulated part of the group.
    pub simulated: bool,
    /// Attempts.
    pub attempts: u64,
    /// Attempts without a price; `cost` leaves them out.
    pub unpriced: u64,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Units of 10⁻¹² USD.
    pub cost: i128,
}

impl LedgerFilter {
    /// Every row of a tenant.
    #[must_use]
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            test_id: None,
            provider: None,
            model: None,
            from: None,
            to: None,
        }
    }
}

impl LedgerGroup {
    const fn expression(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Day => "strftime('%Y-%m-%d', at_ms / 1000, 'unixepoch')",
            Self::Feature => "feature",
            Self::Test => "coalesce(test_id, '')",
        }
    }
}

const MATCHES: &str = "
    tenant = ?1 AND (?2 IS NULL OR test_id = ?2) AND (?3 IS NULL OR provider = ?3)
    AND (?4 IS NULL OR model = ?4) AND (?5 IS NULL OR at_ms >= ?5) AND (?6 IS NULL OR at_ms < ?6)";

impl LedgerStore {
    pub(super) fn rows(
        &self,
        filter: &LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerRow>, LedgerError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(&format!(
            "SELECT * FROM attempts WHERE {MATCHES} ORDER BY at_ms DESC, id DESC
             LIMIT ?7 OFFSET ?8"
        ))?;
        let rows = select.query_and_then(
            params![
                filter.tenant.as_str(),
                filter.test_id,
                filter.provider.map(ProviderName::as_str),
                filter.model,
                filter.from.map(Timestamp::as_millisecond),
                filter.to.map(Timestamp::as_millisecond),
                page.limit.min(MAX_PAGE_ROWS),
                page.offset,
            ],
            read_row,
        )?;
        rows.collect()
    }

    pub(super) fn totals(
        &self,
        filter: &LedgerFilter,
        group: LedgerGroup,
    ) -> Result<Vec<LedgerTotal>, LedgerError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(&format!(
            "SELECT {}, simulated, input_tokens, output_tokens, cost_pico_usd
             FROM attempts WHERE {MATCHES} ORDER BY id",
            group.expression()
        ))?;
        let mut rows = select.query(params![
            filter.tenant.as_str(),
            filter.test_id,
            filter.provider.map(ProviderName::as_str),
            filter.model,
            filter.from.map(Timestamp::as_millisecond),
            filter.to.map(Timestamp::as_millisecond),
        ])?;
        // SQLite's sum() stops at 64 bits, so the adding is done here.
        let mut totals: HashMap<(String, bool), LedgerTotal> = HashMap::new();
        while let Some(row) = rows.next()? {
            let key: (String, bool) = (row.get(0)?, row.get(1)?);
            let total = totals
                .entry(key)
                .or_insert_with_key(|(key, simulated)| LedgerTotal {
                    key: key.clone(),
                    simulated: *simulated,
                    attempts: 0,
                    unpriced: 0,
                    input_tokens: 0,
                    output_tokens: 0,
                    cost: 0,
                });
            total.attempts += 1;
            total.input_tokens += tokens(row, "input_tokens")?;
            total.output_tokens += tokens(row, "output_tokens")?;
            match row.get::<_, Option<i64>>("cost_pico_usd")? {
                Some(cost) => total.cost += i128::from(cost),
                None => total.unpriced += 1,
            }
        }
        let mut totals: Vec<LedgerTotal> = totals.into_values().collect();
        totals.sort_by(|one, other| (&one.key, one.simulated).cmp(&(&other.key, other.simulated)));
        Ok(totals)
    }
}

fn read_row(row: &Row<'_>) -> Result<LedgerRow, LedgerError> {
    let corrupt = |what: &str| LedgerError::Corrupt(what.to_owned());
    let text = |name: &str| row.get::<_, String>(name);
    Ok(LedgerRow {
        call_id: text("call_id")?.parse().map_err(|_| corrupt("call id"))?,
        attempt: row.get("attempt")?,
        at: Timestamp::from_millisecond(row.get("at_ms")?).map_err(|_| corrupt("time"))?,
        tenant: TenantId::parse(&text("tenant")?).map_err(|_| corrupt("tenant"))?,
        test_id: row.get("test_id")?,
        feature: text("feature")?.into(),
        provider: text("provider")?.parse().map_err(|_| corrupt("provider"))?,
        model: row.get("model")?,
        outcome: text("outcome")?.parse().map_err(|_| corrupt("outcome"))?,
        error_type: row.get::<_, Option<String>>("error_type")?.map(Into::into),
        streamed: row.get("streamed")?,
        usage: Usage {
            input_tokens: tokens(row, "input_tokens")?,
            output_tokens: tokens(row, "output_tokens")?,
            cache_read_tokens: tokens(row, "cache_read_tokens")?,
            cache_write_5m_tokens: tokens(row, "cache_write_5m_tokens")?,
            cache_write_1h_tokens: tokens(row, "cache_write_1h_tokens")?,
            reasoning_tokens: tokens(row, "reasoning_tokens")?,
            estimated: row.get("usage_estimated")?,
        },
        price_version: text("price_version")?.into(),
        cost: row
            .get::<_, Option<i64>>("cost_pico_usd")?
            .map(PicoUsd::new),
        simulated: row.get("simulated")?,
        trace_id: row.get("trace_id")?,
    })
}

fn tokens(row: &Row<'_>, name: &str) -> Result<u64, LedgerError> {
    u64::try_from(row.get::<_, i64>(name)?)
        .map_err(|_| LedgerError::Corrupt(format!("negative {name}")))
}
