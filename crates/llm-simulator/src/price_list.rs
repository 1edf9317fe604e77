//! What the simulated vendors charge: an independent reading of their price
//! pages, so that a wrong price of a client shows in the comparison.

mod charge;
mod list_name;
mod table;

pub use charge::Charge;
pub(crate) use charge::{Consumption, Purchase};

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

    /// What a call costs; `None` when the model has no price, or is not sold at this class of
    /// service.
    pub(crate) fn charge(
        &self,
        bought: &Purchase<'_>,
        consumption: &Consumption,
    ) -> Option<Charge> {
        let name = ListName::of(bought.model);
        let entry = self.entry(bought.dialect, &name, bought.at)?;
        entry.charge(consumption, name.is_regional, bought.service_tier)
    }

    fn entry(&self, dialect: Dialect, name: &ListName<'_>, at: Timestamp) -> Option<&Entry> {
        let of = |name: &str| self.entries.get(&(dialect, name.to_owned()));
        let entries = of(name.name).or_else(|| of(ANY))?;
        entries.iter().find(|entry| entry.holds_at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::{Charge, Consumption, PriceList, Purchase};
    use crate::{dialect::Dialect, service_tier::ServiceTier};

    fn charge(dialect: Dialect, model: &str, at: &str, used: &Consumption) -> Option<Charge> {
        let bought = Purchase {
            dialect,
            model,
            service_tier: ServiceTier::Standard,
            at: at.parse().unwrap(),
        };
        PriceList::built_in().charge(&bought, used)
    }

    /// Pico-dollars for a token of each kind, at a class of service.
    fn at_tier(dialect: Dialect, model: &str, service_tier: ServiceTier) -> Option<[u64; 3]> {
        let bought = Purchase {
            dialect,
            model,
            service_tier,
            at: NOW.parse().unwrap(),
        };
        let used = Consumption {
            input: 2,
            cache_read: 1,
            output: 1,
            ..Consumption::default()
        };
        let charge = PriceList::built_in().charge(&bought, &used)?;
        Some([charge.input, charge.cache_read, charge.output])
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
    fn a_class_of_service_costs_its_part_or_has_no_price() {
        use Dialect::{Anthropic, Bedrock, OpenAi};
        use ServiceTier::{Flex, Priority, Reserved, Scale};
        for (dialect, model, tier, expected) in [
            (
                OpenAi,
                "gpt-6.1-terra",
                Flex,
                Some([500_000, 25_000, 2_500_000]),
            ),
            (
                OpenAi,
                "gpt-6.1-terra",
                Priority,
                Some([2_000_000, 100_000, 10_000_000]),
            ),
            (OpenAi, "gpt-6.1-terra", Scale, None),
            (OpenAi, "gpt-4o-mini", Flex, None),
            (
                OpenAi,
                "gpt-4o-mini",
                Priority,
                Some([250_000, 125_000, 1_000_000]),
            ),
            (
                OpenAi,
                "o4-mini",
                Priority,
                Some([2_000_000, 500_000, 8_000_000]),
            ),
            (
                Bedrock,
                "amazon.nova-pro-v1:0",
                Flex,
                Some([400_000, 100_000, 1_600_000]),
            ),
            (
                Bedrock,
                "amazon.nova-pro-v1:0",
                Priority,
                Some([1_400_000, 350_000, 5_600_000]),
            ),
            (Bedrock, "amazon.nova-lite-v1:0", Flex, None),
            (Bedrock, "amazon.nova-pro-v1:0", Reserved, None),
            (Anthropic, "claude-sonnet-5-5", Priority, None),
        ] {
            assert_eq!(at_tier(dialect, model, tier), expected, "{model} {tier:?}");
        }
        let long = Consumption {
            input: 272_001,
            ..Consumption::default()
        };
        let bought = Purchase {
            dialect: OpenAi,
            model: "gpt-5.5",
            service_tier: Flex,
            at: NOW.parse().unwrap(),
        };
        let charge = PriceList::built_in().charge(&bought, &long).unwrap();
        assert_eq!(charge.total(), 272_001 * 5_000_000);
    }

    #[test]
    fn a_price_ends_with_its_model_and_no_list_has_those_of_the_government() {
        let used = Consumption {
            input: 1,
            ..Consumption::default()
        };
        for (model, day, is_sold) in [
            ("claude-sonnet-4-5", "2026-11-29T23:59:59Z", true),
            ("claude-sonnet-4-5", "2026-11-30T00:00:00Z", false),
            ("claude-sonnet-4-6", "2026-11-30T00:00:00Z", true),
        ] {
            let charge = charge(Dialect::Anthropic, model, day, &used);
            assert_eq!(charge.is_some(), is_sold, "{model} {day}");
        }
        for (model, day, is_sold) in [
            ("gpt-5-mini", "2026-12-10T23:59:59Z", true),
            ("gpt-5-nano", "2026-12-11T00:00:00Z", false),
        ] {
            let charge = charge(Dialect::OpenAi, model, day, &used);
            assert_eq!(charge.is_some(), is_sold, "{model} {day}");
        }
        let government = "us-gov.anthropic.claude-sonnet-5-5";
        assert_eq!(charge(Dialect::Bedrock, government, NOW, &used), None);
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
        for (dialect, model) in [
            (Dialect::Ollama, "llama3.2"),
            (Dialect::LmStudio, "openai/gpt-oss-20b"),
        ] {
            let free = charge(dialect, model, NOW, &used);
            assert_eq!(free, Some(Charge::default()), "{model}");
        }
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
            format!("{price}tiers = {{ ludicrous = 100 }}\n"),
            format!("{price}tiers = {{ standard = 100 }}\n"),
            format!("{price}tiers = {{ flex = 0 }}\n"),
            format!("{price}tiers = {{ flex = {{ input = '1' }} }}\n"),
        ] {
            assert!(PriceList::parse(&model(&wrong)).is_err(), "{wrong}");
        }
    }
}
