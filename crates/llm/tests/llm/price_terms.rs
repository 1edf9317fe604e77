//! On which terms a model is sold: where, at which class of service, until when.

use llm::{PriceQuery, ProviderName};

use crate::prices::{NOW, at, catalogue, input};

/// Dollars for a million tokens of input, in millionths; the query's region and tier.
type Dollars = (
    ProviderName,
    &'static str,
    &'static str,
    &'static str,
    Option<i64>,
);

fn check_prices(cases: &[Dollars]) {
    let (catalogue, usage) = (catalogue(), input(1_000_000));
    for (provider, model, region_class, service_tier, expected) in cases {
        let query = PriceQuery {
            provider: *provider,
            model,
            at: at(NOW),
            region_class,
            service_tier,
        };
        let cost = catalogue.cost_of(&query, &usage);
        let found = cost.map(|cost| cost.total.get() / 1_000_000);
        assert_eq!(found, *expected, "{model} {region_class} {service_tier}");
    }
}

#[test]
fn a_region_is_taken_from_the_model_or_the_query() {
    use ProviderName::{Bedrock, Claude, Ollama};
    const SONNET: &str = "anthropic.claude-sonnet-5-5-20260301-v1:0";
    check_prices(&[
        (Bedrock, SONNET, "", "", Some(2_000_000)),
        (Bedrock, SONNET, "us", "standard", Some(2_200_000)),
        (Bedrock, SONNET, "global", "", Some(2_000_000)),
        (Bedrock, SONNET, "moon", "", None),
        (Bedrock, SONNET, "us-gov", "", None),
        (Bedrock, "us-gov.amazon.nova-lite-v1:0", "", "", None),
        (
            Bedrock,
            "eu.anthropic.claude-sonnet-5-5",
            "",
            "",
            Some(2_200_000),
        ),
        (Bedrock, "eu.amazon.nova-lite-v1:0", "", "", Some(78_000)),
        (Claude, "claude-sonnet-5-5", "us", "", Some(2_200_000)),
        (Claude, "claude-sonnet-5-5", "global", "", Some(2_000_000)),
        (Ollama, "llama3.2", "eu", "", Some(0)),
    ]);
}

#[test]
fn a_service_tier_has_its_own_price_and_a_revision_may_have_one() {
    use ProviderName::{Bedrock, Claude, LmStudio, OpenAi};
    check_prices(&[
        (Claude, "claude-sonnet-5-5", "", "batch", Some(1_000_000)),
        (Claude, "claude-opus-5-5", "", "fast", Some(8_000_000)),
        (Claude, "claude-opus-5-5", "", "priority", None),
        (OpenAi, "gpt-6-sol", "", "default", Some(4_000_000)),
        (OpenAi, "gpt-6-sol", "", "priority", Some(8_000_000)),
        (OpenAi, "gpt-6-sol", "", "flex", Some(2_000_000)),
        (OpenAi, "gpt-6-sol", "", "scale", None),
        (OpenAi, "gpt-4o-mini", "", "flex", None),
        (Bedrock, "amazon.nova-pro-v1:0", "", "flex", Some(400_000)),
        (Bedrock, "amazon.nova-pro-v1:0", "", "reserved", None),
        (LmStudio, "anything", "", "", Some(0)),
        (
            Bedrock,
            "amazon.titan-embed-text-v2:0",
            "",
            "",
            Some(20_000),
        ),
        (Bedrock, "amazon.titan-embed-text-v1", "", "", None),
        (
            Bedrock,
            "mistral.mistral-large-3-675b-instruct",
            "",
            "",
            Some(500_000),
        ),
        (Bedrock, "openai.gpt-oss-120b-1:0", "", "", Some(150_000)),
    ]);
}

#[test]
fn a_price_ends_with_its_model() {
    use ProviderName::{Bedrock, Claude, OpenAi};
    let (last_week, after) = ("2026-11-29T23:59:59Z", "2026-11-30T00:00:00Z");
    let (last_day, later) = ("2026-12-10T23:59:59Z", "2026-12-11T00:00:00Z");
    for (provider, model, tier, time, is_sold) in [
        (Claude, "claude-sonnet-4-5", "", last_week, true),
        (Claude, "claude-sonnet-4-5", "", after, false),
        (Claude, "claude-sonnet-4-5-20250929", "batch", after, false),
        (Claude, "claude-sonnet-4-6", "", after, true),
        (Bedrock, "anthropic.claude-sonnet-4-5", "", after, true),
        (OpenAi, "gpt-5-mini", "", last_day, true),
        (OpenAi, "gpt-5-mini", "", later, false),
        (OpenAi, "gpt-5-mini", "priority", later, false),
        (OpenAi, "gpt-5-nano", "flex", last_day, true),
        (OpenAi, "gpt-5-nano", "flex", later, false),
        (OpenAi, "gpt-5.4-mini", "", later, true),
    ] {
        let query = PriceQuery {
            provider,
            model,
            at: at(time),
            region_class: "",
            service_tier: tier,
        };
        let cost = catalogue().cost_of(&query, &input(1));
        assert_eq!(cost.is_some(), is_sold, "{model} {tier} {time}");
    }
}
