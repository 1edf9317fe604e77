//! What the ledger promises, over each of its stores.

mod experiments;
mod place;
mod stops;
mod sums;

use std::sync::Arc;

use futures_util::StreamExt;
use llm::{LedgerFilter, LedgerPage, LlmProvider, Measured, Outcome, ProviderName, Usage};
use tenancy::TenantId;

use self::{
    experiments::{
        an_experiment_is_kept_and_replaced, of_two_that_start_at_once_one_wins,
        the_last_word_of_each_assessor_counts,
    },
    place::{ALL, Paid, Place, call, endpoint, tokens},
    sums::{
        past_traffic_is_priced_anew_with_the_difference,
        sums_are_exact_beyond_64_bits_and_keep_money_apart,
    },
};

async fn a_row_comes_back_as_it_was(place: &Place) -> anyhow::Result<()> {
    let mut request = call("a", Some("run-1"))?;
    request.context.variant = Some("short".to_owned());
    request.context.queued = std::time::Duration::from_micros(7);
    request.context.prompt_version = Some("p-1".to_owned());
    let usage = Usage {
        input_tokens: 30,
        output_tokens: 20,
        cache_read_tokens: 10,
        reasoning_tokens: 5,
        estimated: true,
        ..Usage::default()
    };
    place.book(true, usage, &request).await;
    place.ledger.flush().await?;
    let rows = place.ledger.rows(LedgerFilter::default(), ALL).await?;
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(row.call_id, request.context.call_id);
    assert_eq!((row.attempt, row.streamed, row.simulated), (1, false, true));
    assert_eq!((row.tenant.as_str(), &*row.feature), ("a", "summary"));
    assert_eq!(row.test_id.as_deref(), Some("run-1"));
    assert_eq!(row.variant.as_deref(), Some("short"));
    assert_eq!(row.prompt_version.as_deref(), Some("p-1"));
    assert_eq!(
        (row.provider, row.model.as_str()),
        (ProviderName::OpenAi, "m")
    );
    assert_eq!(
        (row.region_class.as_str(), row.service_tier.as_str()),
        ("", "standard")
    );
    assert_eq!((row.outcome, &row.error_type), (Outcome::Succeeded, &None));
    assert_eq!(row.usage, usage);
    assert_eq!(row.price_version, *place.prices.current().version());
    let parts = row.cost_parts.expect("a price");
    let parts = [
        parts.input,
        parts.cache_read,
        parts.cache_write,
        parts.output,
    ];
    let expected = [20 * 1_000_000, 10 * 100_000, 0, 20 * 10_000_000_000_i64];
    assert_eq!(parts.map(money::PicoUsd::get), expected);
    assert_eq!(row.cost.map(|cost| cost.get()), Some(expected.iter().sum()));
    assert_eq!(row.latency.queue.as_micros(), 7);
    assert_eq!(row.latency.connect.map(|time| time.as_micros()), Some(1));
    assert_eq!(row.latency.total.as_micros(), 2_500_001);
    assert_eq!(
        (row.latency.time_to_first_token, row.latency.decode),
        (None, None)
    );
    Ok(())
}

/// Two calls of tenant a, one of them unpriced, and two of tenant b in a load test, one of them
/// broken; gives the last one's call.
async fn mixed_traffic(place: &Place) -> anyhow::Result<uuid::Uuid> {
    let usage = tokens(1, 1);
    let mut plain = call("a", None)?;
    place.book(false, usage, &plain).await;
    plain.model = Some("unknown".to_owned());
    place.book(false, usage, &plain).await;
    let mut special = call("b", Some("t"))?;
    special.context.variant = Some("v".to_owned());
    place.book(true, usage, &special).await;
    let (prices, ledger) = (Arc::clone(&place.prices), Arc::clone(&place.ledger));
    let paid = Arc::new(Paid(usage, endpoint()));
    let broken = Measured::new(paid, true, prices, ledger)
        .stream(&special)
        .await?;
    assert_eq!(broken.count().await, 3);
    place.ledger.flush().await?;
    Ok(special.context.call_id)
}

/// A filter made by a change of the one that leaves out nothing.
fn only(change: impl FnOnce(&mut LedgerFilter)) -> LedgerFilter {
    let mut filter = LedgerFilter::default();
    change(&mut filter);
    filter
}

async fn every_filter_leaves_out_what_it_names(place: &Place) -> anyhow::Result<()> {
    let call_id = mixed_traffic(place).await?;
    let newest = place.ledger.rows(LedgerFilter::default(), ALL).await?;
    let last = newest.iter().map(|row| row.at).max();
    let begin = jiff::Timestamp::UNIX_EPOCH;
    let (a, nobody) = (TenantId::parse("a")?, TenantId::parse("nobody")?);
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (LedgerFilter::default(), 4),
        (LedgerFilter::of(a), 2),
        (LedgerFilter::of(nobody), 0),
        (only(|filter| filter.call_id = Some(call_id)), 2),
        (only(|filter| filter.test_id = text("t")), 2),
        (only(|filter| filter.variant = text("v")), 2),
        (only(|filter| filter.feature = text("chat")), 0),
        (
            only(|filter| filter.provider = Some(ProviderName::OpenAi)),
            4,
        ),
        (
            only(|filter| filter.provider = Some(ProviderName::Claude)),
            0,
        ),
        (only(|filter| filter.model = text("unknown")), 1),
        (only(|filter| filter.outcome = Some(Outcome::Partial)), 1),
        (only(|filter| filter.simulated = Some(true)), 2),
        (only(|filter| filter.to = Some(begin)), 0),
        (only(|filter| (filter.from, filter.to) = (last, last)), 0),
        (only(|filter| filter.from = Some(begin)), 4),
    ] {
        let rows = place.ledger.rows(filter.clone(), ALL).await?;
        assert_eq!(rows.len(), expected, "{filter:?}");
        let count = place.ledger.count(&filter).await?;
        assert_eq!(usize::try_from(count)?, expected, "{filter:?}");
    }
    Ok(())
}

async fn pages_follow_each_other_from_the_newest_on(place: &Place) -> anyhow::Result<()> {
    mixed_traffic(place).await?;
    let newest = place.ledger.rows(LedgerFilter::default(), ALL).await?;
    assert!(newest.windows(2).all(|pair| pair[0].at >= pair[1].at));
    let mut paged = Vec::new();
    for offset in 0..4 {
        let page = LedgerPage { offset, limit: 1 };
        paged.extend(place.ledger.rows(LedgerFilter::default(), page).await?);
    }
    assert_eq!(paged, newest);
    let none = LedgerPage {
        offset: 0,
        limit: 0,
    };
    assert_eq!(place.ledger.rows(LedgerFilter::default(), none).await?, []);
    Ok(())
}

/// Makes each case a test over either store.
macro_rules! over_both_stores {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() -> anyhow::Result<()> {
                super::$case(&super::place::Place::sqlite()?).await
            })+
        }

        mod ferretdb {
            $(#[tokio::test]
            async fn $case() -> anyhow::Result<()> {
                super::$case(&super::place::Place::ferretdb().await?).await
            })+
        }
    };
}

over_both_stores!(
    a_row_comes_back_as_it_was,
    every_filter_leaves_out_what_it_names,
    pages_follow_each_other_from_the_newest_on,
    sums_are_exact_beyond_64_bits_and_keep_money_apart,
    past_traffic_is_priced_anew_with_the_difference,
    an_experiment_is_kept_and_replaced,
    of_two_that_start_at_once_one_wins,
    the_last_word_of_each_assessor_counts,
);

#[tokio::test]
async fn a_server_that_is_away_for_a_while_costs_no_row_and_doubles_none() -> anyhow::Result<()> {
    let server = test_support::ferretdb().await?;
    let place = Place::on(server.uri(), "away".to_owned()).await?;
    let request = call("a", None)?;
    place.book(false, tokens(1, 1), &request).await;
    place.ledger.flush().await?;
    server.freeze()?;
    for _ in 0..20 {
        place.book(false, tokens(1, 1), &request).await;
    }
    // The first batch is given up and tried again at least once while nothing answers.
    let unwritten = tokio::time::timeout(std::time::Duration::from_secs(3), place.ledger.flush());
    assert!(unwritten.await.is_err(), "a frozen server has written");
    server.thaw()?;
    place.ledger.close().await?;
    let rows = place.ledger.rows(LedgerFilter::default(), ALL).await?;
    assert_eq!(rows.len(), 21);
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 21);
    Ok(())
}

/// The longest try, the pause before the next one, and what a busy machine adds.
const WRITTEN_AGAIN: std::time::Duration = std::time::Duration::from_secs(6);

/// Of a server that hangs: four tries of the writer.
const HUNG: std::time::Duration = std::time::Duration::from_secs(10);

#[tokio::test]
async fn a_server_that_hung_is_written_to_as_soon_as_it_goes_on() -> anyhow::Result<()> {
    let server = test_support::ferretdb().await?;
    let place = Place::on(server.uri(), "hung".to_owned()).await?;
    let request = call("a", None)?;
    place.book(false, tokens(1, 1), &request).await;
    place.ledger.flush().await?;
    server.freeze()?;
    place.book(false, tokens(1, 1), &request).await;
    // Readers wait for connections as well, and leave.
    let readers = (0..8).map(|_| place.ledger.rows(LedgerFilter::default(), ALL));
    let hung = tokio::time::timeout(HUNG, place.ledger.flush());
    let (read, hung) = tokio::join!(futures_util::future::join_all(readers), hung);
    assert!(read.iter().all(Result::is_err), "a frozen server was read");
    assert!(hung.is_err(), "a frozen server has written");
    server.thaw()?;
    tokio::time::timeout(WRITTEN_AGAIN, place.ledger.flush()).await??;
    let rows = place.ledger.rows(LedgerFilter::default(), ALL).await?;
    assert_eq!(rows.len(), 2);
    Ok(())
}
