//! What holds of every price list that is accepted.

use jiff::{SignedDuration, Timestamp};
use money::parse_decimal;
use serde::Deserialize;

use crate::{
    Cost, PriceCatalogue, PriceQuery, ProviderName, Usage, day_or_moment, usage::MAX_TOKENS,
};

/// Decimals of a price per million tokens.
const PRICE_SCALE: u32 = 6;

/// What a price list says, read once more.
#[derive(Deserialize)]
struct File {
    price: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    provider: String,
    r#match: String,
    #[serde(default)]
    region_class: String,
    #[serde(default)]
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
}

/// A price list that is accepted has a price for what each of its rows names, that row's, and an
/// amount for as many tokens as are believed.
///
/// # Panics
/// When one of it does not hold.
pub(super) fn check(text: &str) {
    let Ok(catalogue) = PriceCatalogue::parse(text) else {
        return;
    };
    let file = toml::from_str(text);
    let Ok(File { price: rows }) = file else {
        assert!(file.is_ok(), "a price list that is no TOML was accepted");
        return;
    };
    assert_eq!(catalogue.len(), rows.len());
    for row in &rows {
        let Some(provider) = ProviderName::ALL.into_iter().find(|it| row.names(*it)) else {
            assert_eq!(row.provider, "a provider");
            continue;
        };
        assert!(
            catalogue.names(Some(provider), &row.r#match),
            "{}",
            row.r#match
        );
        // Above this no number of tokens is believed, so the row is never used.
        if row.context_over < MAX_TOKENS {
            row.check(&catalogue, provider);
        }
    }
}

impl Row {
    fn names(&self, provider: ProviderName) -> bool {
        self.provider.parse() == Ok(provider)
    }

    fn check(&self, catalogue: &PriceCatalogue, provider: ProviderName) {
        let query = PriceQuery {
            provider,
            model: &self.r#match,
            at: self.holds_at(),
            region_class: &self.region_class,
            service_tier: &self.service_tier,
        };
        let usage = Usage {
            input_tokens: self.context_over + 1,
            output_tokens: 1,
            ..Usage::default()
        };
        let cost = catalogue.cost_of(&query, &usage);
        let input = pico(&self.input) * i128::from(usage.input_tokens);
        let expected = (input, pico(&self.output));
        assert_eq!(
            cost.as_ref().map(amounts),
            Some(expected),
            "{}",
            self.r#match
        );
        check_sum(cost.as_ref());
        check_sum(catalogue.cost_of(&query, &self.everything()).as_ref());
    }

    /// Its first moment, else its last one, else any.
    fn holds_at(&self) -> Timestamp {
        let day = |text: &Option<String>| text.as_deref().and_then(day_or_moment);
        let last = day(&self.effective_to)
            .and_then(|end| end.checked_sub(SignedDuration::from_nanos(1)).ok());
        day(&self.effective_from).or(last).unwrap_or_default()
    }

    /// As many tokens as are believed of every kind that has a price, within the row's tier as far
    /// as nothing dearer begins above it.
    fn everything(&self) -> Usage {
        let of = |price: &Option<String>| price.as_ref().map_or(0, |_| MAX_TOKENS);
        let cached = [&self.cache_read, &self.cache_write_5m, &self.cache_write_1h];
        let [cache_read, cache_write_5m, cache_write_1h] = cached.map(of);
        Usage {
            input_tokens: MAX_TOKENS + cache_read + cache_write_5m + cache_write_1h,
            output_tokens: MAX_TOKENS,
            cache_read_tokens: cache_read,
            cache_write_5m_tokens: cache_write_5m,
            cache_write_1h_tokens: cache_write_1h,
            reasoning_tokens: MAX_TOKENS / 2,
            estimated: false,
        }
    }
}

fn pico(price: &str) -> i128 {
    parse_decimal(price, PRICE_SCALE).unwrap_or(-1)
}

fn amounts(cost: &Cost) -> (i128, i128) {
    (cost.input.get().into(), cost.output.get().into())
}

fn check_sum(cost: Option<&Cost>) {
    let Some(cost) = cost else { return };
    let parts = [cost.input, cost.cache_read, cost.cache_write, cost.output];
    assert!(parts.iter().all(|part| part.get() >= 0), "{cost:?}");
    let sum: i128 = parts.iter().map(|part| i128::from(part.get())).sum();
    assert_eq!(sum, i128::from(cost.total.get()), "{cost:?}");
}
