//! The price catalogue: golden values, exactness, effective dates, and files that are wrong.

use jiff::Timestamp;
use llm::{PriceCatalogue, PriceError, PriceQuery, ProviderName, Usage};
use proptest::prelude::*;

pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

pub(crate) fn catalogue() -> PriceCatalogue {
    PriceCatalogue::built_in().expect("the built-in prices")
}

/// One thousand tokens of each kind: 5,000 input, 1,000 output.
fn thousands() -> Usage {
    Usage {
        input_tokens: 4_000,
        output_tokens: 1_000,
        cache_read_tokens: 1_000,
        cache_write_5m_tokens: 1_000,
        cache_write_1h_tokens: 1_000,
        ..Usage::default()
    }
}

pub(crate) fn input(tokens: u64) -> Usage {
    Usage {
        input_tokens: tokens,
        ..Usage::default()
    }
}

/// Of the standard service, anywhere.
fn query<'a>(model: &'a str, provider: ProviderName, time: &str) -> PriceQuery<'a> {
    PriceQuery {
        provider,
        model,
        at: at(time),
        region_class: "",
        service_tier: "",
    }
}

fn cost(model: &str, provider: ProviderName, time: &str, usage: &Usage) -> Option<i64> {
    let cost = catalogue().cost_of(&query(model, provider, time), usage)?;
    let parts = [cost.input, cost.cache_read, cost.cache_write, cost.output];
    let sum: i64 = parts.iter().map(|part| part.get()).sum();
    assert_eq!(sum, cost.total.get());
    Some(sum)
}

#[test]
fn list_prices_are_charged_to_the_pico_dollar() {
    // Micro-dollars per thousand tokens of each kind = dollars per million, times a thousand.
    for (model, input, read, write_5m, write_1h, output) in [
        ("claude-fable-5-1", 10_000, 250, 12_500, 20_000, 50_000),
        ("claude-opus-5-5", 4_000, 200, 5_000, 8_000, 20_000),
        ("claude-opus-5", 5_000, 500, 6_250, 10_000, 25_000),
        ("claude-opus-4-5", 5_000, 500, 6_250, 10_000, 25_000),
        ("claude-sonnet-5-5", 2_000, 100, 2_500, 4_000, 10_000),
        ("claude-sonnet-5", 2_000, 200, 2_500, 4_000, 10_000),
        ("claude-sonnet-4-6", 3_000, 300, 3_750, 6_000, 15_000),
        ("claude-haiku-5-5", 100, 10, 125, 200, 500),
        ("claude-haiku-4-5", 1_000, 100, 1_250, 2_000, 5_000),
    ] {
        let expected: i64 = input + read + write_5m + write_1h + output;
        let found = cost(model, ProviderName::Claude, NOW, &thousands());
        assert_eq!(found, Some(expected * 1_000_000), "{model}");
    }
}

#[test]
fn prices_finer_than_a_nano_dollar_are_exact() {
    let usage = Usage {
        input_tokens: 3,
        cache_read_tokens: 1,
        output_tokens: 1,
        ..Usage::default()
    };
    let found = cost("amazon.nova-micro-v1:0", ProviderName::Bedrock, NOW, &usage);
    assert_eq!(found, Some(2 * 35_000 + 8_750 + 140_000));

    let catalogue = catalogue();
    let regional = PriceQuery {
        provider: ProviderName::Bedrock,
        model: "anthropic.claude-haiku-5-5",
        at: at(NOW),
        region_class: "us",
        service_tier: "standard",
    };
    let write = Usage {
        input_tokens: 1,
        cache_write_5m_tokens: 1,
        ..Usage::default()
    };
    let cost = catalogue.cost_of(&regional, &write).expect("a price");
    assert_eq!(cost.total.get(), 137_500);
}

#[test]
fn a_price_holds_from_its_first_day_until_before_its_last() {
    let read = Usage {
        input_tokens: 1,
        cache_read_tokens: 1,
        ..Usage::default()
    };
    for (time, expected) in [
        ("2026-10-06T23:59:59.999Z", 200_000),
        ("2026-10-07T00:00:00Z", 100_000),
    ] {
        let found = cost("claude-sonnet-5-5", ProviderName::Claude, time, &read);
        assert_eq!(found, Some(expected), "{time}");
    }
}

#[test]
fn a_threshold_is_exclusive_counts_cached_tokens_and_reprices_everything() {
    let model = "claude-haiku-5-5";
    let price = |usage: &Usage| cost(model, ProviderName::Claude, NOW, usage);
    assert_eq!(price(&input(100_000)), Some(100_000 * 100_000));
    assert_eq!(price(&input(100_001)), Some(100_001 * 500_000));
    let mostly_cached = Usage {
        input_tokens: 100_001,
        cache_read_tokens: 100_000,
        output_tokens: 1,
        ..Usage::default()
    };
    assert_eq!(
        price(&mostly_cached),
        Some(500_000 + 100_000 * 50_000 + 2_500_000)
    );
}

#[test]
fn snapshots_cost_what_their_model_costs_and_unknown_models_are_unpriced() {
    let price = |model: &str| cost(model, ProviderName::Claude, NOW, &input(1));
    for model in [
        "claude-opus-5-20260101",
        "claude-opus-5@20260101",
        "claude-opus-5-latest",
    ] {
        assert_eq!(price(model), Some(5_000_000), "{model}");
    }
    for model in ["claude-opus-6", "claude", "", "*", "gpt-4o"] {
        assert_eq!(price(model), None, "{model}");
    }
    for model in ["llama3.2", "anything:7b"] {
        let free = cost(model, ProviderName::Ollama, NOW, &thousands());
        assert_eq!(free, Some(0), "{model}");
    }
}

#[test]
fn tokens_of_a_kind_that_is_not_sold_make_a_call_unpriced() {
    let mut usage = input(10);
    let price = |usage: &Usage| cost("gpt-4o", ProviderName::OpenAi, NOW, usage);
    assert_eq!(price(&usage), Some(25_000_000));
    usage.cache_write_1h_tokens = 1;
    assert_eq!(price(&usage), None);
}

#[test]
fn a_sum_that_does_not_fit_is_unpriced() {
    let found = cost("claude-opus-5", ProviderName::Claude, NOW, &input(u64::MAX));
    assert_eq!(found, None);
}

#[test]
fn the_version_follows_the_content() {
    let built_in = catalogue();
    assert_eq!(built_in.version().len(), 12);
    assert_eq!(built_in.checked_on(), "2026-11-20");
    let other = PriceCatalogue::parse(&row("")).expect("a catalogue");
    assert_ne!(built_in.version(), other.version());
}

fn row(extra: &str) -> String {
    format!(
        "[[price]]\nprovider = \"anthropic\"\nmatch = \"m\"\ninput = \"1\"\noutput = \"2\"\n\
         source = \"s\"\nchecked_on = \"2026-11-20\"\n{extra}\n"
    )
}

#[test]
fn files_that_are_wrong_are_refused_with_the_reason() {
    let from = |date: &str| format!("effective_from = \"{date}\"");
    let to = |date: &str| format!("effective_to = \"{date}\"");
    for (text, reason) in [
        (row("") + &row(""), "two prices hold"),
        (
            row(&to("2026-02-01")) + &row(&from("2026-01-01")),
            "two prices hold",
        ),
        (
            row(&to("2026-01-01")) + &row(&from("2026-02-01")),
            "no price from",
        ),
        (row("context_over = 10"), "has no base"),
        (
            row(&from("2026-02-01")) + &row("context_over = 10"),
            "begins before its base",
        ),
        (
            row(&format!("{}\n{}", from("2026-02-01"), to("2026-01-01"))),
            "ends before it begins",
        ),
        (row("cache_read = \"-1\""), "is negative"),
        (row("cache_read = \"0.0000001\""), "more than 6 decimals"),
        (row("cache_read = \"cheap\""), "is not a number"),
        (row("cache_read = \"1e30\""), "is too large"),
        (row("effective_to = \"soon\""), "is no date"),
        (row("disputed = \"\""), "disputed"),
        (row("cache_read = \"10000.000001\""), "is too large"),
        (
            row(&to("2026-02-01")) + &row("context_over = 10"),
            "ends after its base",
        ),
        (
            row("").replace("\"m\"", "\"a b\""),
            "must be a model's name",
        ),
        (row("surprise = 1"), "surprise"),
        (row("").replace("anthropic", "nobody"), "nobody"),
        (row("").replace("input = \"1\"", ""), "input"),
        ("price = 7".to_owned(), "not readable"),
    ] {
        let error = PriceCatalogue::parse(&text).expect_err(&text);
        assert!(error.to_string().contains(reason), "{error} for {text}");
        assert!(matches!(
            error,
            PriceError::Unreadable(_) | PriceError::Invalid { .. }
        ));
    }
}

#[test]
fn neighbouring_periods_are_accepted() {
    let text = row("effective_to = \"2026-01-01\"") + &row("effective_from = \"2026-01-01\"");
    assert!(PriceCatalogue::parse(&text).is_ok());
}

#[test]
fn a_mistake_is_found_by_its_line() {
    let two = row("") + &row("region_class = \"us\"");
    let lines = row("").lines().count();
    for (text, place) in [
        (two.clone() + &row(""), 2 * lines + 1),
        (two.replacen("output = \"2\"", "output = \"-2\"", 1), 1),
        (row("") + &row("input_2 = 1"), 2 * lines),
    ] {
        let error = PriceCatalogue::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(&format!("line {place}")), "{error}");
    }
}

#[test]
fn reasoning_costs_what_output_costs_unless_it_has_a_price() {
    let usage = Usage {
        output_tokens: 10,
        reasoning_tokens: 4,
        ..Usage::default()
    };
    for (extra, expected) in [("", 10 * 2), ("reasoning = \"5\"", 6 * 2 + 4 * 5)] {
        let catalogue = PriceCatalogue::parse(&row(extra)).expect("a catalogue");
        let cost = catalogue.cost_of(&query("m", ProviderName::Claude, NOW), &usage);
        assert_eq!(
            cost.map(|cost| cost.total.get()),
            Some(expected * 1_000_000)
        );
    }
}

#[test]
fn lines_of_a_model_are_listed_as_they_hold() {
    let catalogue = catalogue();
    let lines = |model: &str, time: &str| {
        let found = catalogue.prices_of(model, at(time));
        let line = |price: &&llm::Price| (price.region_class.clone(), price.cache_read);
        found.iter().map(line).collect::<Vec<_>>()
    };
    let read = |pico: i64| Some(money::PicoUsd::new(pico));
    let us = ("us".to_owned(), read(110_000));
    assert_eq!(lines("us.anthropic.claude-sonnet-5-5", NOW), [us]);
    let before = lines("claude-sonnet-5-5", "2026-10-01T00:00:00Z");
    assert!(
        before.contains(&(String::new(), read(200_000))),
        "{before:?}"
    );
    assert_eq!(lines("nobody", NOW).len(), 2, "those of local models");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,200}") {
        drop(PriceCatalogue::parse(&text));
    }

    #[test]
    fn no_change_of_a_good_file_makes_the_reader_panic(
        from in 0_usize..600, length in 0_usize..40, put in "[ -~\n]{0,12}",
    ) {
        let mut text = row("effective_to = \"2026-01-01\"") + &row("effective_from = \"2026-01-01\"")
            + &row("context_over = 10\neffective_from = \"2026-01-01\"");
        let from = from.min(text.len());
        text.replace_range(from..(from + length).min(text.len()), &put);
        drop(PriceCatalogue::parse(&text));
    }
}

proptest! {
    #[test]
    fn costs_add_up_over_tokens(
        uncached in 0_u64..50_000, read in 0_u64..20_000, write in 0_u64..20_000, output in 0_u64..50_000,
    ) {
        let usage = Usage {
            input_tokens: uncached + read + write,
            cache_read_tokens: read,
            cache_write_1h_tokens: write,
            output_tokens: output,
            ..Usage::default()
        };
        let expected = 2_000_000 * i128::from(uncached)
            + 100_000 * i128::from(read)
            + 4_000_000 * i128::from(write)
            + 10_000_000 * i128::from(output);
        let found = cost("claude-sonnet-5-5", ProviderName::Claude, NOW, &usage);
        prop_assert_eq!(found.map(i128::from), Some(expected));
    }
}
