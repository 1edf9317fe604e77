//! What runs cost, by model. It outlives the runs: a run that is removed was paid all the same.

mod booking;
mod of_runs;

use jiff::Timestamp;
use load_analysis::dollars::Dollars;
use load_analysis::spend::{Amount, ReachedCap};
use rusqlite::{Row, params};
use tenancy::TenantId;

pub(crate) use self::booking::book;
use crate::database::{Operation, RunStore};
use crate::error::StoreError;
use crate::runs::timestamp;

/// The most groups of one listing, and the most runs that were stopped.
pub const MAX_SPEND_GROUPS: u32 = 500;

/// What the cost of runs is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendGroup {
    /// The name of the test.
    Test,
    /// The model; empty where only the load script counted.
    Model,
    /// Who started the run.
    User,
    /// The day in UTC on which the run began, as `2026-11-20`.
    Day,
}

/// Runs that began in this time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// The sum of a group, of one kind of dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendTotal {
    /// The group's value.
    pub key: String,
    /// Whether this is the simulated part of the group.
    pub simulated: bool,
    /// Runs with such calls.
    pub runs: u64,
    /// Their sum.
    pub amount: Amount,
}

/// What runs have cost on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeanCost {
    /// How many runs it is the mean of; at least one.
    pub runs: u64,
    /// Real dollars of one run, rounded up.
    pub real: Dollars,
    /// Simulated dollars of one run, rounded up.
    pub simulated: Dollars,
}

impl MeanCost {
    fn of(runs: u64, real: Dollars, simulated: Dollars) -> Option<Self> {
        let share = |sum: Dollars| {
            let count = i128::from(runs);
            Dollars::of_pico(sum.pico().saturating_add(count - 1) / count)
        };
        (runs > 0).then(|| Self {
            runs,
            real: share(real),
            simulated: share(simulated),
        })
    }
}

/// A run that was stopped because it reached its cap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetStop {
    /// Its id; the run itself may be removed.
    pub run: String,
    /// Its number.
    pub number: u64,
    /// The name of its test.
    pub test_name: String,
    /// Who started it.
    pub user: String,
    /// When it began.
    pub at: Timestamp,
    /// The cap and what was spent beyond it.
    pub reached: ReachedCap,
}

impl SpendGroup {
    /// All groups.
    pub const ALL: [Self; 4] = [Self::Test, Self::Model, Self::User, Self::Day];

    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Model => "model",
            Self::User => "user",
            Self::Day => "day",
        }
    }

    /// The group of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }

    const fn expression(self) -> &'static str {
        match self {
            Self::Test => "test_name",
            Self::Model => "model",
            Self::User => "user",
            Self::Day => "date(at_ms / 1000, 'unixepoch')",
        }
    }
}

impl RunStore {
    /// What a tenant's runs of a period cost, by group, at most [`MAX_SPEND_GROUPS`]: days in
    /// their order, the latest first, others by name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn spend(
        &self,
        tenant: &TenantId,
        period: Period,
        group: SpendGroup,
    ) -> Result<Vec<SpendTotal>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "spend"), move |connection| {
            let order = match group {
                SpendGroup::Day => "DESC",
                _ => "ASC",
            };
            let sql = format!(
                "SELECT {}, simulated, count(DISTINCT run), sum(calls), sum(unpriced_calls),
                        sum(input_tokens), sum(output_tokens),
                        sum(pico_usd >> 32), sum(pico_usd & 0xffffffff)
                 FROM spend JOIN spend_runs USING (tenant, run)
                 WHERE tenant = ?1 AND at_ms >= ?2 AND at_ms < ?3
                 GROUP BY 1, 2 ORDER BY 1 {order}, 2 LIMIT ?4",
                group.expression()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let (from, to) = period.milliseconds();
            let parameters = params![tenant.as_str(), from, to, MAX_SPEND_GROUPS];
            let totals = statement.query_map(parameters, total)?;
            Ok(totals.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The real dollars that a tenant's runs have cost since a time.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn spent_since(
        &self,
        tenant: &TenantId,
        from: Timestamp,
    ) -> Result<Dollars, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "spend"), move |connection| {
            let sql =
                "SELECT coalesce(sum(pico_usd >> 32), 0), coalesce(sum(pico_usd & 0xffffffff), 0)
                 FROM spend JOIN spend_runs USING (tenant, run)
                 WHERE tenant = ?1 AND at_ms >= ?2 AND simulated = 0";
            let parameters = params![tenant.as_str(), from.as_millisecond()];
            Ok(connection.query_row(sql, parameters, |row| halves(row, 0))?)
        })
        .await
    }

    /// What the latest finished runs with a trigger have cost on average, those without a call of
    /// a model included; `None` without such a run.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn mean_cost(
        &self,
        tenant: &TenantId,
        trigger: &str,
        most_runs: u32,
    ) -> Result<Option<MeanCost>, StoreError> {
        let (tenant, trigger) = (tenant.clone(), trigger.to_owned());
        self.read(Operation("find", "spend"), move |connection| {
            let sql = "SELECT count(DISTINCT latest.id),
                    coalesce(sum((pico_usd >> 32) * (simulated = 0)), 0),
                    coalesce(sum((pico_usd & 0xffffffff) * (simulated = 0)), 0),
                    coalesce(sum((pico_usd >> 32) * (simulated = 1)), 0),
                    coalesce(sum((pico_usd & 0xffffffff) * (simulated = 1)), 0)
                 FROM (SELECT tenant, id FROM runs
                       WHERE tenant = ?1 AND triggered_by = ?2
                         AND started_at_ms IS NOT NULL AND completed_at_ms IS NOT NULL
                       ORDER BY number DESC LIMIT ?3) AS latest
                 LEFT JOIN spend ON spend.tenant = latest.tenant AND spend.run = latest.id";
            let parameters = params![tenant.as_str(), trigger, most_runs];
            Ok(connection.query_row(sql, parameters, |row| {
                let (real, simulated) = (halves(row, 1)?, halves(row, 3)?);
                Ok(MeanCost::of(row.get(0)?, real, simulated))
            })?)
        })
        .await
    }

    /// The runs of a period that were stopped because they reached their cap, the latest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn budget_stops(
        &self,
        tenant: &TenantId,
        period: Period,
    ) -> Result<Vec<BudgetStop>, StoreError> {
        let tenant = tenant.clone();
        self.read(Operation("find", "spend"), move |connection| {
            let sql = "SELECT run, number, test_name, user, at_ms, stopped_for FROM spend_runs
                 WHERE tenant = ?1 AND at_ms >= ?2 AND at_ms < ?3 AND stopped_for IS NOT NULL
                 ORDER BY number DESC LIMIT ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let (from, to) = period.milliseconds();
            let parameters = params![tenant.as_str(), from, to, MAX_SPEND_GROUPS];
            let stops = statement.query_and_then(parameters, stop)?;
            stops.collect()
        })
        .await
    }
}

impl Period {
    fn milliseconds(self) -> (i64, i64) {
        let from = self.from.map_or(i64::MIN, Timestamp::as_millisecond);
        let to = self.to.map_or(i64::MAX, Timestamp::as_millisecond);
        (from, to)
    }
}

fn total(row: &Row<'_>) -> rusqlite::Result<SpendTotal> {
    Ok(SpendTotal {
        key: row.get(0)?,
        simulated: row.get(1)?,
        runs: row.get(2)?,
        amount: amount(row, 3)?,
    })
}

/// Calls, unpriced ones, tokens in and out, and both halves of the costs.
fn amount(row: &Row<'_>, first: usize) -> rusqlite::Result<Amount> {
    Ok(Amount {
        calls: Some(row.get(first)?),
        unpriced_calls: row.get(first + 1)?,
        input_tokens: row.get(first + 2)?,
        output_tokens: row.get(first + 3)?,
        cost: halves(row, first + 4)?,
    })
}

/// `SQLite`'s `sum()` stops at 64 bits: both halves of the costs are added up apart.
fn halves(row: &Row<'_>, first: usize) -> rusqlite::Result<Dollars> {
    let (high, low): (i64, i64) = (row.get(first)?, row.get(first + 1)?);
    Ok(Dollars::of_pico((i128::from(high) << 32) + i128::from(low)))
}

fn stop(row: &Row<'_>) -> Result<BudgetStop, StoreError> {
    let reached: String = row.get(5)?;
    Ok(BudgetStop {
        run: row.get(0)?,
        number: row.get(1)?,
        test_name: row.get(2)?,
        user: row.get(3)?,
        at: timestamp(row.get(4)?)?,
        reached: serde_json::from_str(&reached)
            .map_err(|error| StoreError::Corrupt(format!("a reached cap: {error}")))?,
    })
}
