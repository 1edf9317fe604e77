//! Reading and checking the lines of a price list.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use money::{PicoUsd, parse_decimal};
use serde::Deserialize;
use toml::Spanned;

use super::{Price, check};
use crate::{ProviderName, ServiceTier, is_model_name, service_tier::normalised};

/// Decimals of a price per million tokens that a pico-dollar per token can hold:
/// 10⁻⁶ USD / 10⁶ tokens = 10⁻¹² USD.
const PRICE_SCALE: u32 = 6;

/// The highest price that is believed: 10,000 dollars a million tokens, some twenty times the
/// highest on sale. With it the cost of any believable number of tokens fits.
const MAX_PICO_USD: i64 = 10_000_000_000;

/// What is wrong with a price catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not TOML, an unknown or a missing key.
    #[error("the price catalogue is not readable: {0}")]
    Unreadable(String),
    /// A value that cannot be, or that contradicts another line.
    #[error("{place}, price of '{model}': {reason}")]
    Invalid {
        /// Where it stands, such as `line 12`.
        place: String,
        /// The line's `match`.
        model: String,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    price: Vec<Spanned<PriceRow>>,
}

/// One price as it is written in a file or a request; dollars per million tokens as decimal text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRow {
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
    reasoning: Option<String>,
    source: String,
    checked_on: String,
    disputed: Option<String>,
}

fn standard() -> String {
    ServiceTier::STANDARD.to_string()
}

/// A price with the place where it stands, for the messages about it.
pub(super) struct Placed {
    pub(super) place: String,
    pub(super) price: Price,
}

/// The checked prices of a file.
pub(super) fn read(text: &str) -> Result<Vec<Price>, PriceError> {
    let file: File =
        toml::from_str(text).map_err(|error| PriceError::Unreadable(error.to_string()))?;
    // Rows stand in the order of their places, so lines are counted once through the file.
    let (mut line, mut counted_to) = (1, 0);
    let rows = file.price.iter().map(|row| {
        let start = row.span().start.max(counted_to);
        let passed = text.as_bytes().get(counted_to..start).unwrap_or_default();
        line += passed.iter().filter(|byte| **byte == b'\n').count();
        counted_to = start;
        (format!("line {line}"), row.get_ref())
    });
    checked(rows)
}

/// The checked prices of a request.
pub(super) fn read_rows(rows: &[PriceRow]) -> Result<Vec<Price>, PriceError> {
    let places = (0_usize..).map(|index| format!("prices[{index}]"));
    checked(places.zip(rows))
}

fn checked<'a>(
    rows: impl Iterator<Item = (String, &'a PriceRow)>,
) -> Result<Vec<Price>, PriceError> {
    let placed: Vec<Placed> = rows
        .map(|(place, row)| match row.read() {
            Ok(price) => Ok(Placed { place, price }),
            Err(reason) => Err(PriceError::Invalid {
                place,
                model: row.r#match.clone(),
                reason,
            }),
        })
        .collect::<Result<_, _>>()?;
    check::check(&placed)?;
    Ok(placed.into_iter().map(|placed| placed.price).collect())
}

impl PriceRow {
    fn read(&self) -> Result<Price, String> {
        let provider: ProviderName = self
            .provider
            .parse()
            .map_err(|error| format!("provider '{}' {error}", self.provider))?;
        if self.r#match != super::ANY_MODEL && !is_model_name(&self.r#match) {
            return Err("match must be a model's name, or *".to_owned());
        }
        if self.source.is_empty() {
            return Err("source must not be empty".to_owned());
        }
        if self.disputed.as_deref() == Some("") {
            return Err("disputed must say what is disputed".to_owned());
        }
        let effective_from = midnight(self.effective_from.as_deref())?;
        let effective_to = midnight(self.effective_to.as_deref())?;
        if let (Some(from), Some(to)) = (effective_from, effective_to)
            && from >= to
        {
            return Err("the period ends before it begins".to_owned());
        }
        Ok(Price {
            provider,
            model: self.r#match.clone(),
            region_class: self.region_class.clone(),
            service_tier: normalised(&self.service_tier).to_owned(),
            effective_from,
            effective_to,
            context_over: self.context_over,
            input: per_token(&self.input)?,
            cache_read: optional(self.cache_read.as_deref())?,
            cache_write_5m: optional(self.cache_write_5m.as_deref())?,
            cache_write_1h: optional(self.cache_write_1h.as_deref())?,
            output: per_token(&self.output)?,
            reasoning: optional(self.reasoning.as_deref())?,
            source: self.source.clone(),
            checked_on: date(&self.checked_on)?.to_string(),
            disputed: self.disputed.clone(),
        })
    }
}

fn optional(text: Option<&str>) -> Result<Option<PicoUsd>, String> {
    text.map(per_token).transpose()
}

/// Dollars per million tokens to pico-dollars per token.
fn per_token(text: &str) -> Result<PicoUsd, String> {
    let scaled = parse_decimal(text, PRICE_SCALE).map_err(|error| format!("'{text}' {error}"))?;
    if scaled < 0 {
        return Err(format!("'{text}' is negative"));
    }
    i64::try_from(scaled)
        .ok()
        .filter(|price| *price <= MAX_PICO_USD)
        .map(PicoUsd::new)
        .ok_or_else(|| format!("'{text}' is too large"))
}

fn midnight(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = text else { return Ok(None) };
    date(text)?
        .to_zoned(TimeZone::UTC)
        .map(|zoned| Some(zoned.timestamp()))
        .map_err(|error| format!("'{text}': {error}"))
}

fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("'{text}' is no date"))
}
