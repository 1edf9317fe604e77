//! The price list's file.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::charge::{Charge, Consumption};
use crate::{dialect::Dialect, service_tier::ServiceTier};

/// Digits after the point of a price: one unit of the last is a pico-dollar for
/// a token.
const DECIMALS: usize = 6;
/// No list asks more than a million dollars for a million tokens.
const MAX_WHOLE_DIGITS: usize = 6;
/// In percent of the list price.
const LIST: u64 = 100;
/// No region and no class of service costs more than ten times as much.
const MAX_PERCENT: u64 = 1_000;

/// Why a list was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PriceTableError {
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    #[error("{name}: {reason}")]
    Entry { name: String, reason: &'static str },
    #[error("{0} has two prices at a time")]
    Overlap(String),
}

/// The file, read and checked.
pub(super) struct PriceTable {
    pub(super) as_of: String,
    pub(super) entries: Vec<(Dialect, String, Entry)>,
}

/// The prices of a model for a time.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    from: Timestamp,
    until: Timestamp,
    regional: u64,
    prices: Prices,
    above: Option<(u64, Prices)>,
    tiers: BTreeMap<ServiceTier, TierPrice>,
}

/// What another class of service than the usual one costs.
#[derive(Debug, Clone)]
enum TierPrice {
    /// Of the usual one.
    Percent(u64),
    /// Whatever the length of the prompt.
    Prices(Prices),
}

/// Pico-dollars for a token.
#[derive(Debug, Clone, Copy)]
struct Prices {
    input: u64,
    cache_read: u64,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    output: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    as_of: String,
    model: Vec<WrittenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    names: Vec<String>,
    vendors: Vec<Dialect>,
    from: Option<String>,
    until: Option<String>,
    regional: Option<u64>,
    price: WrittenPrices,
    above: Option<WrittenThreshold>,
    #[serde(default)]
    tiers: BTreeMap<ServiceTier, WrittenTier>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenTier {
    Percent(u64),
    Prices(WrittenPrices),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrices {
    input: String,
    cache_read: Option<String>,
    cache_write_5m: Option<String>,
    cache_write_1h: Option<String>,
    output: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenThreshold {
    tokens: u64,
    price: WrittenPrices,
}

impl PriceTable {
    pub(super) fn parse(text: &str) -> Result<Self, PriceTableError> {
        let written: WrittenTable = toml::from_str(text)?;
        let mut entries = Vec::new();
        for model in written.model {
            let name = model.names.first().cloned().unwrap_or_default();
            let entry =
                Entry::check(&model).map_err(|reason| PriceTableError::Entry { name, reason })?;
            for vendor in &model.vendors {
                let named = model.names.iter();
                entries.extend(named.map(|name| (*vendor, name.clone(), entry.clone())));
            }
        }
        Ok(Self {
            as_of: written.as_of,
            entries,
        })
    }
}

impl Entry {
    fn check(written: &WrittenEntry) -> Result<Self, &'static str> {
        let (from, until) = (
            midnight(written.from.as_deref())?,
            midnight(written.until.as_deref())?,
        );
        let (from, until) = (
            from.unwrap_or(Timestamp::MIN),
            until.unwrap_or(Timestamp::MAX),
        );
        if from >= until {
            return Err("from must be before until");
        }
        let regional = written.regional.unwrap_or(LIST);
        if !(LIST..=MAX_PERCENT).contains(&regional) {
            return Err("regional must be between 100 and 1000 percent");
        }
        let above = match &written.above {
            Some(above) => Some((above.tokens, Prices::check(&above.price)?)),
            None => None,
        };
        Ok(Self {
            from,
            until,
            regional,
            prices: Prices::check(&written.price)?,
            above,
            tiers: TierPrice::check_all(&written.tiers)?,
        })
    }

    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    pub(super) fn charges_cache_writes(&self) -> bool {
        self.prices.cache_write_5m.is_some()
    }

    /// `None` for a class of service at which it is not sold.
    pub(super) fn charge(
        &self,
        used: &Consumption,
        is_regional: bool,
        tier: ServiceTier,
    ) -> Option<Charge> {
        let usual = match &self.above {
            Some((tokens, prices)) if used.input > *tokens => prices,
            _ => &self.prices,
        };
        let (prices, of_tier) = match (tier, self.tiers.get(&tier)) {
            (ServiceTier::Standard, _) => (usual, LIST),
            (_, Some(TierPrice::Percent(percent))) => (usual, *percent),
            (_, Some(TierPrice::Prices(prices))) => (prices, LIST),
            (_, None) => return None,
        };
        let of_region = if is_regional { self.regional } else { LIST };
        let cost = |tokens: u64, price: u64| tokens * (price * of_region * of_tier / LIST / LIST);
        let cached = used.cache_read + used.cache_write_5m + used.cache_write_1h;
        Some(Charge {
            input: cost(used.input.saturating_sub(cached), prices.input),
            cache_read: cost(used.cache_read, prices.cache_read),
            cache_write_5m: cost(
                used.cache_write_5m,
                prices.cache_write_5m.unwrap_or(prices.input),
            ),
            cache_write_1h: cost(
                used.cache_write_1h,
                prices.cache_write_1h.unwrap_or(prices.input),
            ),
            output: cost(used.output, prices.output),
        })
    }
}

impl TierPrice {
    fn check_all(
        written: &BTreeMap<ServiceTier, WrittenTier>,
    ) -> Result<BTreeMap<ServiceTier, Self>, &'static str> {
        let check = |(tier, price): (&ServiceTier, &WrittenTier)| {
            if *tier == ServiceTier::Standard {
                return Err("the usual class of service costs what price says");
            }
            let price = match price {
                WrittenTier::Percent(percent) if (1..=MAX_PERCENT).contains(percent) => {
                    Self::Percent(*percent)
                }
                WrittenTier::Percent(_) => {
                    return Err("a tier must be between 1 and 1000 percent");
                }
                WrittenTier::Prices(prices) => Self::Prices(Prices::check(prices)?),
            };
            Ok((*tier, price))
        };
        written.iter().map(check).collect()
    }
}

impl Prices {
    fn check(written: &WrittenPrices) -> Result<Self, &'static str> {
        let optional = |text: &Option<String>| text.as_deref().map(pico_for_a_token).transpose();
        let input = pico_for_a_token(&written.input)?;
        Ok(Self {
            input,
            cache_read: optional(&written.cache_read)?.unwrap_or(input),
            cache_write_5m: optional(&written.cache_write_5m)?,
            cache_write_1h: optional(&written.cache_write_1h)?,
            output: pico_for_a_token(&written.output)?,
        })
    }
}

/// Dollars for a million tokens, as digits with at most six decimals, are as
/// many pico-dollars for a token, a million times.
fn pico_for_a_token(dollars: &str) -> Result<u64, &'static str> {
    let (whole, decimals) = dollars.split_once('.').unwrap_or((dollars, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > MAX_WHOLE_DIGITS || decimals.len() > DECIMALS {
        return Err("a price needs 1 to 6 digits and at most 6 decimals");
    }
    if !digits(whole) || !digits(decimals) {
        return Err("a price has only digits and a point");
    }
    format!("{whole}{decimals:0<DECIMALS$}")
        .parse()
        .map_err(|_| "a price has only digits and a point")
}

fn midnight(date: Option<&str>) -> Result<Option<Timestamp>, &'static str> {
    let Some(date) = date else {
        return Ok(None);
    };
    let date: Date = date.parse().map_err(|_| "a date is written YYYY-MM-DD")?;
    date.to_zoned(TimeZone::UTC)
        .map(|at| Some(at.timestamp()))
        .map_err(|_| "a date is out of range")
}
