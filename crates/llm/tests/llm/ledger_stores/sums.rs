//! What rows add up to, and what they would have added up to.

use llm::{LedgerFilter, LedgerGroup, LedgerTotal, Recost};
use tenancy::TenantId;

use super::place::{Place, call, tokens};

pub(super) async fn sums_are_exact_beyond_64_bits_and_keep_money_apart(
    place: &Place,
) -> anyhow::Result<()> {
    let dear = tokens(0, 100_000_000);
    let (mut plain, tested) = (call("a", None)?, call("b", Some("t"))?);
    for _ in 0..12 {
        place.book(false, dear, &plain).await;
    }
    place.book(true, dear, &tested).await;
    plain.model = Some("unknown".to_owned());
    place.book(false, tokens(3, 4), &plain).await;
    place.ledger.flush().await?;
    let one = 1_000_000_000_000_000_000_i128;
    let real = LedgerTotal {
        attempts: 13,
        unpriced: 1,
        input_tokens: 3,
        output_tokens: 1_200_000_004,
        cost: 12 * one,
        ..LedgerTotal::default()
    };
    let simulated = LedgerTotal {
        simulated: true,
        attempts: 1,
        output_tokens: 100_000_000,
        cost: one,
        ..LedgerTotal::default()
    };
    let keyed = |total: &LedgerTotal, key: &str| LedgerTotal {
        key: key.to_owned(),
        ..total.clone()
    };
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for (group, of_real, of_simulated) in [
        (LedgerGroup::Provider, "openai", "openai"),
        (LedgerGroup::Tenant, "a", "b"),
        (LedgerGroup::Feature, "summary", "summary"),
        (LedgerGroup::Variant, "", ""),
        (LedgerGroup::Test, "", "t"),
        (LedgerGroup::Day, &day, &day),
    ] {
        let totals = place.ledger.totals(LedgerFilter::default(), group).await?;
        let expected = [keyed(&real, of_real), keyed(&simulated, of_simulated)];
        assert_eq!(totals, expected, "{group:?}");
    }
    let models = place
        .ledger
        .totals(LedgerFilter::of(TenantId::parse("a")?), LedgerGroup::Model);
    let models = models.await?;
    let keys: Vec<_> = models
        .iter()
        .map(|total| (&*total.key, total.unpriced))
        .collect();
    assert_eq!(keys, [("m", 0), ("unknown", 1)]);
    Ok(())
}

pub(super) async fn past_traffic_is_priced_anew_with_the_difference(
    place: &Place,
) -> anyhow::Result<()> {
    let (mut plain, million) = (call("a", None)?, tokens(1_000_000, 0));
    place.book(false, million, &plain).await;
    place.book(true, million, &plain).await;
    plain.model = Some("unknown".to_owned());
    place.book(false, million, &plain).await;
    place.ledger.flush().await?;
    let same = Recost {
        catalogue: place.prices.current(),
        provider: None,
        model: None,
        region_class: None,
        service_tier: None,
        at: None,
    };
    let other = Recost {
        model: Some("other".to_owned()),
        ..same.clone()
    };
    let nowhere = Recost {
        region_class: Some("moon".to_owned()),
        ..same.clone()
    };
    let dollar = 1_000_000_000_000;
    for (terms, after, unpriced_after, compared, difference) in [
        (same, dollar, 1, 1, 0),
        (other, 6 * dollar, 0, 1, 2 * dollar),
        (nowhere, 0, 2, 0, 0),
    ] {
        let filter = LedgerFilter::default();
        let totals = place
            .ledger
            .recost(&filter, LedgerGroup::Tenant, terms)
            .await?;
        let [real, simulated] = &totals[..] else {
            panic!("{totals:?}");
        };
        assert_eq!(
            (real.key.as_str(), real.simulated, simulated.simulated),
            ("a", false, true)
        );
        assert_eq!((real.attempts, simulated.attempts), (2, 1));
        assert_eq!((real.booked, real.unpriced_before), (dollar, 1));
        assert_eq!(
            (real.recosted, real.unpriced_after),
            (after, unpriced_after)
        );
        assert_eq!((real.compared, real.difference), (compared, difference));
    }
    Ok(())
}
