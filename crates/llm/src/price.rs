//! What models cost: a catalogue with effective dates, and the exact price of one attempt.

mod file;
mod model_name;

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use money::PicoUsd;
use sha2::{Digest, Sha256};

use crate::{Cost, ProviderName, Usage};

pub use file::PriceError;

/// The catalogue that is built in.
const BUILT_IN: &str = include_str!("../prices.toml");

/// The name that stands for every model of a provider.
const ANY_MODEL: &str = "*";

/// Bytes of the file's hash that make its version.
const VERSION_BYTES: usize = 6;

/// A checked list of prices: no overlaps, no gaps, no floating point.
#[derive(Debug)]
pub struct PriceCatalogue {
    version: Arc<str>,
    checked_on: Arc<str>,
    prices: HashMap<ProviderName, HashMap<String, Vec<Price>>>,
}

/// Which tokens are to be priced.
#[derive(Debug, Clone, Copy)]
pub struct PriceQuery<'a> {
    /// Who was paid.
    pub provider: ProviderName,
    /// The model that answered, as the provider named it.
    pub model: &'a str,
    /// When.
    pub at: Timestamp,
    /// Where it ran: empty, `global`, `us`, `eu`, …
    pub region_class: &'a str,
    /// `standard`, or a dearer or cheaper class of service.
    pub service_tier: &'a str,
}

/// One row: prices per token, and when they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Price {
    region_class: String,
    service_tier: String,
    effective_from: Option<Timestamp>,
    effective_to: Option<Timestamp>,
    /// The tier holds above this many input tokens; 0 is the base tier.
    context_over: u64,
    input: PicoUsd,
    cache_read: Option<PicoUsd>,
    cache_write_5m: Option<PicoUsd>,
    cache_write_1h: Option<PicoUsd>,
    output: PicoUsd,
}

impl PriceCatalogue {
    /// The built-in catalogue.
    ///
    /// # Errors
    /// A mistake in the file; see [`PriceError`].
    pub fn built_in() -> Result<Self, PriceError> {
        Self::parse(BUILT_IN)
    }

    /// Reads and checks a catalogue in the format of `prices.toml`.
    ///
    /// # Errors
    /// Text that is no such file, an unknown provider, a price that is negative or finer than a
    /// pico-dollar per token, periods that overlap or leave a gap, a tier without a base.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let (prices, checked_on) = file::read(text)?;
        let hash = Sha256::digest(text.as_bytes());
        let version: String = hash
            .iter()
            .take(VERSION_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            version: version.into(),
            checked_on: checked_on.into(),
            prices,
        })
    }

    /// The beginning of the file's SHA-256, in hexadecimal: stands on every row and span.
    #[must_use]
    pub fn version(&self) -> &Arc<str> {
        &self.version
    }

    /// The latest date on which a price was compared with its source.
    #[must_use]
    pub fn checked_on(&self) -> &str {
        &self.checked_on
    }

    /// What `usage` costs from a provider's standard service without a region, or `None` when the
    /// catalogue has no price for it.
    #[must_use]
    pub fn cost(
        &self,
        model: &str,
        provider: ProviderName,
        at: Timestamp,
        usage: &Usage,
    ) -> Option<Cost> {
        let query = PriceQuery {
            provider,
            model,
            at,
            region_class: "",
            service_tier: "standard",
        };
        self.cost_of(&query, usage)
    }

    /// What `usage` costs, or `None` when the catalogue has no price for it.
    #[must_use]
    pub fn cost_of(&self, query: &PriceQuery<'_>, usage: &Usage) -> Option<Cost> {
        let price = self.find(query, usage.input_tokens)?;
        let input = price.input.times(usage.uncached_input_tokens())?;
        let cache_read = part(price.cache_read, usage.cache_read_tokens)?;
        let cache_write = part(price.cache_write_5m, usage.cache_write_5m_tokens)?
            .checked_add(part(price.cache_write_1h, usage.cache_write_1h_tokens)?)?;
        let output = price.output.times(usage.output_tokens)?;
        let total = input
            .checked_add(cache_read)?
            .checked_add(cache_write)?
            .checked_add(output)?;
        Some(Cost {
            input,
            cache_read,
            cache_write,
            output,
            total,
            price_version: Arc::clone(&self.version),
        })
    }

    fn find(&self, query: &PriceQuery<'_>, input_tokens: u64) -> Option<&Price> {
        let models = self.prices.get(&query.provider)?;
        let rows = models
            .get(query.model)
            .or_else(|| models.get(model_name::without_snapshot(query.model)))
            .or_else(|| models.get(ANY_MODEL))?;
        rows.iter()
            .filter(|price| price.holds(query) && price.applies_to(input_tokens))
            .max_by_key(|price| price.context_over)
    }
}

impl Price {
    fn holds(&self, query: &PriceQuery<'_>) -> bool {
        self.region_class == query.region_class
            && self.service_tier == query.service_tier
            && self.effective_from.is_none_or(|from| from <= query.at)
            && self.effective_to.is_none_or(|to| query.at < to)
    }

    /// Thresholds are exclusive: exactly at one, the cheaper tier holds.
    fn applies_to(&self, input_tokens: u64) -> bool {
        self.context_over == 0 || input_tokens > self.context_over
    }
}

/// No tokens of a kind cost nothing, also where the kind has no price.
fn part(price: Option<PicoUsd>, tokens: u64) -> Option<PicoUsd> {
    if tokens == 0 {
        return Some(PicoUsd::ZERO);
    }
    price?.times(tokens)
}
