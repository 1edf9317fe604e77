//! What the models of foreign targets cost, as far as somebody said so.

use std::collections::BTreeMap;
use std::str::FromStr;

use money::{PicoUsd, parse_decimal};

/// Models of a list: a bound, since it is searched for each reply.
const MAX_MODELS: usize = 100;

/// A dollar for a million tokens is a millionth of a dollar for one: with six decimals of the
/// price an integer of 10⁻¹² USD.
const DECIMALS: u32 = 6;

/// Prices by model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayPrices(BTreeMap<String, Price>);

/// Of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Price {
    input: PicoUsd,
    output: PicoUsd,
    /// Of input that the vendor had in its cache.
    cached: PicoUsd,
}

/// Tokens of a reply.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tokens {
    /// Of the prompt, cached ones included.
    pub(super) input: u64,
    /// Those of the prompt that came from the vendor's cache.
    pub(super) cached: u64,
    /// Of the answer.
    pub(super) output: u64,
}

impl RelayPrices {
    /// The cost of so many tokens; `None` of a model without a price, which is unpriced and not
    /// free.
    pub(super) fn cost(&self, model: &str, tokens: Tokens) -> Option<PicoUsd> {
        let price = self.0.get(model)?;
        let fresh = tokens.input.saturating_sub(tokens.cached);
        let input = price.input.times(fresh)?;
        let cached = price.cached.times(tokens.cached.min(tokens.input))?;
        let output = price.output.times(tokens.output)?;
        input.checked_add(cached)?.checked_add(output)
    }
}

impl FromStr for RelayPrices {
    type Err = String;

    /// Reads `MODEL=INPUT/OUTPUT/CACHED,…`, US dollars for a million tokens each. Without the third
    /// price cached input costs as much as other input: rather too much than too little.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut prices = BTreeMap::new();
        let entries = text.split(',').map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let refused = || {
                format!(
                    "has {entry:?}, which is not MODEL=INPUT/OUTPUT or MODEL=INPUT/OUTPUT/CACHED in US dollars for a million tokens"
                )
            };
            let (model, listed) = entry.split_once('=').ok_or_else(refused)?;
            let price = |text: &str| {
                let amount = parse_decimal(text.trim(), DECIMALS).ok()?;
                let amount = i64::try_from(amount).ok().filter(|amount| *amount >= 0)?;
                Some(PicoUsd::new(amount))
            };
            let listed: Option<Vec<PicoUsd>> = listed.split('/').map(price).collect();
            let (input, output, cached) = match listed.ok_or_else(refused)?.as_slice() {
                [input, output] => (*input, *output, *input),
                [input, output, cached] => (*input, *output, *cached),
                _ => return Err(refused()),
            };
            let price = Price {
                input,
                output,
                cached,
            };
            prices.insert(model.trim().to_owned(), price);
        }
        if prices.len() > MAX_MODELS {
            return Err(format!("has more than {MAX_MODELS} models"));
        }
        Ok(Self(prices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        let prices: RelayPrices = "a=2.5/10, b=0.000001/0".parse().unwrap();
        let cost = |model: &str, input, output| {
            let tokens = Tokens {
                input,
                output,
                cached: 0,
            };
            prices.cost(model, tokens)
        };
        assert_eq!(cost("a", 3, 2), Some(PicoUsd::new(27_500_000)));
        assert_eq!(cost("b", 7, 9), Some(PicoUsd::new(7)));
        assert_eq!(cost("c", 1, 1), None);
        assert_eq!(cost("a", u64::MAX, 1), None, "beyond all money");
    }

    #[test]
    fn cached_input_has_a_price_of_its_own() {
        let prices: RelayPrices = "a=3/10/0.3, b=3/10".parse().unwrap();
        let cost = |model: &str, cached| {
            let tokens = Tokens {
                input: 1_000,
                cached,
                output: 1,
            };
            prices.cost(model, tokens).map(PicoUsd::get)
        };
        assert_eq!(cost("a", 0), Some(3_010_000_000));
        assert_eq!(cost("a", 900), Some(580_000_000));
        assert_eq!(cost("b", 900), Some(3_010_000_000), "as other input");
        // A reply that counts more cached tokens than it read.
        assert_eq!(cost("a", 5_000), Some(310_000_000));
    }

    #[test]
    fn lists_are_checked() {
        for text in [
            "a",
            "a=1",
            "a=1/1/1/1",
            "a=1/1/",
            "a=1/x",
            "a=-1/1",
            "a=0.0000001/1",
        ] {
            assert!(text.parse::<RelayPrices>().is_err(), "{text}");
        }
    }
}
