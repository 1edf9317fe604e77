//! What the simulated vendors charge: an independent reading of their price
//! pages, so that a wrong price of a client shows in the comparison.

mod charge;
mod list_name;
mod table;

pub use charge::Charge;
pub(crate) use charge::Consumption;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::dialect::Dialect;
use list_name::ListName;
use table::{Entry, PriceTable, PriceTableError};

/// The list that is built in.
const BUILT_IN: &str = include_str!("../prices.toml");
/// Stands for every model of a vendor.
const ANY: &str = "*";

/// Prices by vendor and model.
pub(crate) struct PriceList {
    as_of: String,
    entries: HashMap<(Dialect, String), Vec<Entry>>,
}

impl PriceList {
    /// The list that is built in, checked by a test.
    pub(crate) fn built_in() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "a constant of this crate, loaded by a test"
        )]
        Self::parse(BUILT_IN).expect("the built-in prices are valid")
    }

    fn parse(text: &str) -> Result<Self, PriceTableError> {
        let table = PriceTable::parse(text)?;
        let mut entries: HashMap<_, Vec<Entry>> = HashMap::new();
        for (vendor, name, entry) in table.entries {
            let known = entries.entry((vendor, name.clone())).or_default();
            if known.iter().any(|other| other.overlaps(&entry)) {
                return Err(PriceTableError::Overlap(name));
            }
            known.push(entry);
        }
        Ok(Self {
            as_of: table.as_of,
            entries,
        })
    }

    /// The date of which the prices are.
    pub(crate) fn as_of(&self) -> &str {
        &self.as_of
    }

    /// Whether this model's cache writes have a price of their own.
    pub(crate) fn charges_cache_writes(
        &self,
        dialect: Dialect,
        model: &str,
        at: Timestamp,
    ) -> bool {
        self.entry(dialect, &ListName::of(model), at)
            .is_some_and(Entry::charges_cache_writes)
    }

    /// What a call costs; `None` when the model has no price.
    pub(crate) fn charge(
        &self,
        dialect: Dialect,
        model: &str,
        at: Timestamp,
        consumption: &Consumption,
    ) -> Option<Charge> {
        let name = ListName::of(model);
        let entry = self.entry(dialect, &name, at)?;
        Some(entry.charge(consumption, name.is_regional))
    }

    fn entry(&self, dialect: Dialect, name: &ListName<'_>, at: Timestamp) -> Option<&Entry> {
        let of = |name: &str| self.entries.get(&(dialect, name.to_owned()));
        let entries = of(name.name).or_else(|| of(ANY))?;
        entries.iter().find(|entry| entry.holds_at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::{Charge, Consumption, PriceList};
    use crate::dialect::Dialect;

    fn charge(dialect: Dialect, model: &str, at: &str, used: &Consumption) -> Option<Charge> {
        PriceList::built_in().charge(dialect, model, at.parse().unwrap(), used)
    }

    const NOW: &str = "2026-11-20T12:00:00Z";

    #[test]
    fn tokens_are_charged_by_kind() {
        let used = Consumption {
            input: 1_000,
            cache_read: 200,
            cache_write_5m: 300,
            cache_write_1h: 100,
            output: 50,
        };
        let claude = charge(Dialect::Anthropic, "claude-sonnet-5-5-20260901", NOW, &used).unwrap();
        // Dollars for a million tokens are pico-dollars for a token, a million times.
        let expected = Charge {
            input: 400 * 2_000_000,
            cache_read: 200 * 100_000,
            cache_write_5m: 300 * 2_500_000,
            cache_write_1h: 100 * 4_000_000,
            output: 50 * 10_000_000,
        };
        assert_eq!(claude, expected);
        let before = charge(
            Dialect::Anthropic,
            "claude-sonnet-5-5",
            "2026-10-06T23:59:59Z",
            &used,
        );
        assert_eq!(before.unwrap().cache_read, 200 * 200_000);
        let regional = charge(
            Dialect::Bedrock,
            "us.anthropic.claude-sonnet-5-5-20260901-v1:0",
            NOW,
            &used,
        );
        assert_eq!(regional.unwrap().total() * 10, expected.total() * 11);
        let global = charge(
            Dialect::Bedrock,
            "global.anthropic.claude-sonnet-5-5",
            NOW,
            &used,
        );
        assert_eq!(global, Some(expected));
    }

    #[test]
    fn a_long_prompt_reprices_the_whole_call() {
        let used = |input| Consumption {
            input,
            output: 1,
            ..Consumption::default()
        };
        let at = |input| charge(Dialect::OpenAi, "gpt-5.5", NOW, &used(input)).unwrap();
        assert_eq!(at(272_000).total(), 272_000 * 5_000_000 + 30_000_000);
        assert_eq!(at(272_001).total(), 272_001 * 10_000_000 + 45_000_000);
    }

    #[test]
    fn unknown_models_have_no_price_and_ones_own_machine_costs_nothing() {
        let used = Consumption {
            input: 5,
            output: 5,
            ..Consumption::default()
        };
        assert_eq!(charge(Dialect::OpenAi, "qwen3", NOW, &used), None);
        assert_eq!(charge(Dialect::Bedrock, "gpt-5.5", NOW, &used), None);
        let free = charge(Dialect::Ollama, "llama3.2", NOW, &used);
        assert_eq!(free, Some(Charge::default()));
    }

    #[test]
    fn a_write_without_a_price_is_charged_as_input() {
        let used = Consumption {
            input: 10,
            cache_write_5m: 4,
            ..Consumption::default()
        };
        let charged = charge(Dialect::OpenAi, "gpt-5.5", NOW, &used).unwrap();
        assert_eq!(charged.total(), 10 * 5_000_000);
        let list = PriceList::built_in();
        let charges =
            |model| list.charges_cache_writes(Dialect::OpenAi, model, NOW.parse().unwrap());
        assert!(charges("gpt-5.6") && !charges("gpt-5.5") && !charges("unknown"));
    }

    #[test]
    fn wrong_lists_are_refused() {
        let model = |fields: &str| format!("as_of = '2026-01-01'\n[[model]]\n{fields}");
        let price = "names = ['m']\nvendors = ['openai']\nprice = { input = '1', output = '1' }\n";
        assert!(PriceList::parse(&model(price)).is_ok());
        for wrong in [
            price.replace("'1'", "'-1'"),
            price.replace("'1'", "'1.0000001'"),
            price.replace("'1'", "'1e3'"),
            price.replace("openai", "nobody"),
            format!("{price}from = '2026-02-01'\nuntil = '2026-02-01'\n"),
            format!("{price}from = 'soon'\n"),
            format!("{price}[[model]]\n{price}"),
            format!("{price}regional = 0\n"),
        ] {
            assert!(PriceList::parse(&model(&wrong)).is_err(), "{wrong}");
        }
    }
}
