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
}

impl RelayPrices {
    /// The cost of so many tokens; `None` of a model without a price, which is unpriced and not
    /// free.
    pub(super) fn cost(&self, model: &str, input: u64, output: u64) -> Option<PicoUsd> {
        let price = self.0.get(model)?;
        let (input, output) = (price.input.times(input)?, price.output.times(output)?);
        input.checked_add(output)
    }
}

impl FromStr for RelayPrices {
    type Err = String;

    /// Reads `MODEL=INPUT/OUTPUT,…`, US dollars for a million tokens each.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut prices = BTreeMap::new();
        let entries = text.split(',').map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let refused = || {
                format!(
                    "has {entry:?}, which is not MODEL=INPUT/OUTPUT in US dollars for a million tokens"
                )
            };
            let (model, both) = entry.split_once('=').ok_or_else(refused)?;
            let (input, output) = both.split_once('/').ok_or_else(refused)?;
            let price = |text: &str| {
                let amount = parse_decimal(text.trim(), DECIMALS).ok()?;
                let amount = i64::try_from(amount).ok().filter(|amount| *amount >= 0)?;
                Some(PicoUsd::new(amount))
            };
            let (input, output) = price(input).zip(price(output)).ok_or_else(refused)?;
            prices.insert(model.trim().to_owned(), Price { input, output });
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
        assert_eq!(prices.cost("a", 3, 2), Some(PicoUsd::new(27_500_000)));
        assert_eq!(prices.cost("b", 7, 9), Some(PicoUsd::new(7)));
        assert_eq!(prices.cost("c", 1, 1), None);
        assert_eq!(prices.cost("a", u64::MAX, 1), None, "beyond all money");
    }

    #[test]
    fn lists_are_checked() {
        for text in ["a", "a=1", "a=1/x", "a=-1/1", "a=0.0000001/1"] {
            assert!(text.parse::<RelayPrices>().is_err(), "{text}");
        }
    }
}
