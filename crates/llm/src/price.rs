//! What models cost: a catalogue with effective dates, and the exact price of one attempt.

mod call_lines;
mod check;
mod current;
mod file;
mod json_members;
mod model_name;
mod time;

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use money::PicoUsd;
use sha2::{Digest, Sha256};

use crate::{Cost, ProviderName, ServiceTier, Usage, service_tier::normalised};

pub use current::{PriceFileError, Prices};
pub use file::{PriceError, PriceRow};
pub use time::day_or_moment;

/// The catalogue that is built in.
const BUILT_IN: &str = include_str!("../prices.toml");

/// The name that stands for every model of a provider.
const ANY_MODEL: &str = "*";

/// The region class of calls that may run anywhere; where it has no price of its own, it costs
/// what a call without a region costs.
const GLOBAL: &str = "global";

/// Bytes of the file's hash that make its version.
const VERSION_BYTES: usize = 6;

type Models = HashMap<String, Vec<Price>>;

/// A checked list of prices: no overlaps, no gaps, no floating point.
#[derive(Debug, Clone)]
pub struct PriceCatalogue {
    version: Arc<str>,
    checked_on: Arc<str>,
    prices: HashMap<ProviderName, Models>,
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
    /// Where it ran: empty, `global`, `us`, `eu`, …; empty takes it from a Bedrock model id.
    pub region_class: &'a str,
    /// `standard`, or a dearer or cheaper class of service, in the provider's own word.
    pub service_tier: &'a str,
}

/// One line of a catalogue: prices per token, and when they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Who is paid.
    pub provider: ProviderName,
    /// The model's name without date and version, or `*`.
    pub model: String,
    /// Empty, `global`, `us`, `eu`, …
    pub region_class: String,
    /// `standard`, `batch`, `flex`, `priority`, `fast`, …
    pub service_tier: String,
    /// The first moment that it holds; `None` since ever.
    pub effective_from: Option<Timestamp>,
    /// The first moment that it does not hold any more.
    pub effective_to: Option<Timestamp>,
    /// It holds for requests above this many input tokens; 0 is the base tier.
    pub context_over: u64,
    /// Per token that was neither read from nor written to the cache.
    pub input: PicoUsd,
    /// Per token read from the cache.
    pub cache_read: Option<PicoUsd>,
    /// Per token written to the cache for five minutes.
    pub cache_write_5m: Option<PicoUsd>,
    /// Per token written to the cache for an hour.
    pub cache_write_1h: Option<PicoUsd>,
    /// Per token written.
    pub output: PicoUsd,
    /// Per token of reasoning; `None` costs what other output costs.
    pub reasoning: Option<PicoUsd>,
    /// Where it was read.
    pub source: String,
    /// The day on which it was read, such as `2026-11-20`.
    pub checked_on: String,
    /// Where sources disagree, in words.
    pub disputed: Option<String>,
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
    /// pico-dollar per token, periods that overlap or leave a gap, a tier without a base; with the
    /// number of the line.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        Ok(Self::of(file::read(text)?, text))
    }

    /// This catalogue with the prices of some models replaced by `rows`, under a version of its
    /// own: what past traffic would have cost by another list.
    ///
    /// # Errors
    /// As [`PriceCatalogue::parse`], with the number of the row, counted from 0.
    pub fn with_rows(&self, rows: &[PriceRow]) -> Result<Self, PriceError> {
        let read = file::read_rows(rows)?;
        let mut changed = Self::of(read, &format!("{} {rows:?}", self.version));
        for (provider, models) in &self.prices {
            let theirs = changed.prices.entry(*provider).or_default();
            for (model, prices) in models {
                theirs
                    .entry(model.clone())
                    .or_insert_with(|| prices.clone());
            }
        }
        Ok(changed)
    }

    fn of(prices: Vec<Price>, hashed: &str) -> Self {
        let hash = Sha256::digest(hashed.as_bytes());
        let version: String = hash
            .iter()
            .take(VERSION_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let checked_on = prices.iter().map(|price| price.checked_on.as_str()).max();
        let checked_on = checked_on.unwrap_or_default().into();
        let mut by_provider: HashMap<ProviderName, Models> = HashMap::new();
        for price in prices {
            let models = by_provider.entry(price.provider).or_default();
            models.entry(price.model.clone()).or_default().push(price);
        }
        Self {
            version: version.into(),
            checked_on,
            prices: by_provider,
        }
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

    /// The number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        let models = self.prices.values().flat_map(HashMap::values);
        models.map(Vec::len).sum()
    }

    /// Whether it has no price at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every line for a model that holds at a time, of all providers, regions and tiers, in that
    /// order; those for any model only where no line names it.
    #[must_use]
    pub fn prices_of(&self, model: &str, at: Timestamp) -> Vec<&Price> {
        let of_provider = |provider: ProviderName| {
            let (region, name) = model_name::split_region(provider, model);
            let lines = self.lines(provider, name).unwrap_or_default();
            let wanted = move |price: &&Price| {
                price.holds_at(at) && (region.is_empty() || price.region_class == region)
            };
            lines.iter().filter(wanted)
        };
        let mut found: Vec<&Price> = ProviderName::ALL
            .into_iter()
            .flat_map(of_provider)
            .collect();
        if found.iter().any(|price| price.model != ANY_MODEL) {
            found.retain(|price| price.model != ANY_MODEL);
        }
        found.sort_by_key(|price| {
            let standard = price.service_tier == ServiceTier::STANDARD.as_str();
            let tier = (!standard, &price.service_tier);
            (
                price.provider,
                &price.region_class,
                tier,
                price.context_over,
            )
        });
        found
    }

    /// Whether there is a price of this model, of this provider or, without one, of any that has
    /// the model by name.
    #[must_use]
    pub fn names(&self, provider: Option<ProviderName>, model: &str) -> bool {
        ProviderName::ALL.into_iter().any(|name| {
            let (_, bare) = model_name::split_region(name, model);
            let lines = self.lines(name, bare).unwrap_or_default();
            match provider {
                Some(provider) => provider == name && !lines.is_empty(),
                None => lines.iter().any(|price| price.model != ANY_MODEL),
            }
        })
    }

    /// What `usage` costs, or `None` when the catalogue has no price for it.
    #[must_use]
    pub fn cost_of(&self, query: &PriceQuery<'_>, usage: &Usage) -> Option<Cost> {
        let price = self.find(query, usage.input_tokens)?;
        let input = price.input.times(usage.uncached_input_tokens())?;
        let cache_read = part(price.cache_read, usage.cache_read_tokens)?;
        let cache_write = part(price.cache_write_5m, usage.cache_write_5m_tokens)?
            .checked_add(part(price.cache_write_1h, usage.cache_write_1h_tokens)?)?;
        let reasoning = usage.reasoning_tokens.min(usage.output_tokens);
        let output = price.output.times(usage.output_tokens - reasoning)?;
        let output =
            output.checked_add(price.reasoning.unwrap_or(price.output).times(reasoning)?)?;
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
        let (profile, model) = model_name::split_region(query.provider, query.model);
        let region = match query.region_class {
            "" => profile,
            region => region,
        };
        let lines = self.lines(query.provider, model)?;
        let holds_in = |region: &str| {
            lines
                .iter()
                .filter(|price| price.region_class == region)
                .filter(|price| price.service_tier == normalised(query.service_tier))
                .filter(|price| price.holds_at(query.at) && price.applies_to(input_tokens))
                .max_by_key(|price| price.context_over)
        };
        let anywhere = region == GLOBAL || lines.iter().any(|price| price.model == ANY_MODEL);
        holds_in(region).or_else(|| anywhere.then(|| holds_in("")).flatten())
    }

    fn lines(&self, provider: ProviderName, model: &str) -> Option<&[Price]> {
        let models = self.prices.get(&provider)?;
        models
            .get(model)
            .or_else(|| models.get(model_name::without_snapshot(model)))
            .or_else(|| models.get(ANY_MODEL))
            .map(Vec::as_slice)
    }
}

impl Price {
    fn holds_at(&self, at: Timestamp) -> bool {
        self.effective_from.is_none_or(|from| from <= at)
            && self.effective_to.is_none_or(|to| at < to)
    }

    /// Thresholds are exclusive: exactly at one, the cheaper tier holds.
    fn applies_to(&self, input_tokens: u64) -> bool {
        self.context_over == 0 || input_tokens > self.context_over
    }
}

/// Where a call runs, as far as its model's name says: empty, or a Bedrock profile's geography.
pub(crate) fn region_class(provider: ProviderName, model: &str) -> &str {
    model_name::split_region(provider, model).0
}

/// No tokens of a kind cost nothing, also where the kind has no price.
fn part(price: Option<PicoUsd>, tokens: u64) -> Option<PicoUsd> {
    if tokens == 0 {
        return Some(PicoUsd::ZERO);
    }
    price?.times(tokens)
}
