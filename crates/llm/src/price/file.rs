//! Reading and checking `prices.toml`.

use std::collections::{BTreeMap, HashMap};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use money::{PicoUsd, parse_decimal};
use serde::Deserialize;

use super::Price;
use crate::ProviderName;

/// Decimals of a price per million tokens that a pico-dollar per token can hold:
/// 10⁻⁶ USD / 10⁶ tokens = 10⁻¹² USD.
const PRICE_SCALE: u32 = 6;

type Prices = HashMap<ProviderName, HashMap<String, Vec<Price>>>;

/// What is wrong with a price catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not TOML, an unknown or a missing key.
    #[error("the price catalogue is not readable: {0}")]
    Unreadable(String),
    /// A value that cannot be.
    #[error("price of '{model}': {reason}")]
    Invalid {
        /// The row's `match`.
        model: String,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    price: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    provider: String,
    r#match: String,
    #[serde(default)]
    region_class: String,
    #[serde(default = "standard")]
    service_tier: String,
    effective_from: Option<String>,
    effective_to: Option<String>,
    #[serde(default)]
    context_over: u64,
    input: String,
    cache_read: Option<String>,
    cache_write_5m: Option<String>,
    cache_write_1h: Option<String>,
    output: String,
    source: String,
    checked_on: String,
    disputed: Option<String>,
}

fn standard() -> String {
    "standard".to_owned()
}

/// The checked prices, and the latest day of a check.
pub(super) fn read(text: &str) -> Result<(Prices, String), PriceError> {
    let file: File =
        toml::from_str(text).map_err(|error| PriceError::Unreadable(error.to_string()))?;
    let mut prices = Prices::new();
    let mut checked_on = Date::MIN;
    for row in &file.price {
        let (provider, price) = row.read()?;
        checked_on = checked_on.max(row.date(&row.checked_on)?);
        let models = prices.entry(provider).or_default();
        models.entry(row.r#match.clone()).or_default().push(price);
    }
    for (model, rows) in prices.values().flatten() {
        check_periods(rows).map_err(|reason| PriceError::Invalid {
            model: model.clone(),
            reason,
        })?;
    }
    Ok((prices, checked_on.to_string()))
}

impl Row {
    fn read(&self) -> Result<(ProviderName, Price), PriceError> {
        let provider: ProviderName = self
            .provider
            .parse()
            .map_err(|error| self.invalid(format!("provider '{}' {error}", self.provider)))?;
        if self.r#match.is_empty() || self.source.is_empty() {
            return Err(self.invalid("match and source must not be empty".to_owned()));
        }
        if self.disputed.as_deref() == Some("") {
            return Err(self.invalid("disputed must say what is disputed".to_owned()));
        }
        let effective_from = self.midnight(self.effective_from.as_deref())?;
        let effective_to = self.midnight(self.effective_to.as_deref())?;
        if let (Some(from), Some(to)) = (effective_from, effective_to)
            && from >= to
        {
            return Err(self.invalid("the period ends before it begins".to_owned()));
        }
        let price = Price {
            region_class: self.region_class.clone(),
            service_tier: self.service_tier.clone(),
            effective_from,
            effective_to,
            context_over: self.context_over,
            input: self.per_token(&self.input)?,
            cache_read: self.optional(self.cache_read.as_deref())?,
            cache_write_5m: self.optional(self.cache_write_5m.as_deref())?,
            cache_write_1h: self.optional(self.cache_write_1h.as_deref())?,
            output: self.per_token(&self.output)?,
        };
        Ok((provider, price))
    }

    fn optional(&self, text: Option<&str>) -> Result<Option<PicoUsd>, PriceError> {
        text.map(|text| self.per_token(text)).transpose()
    }

    /// Dollars per million tokens to pico-dollars per token.
    fn per_token(&self, text: &str) -> Result<PicoUsd, PriceError> {
        let scaled = parse_decimal(text, PRICE_SCALE)
            .map_err(|error| self.invalid(format!("'{text}' {error}")))?;
        if scaled < 0 {
            return Err(self.invalid(format!("'{text}' is negative")));
        }
        i64::try_from(scaled)
            .map(PicoUsd::new)
            .map_err(|_| self.invalid(format!("'{text}' is too large")))
    }

    fn midnight(&self, text: Option<&str>) -> Result<Option<Timestamp>, PriceError> {
        let Some(text) = text else { return Ok(None) };
        let date = self.date(text)?;
        date.to_zoned(TimeZone::UTC)
            .map(|zoned| Some(zoned.timestamp()))
            .map_err(|error| self.invalid(format!("'{text}': {error}")))
    }

    fn date(&self, text: &str) -> Result<Date, PriceError> {
        text.parse()
            .map_err(|_| self.invalid(format!("'{text}' is no date")))
    }

    fn invalid(&self, reason: String) -> PriceError {
        PriceError::Invalid {
            model: self.r#match.clone(),
            reason,
        }
    }
}

/// At any time at most one row of each region, service and context tier holds, without a hole
/// between the first and the last, and no context tier stands without its base.
fn check_periods(rows: &[Price]) -> Result<(), String> {
    let mut tiers: BTreeMap<(&str, &str, u64), Vec<&Price>> = BTreeMap::new();
    for row in rows {
        let tier = (
            row.region_class.as_str(),
            row.service_tier.as_str(),
            row.context_over,
        );
        tiers.entry(tier).or_default().push(row);
    }
    for (&(region, service, context_over), periods) in &mut tiers.clone() {
        let base = tiers.get(&(region, service, 0));
        let Some(base) = base else {
            return Err(format!("the tier above {context_over} tokens has no base"));
        };
        periods.sort_by_key(|row| row.effective_from);
        for pair in periods.windows(2) {
            check_neighbours(pair[0], pair[1])?;
        }
        let covered = base.iter().map(|row| row.effective_from).min()
            <= periods.iter().map(|row| row.effective_from).min();
        if !covered {
            return Err(format!(
                "the tier above {context_over} tokens begins before its base"
            ));
        }
    }
    Ok(())
}

fn check_neighbours(earlier: &Price, later: &Price) -> Result<(), String> {
    match (earlier.effective_to, later.effective_from) {
        (Some(end), Some(begin)) if end == begin => Ok(()),
        (Some(end), Some(begin)) if end < begin => Err(format!("no price from {end} to {begin}")),
        (_, begin) => {
            let begin = begin.map_or("the beginning".to_owned(), |begin| begin.to_string());
            Err(format!("two prices hold from {begin} on"))
        }
    }
}
