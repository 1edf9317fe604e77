//! What a shared call of a model costs, and who pays it.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::join_all;
use llm::{LlmProvider, Outcome, ProviderName};
use test_support::llm_simulator::{Percentiles, Profile, Running};
use tokio::time::Instant;

use crate::{
    fixture::{Accounts, provider, request},
    shared::{CANCELLED_WITHIN, Caller, Streams, rest, text},
};

/// A model that takes its time, so that all callers come while it answers.
async fn simulated() -> (Running, Arc<dyn LlmProvider>, Accounts) {
    let simulator = test_support::simulator().await.expect("a simulator");
    let mut slow = Profile::instant().text().clone();
    slow.time_to_first_token_ms = Percentiles {
        p50: 200.0,
        p95: 200.0,
    };
    slow.inter_token_gap_ms = Percentiles { p50: 2.0, p95: 2.0 };
    let profile = Profile::check(slow).expect("a profile");
    simulator.control().set_profile(profile);
    let accounts = Accounts::open();
    let deadlines = llm::Deadlines::default();
    let provider = provider(ProviderName::Claude, &simulator.base_url(), deadlines);
    let measured: Arc<dyn LlmProvider> = Arc::new(accounts.measured(provider));
    (simulator, measured, accounts)
}

fn ask(streams: &Streams, model: &Arc<dyn LlmProvider>) -> Caller {
    let model = Arc::clone(model);
    let open = || async move { model.stream(&request()).await };
    streams.join("key", open).expect("room")
}

#[tokio::test]
async fn fifty_callers_share_one_call_and_its_cost() {
    let (simulator, model, accounts) = simulated().await;
    let streams = Streams::new();
    let mut callers: Vec<Caller> = (0..50).map(|_| ask(&streams, &model)).collect();
    let answers = join_all(callers.iter_mut().map(rest)).await;
    let texts: HashSet<String> = answers
        .into_iter()
        .map(|(text, response)| {
            let response = response.expect("an answer");
            assert_eq!(response.text, text);
            assert!(response.latency.time_to_first_token.is_some());
            text
        })
        .collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(simulator.control().meter().total.calls, 1);
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 1);
    let booked = rows[0].cost.expect("a price").get();
    let shares: Vec<i64> = callers
        .iter()
        .map(|caller| {
            let share = caller.share().expect("a share");
            assert_eq!(share.callers, 50);
            share.cost.expect("a price").get()
        })
        .collect();
    assert_eq!(shares.iter().sum::<i64>(), booked);
    assert!(shares[0] - shares[49] <= 1, "{shares:?}");
}

#[tokio::test]
async fn tokens_read_until_the_last_one_left_are_booked() {
    let (simulator, model, accounts) = simulated().await;
    let streams = Streams::new();
    let (mut first, second) = (ask(&streams, &model), ask(&streams, &model));
    text(&mut first).await;
    drop(first);
    drop(second);
    let left = Instant::now();
    while simulator.control().meter().total.cancelled == 0 {
        assert!(left.elapsed() < CANCELLED_WITHIN, "the model still writes");
        tokio::task::yield_now().await;
    }
    let rows = accounts.rows().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].outcome, Outcome::Cancelled);
    assert!(rows[0].usage.estimated);
    assert!(rows[0].usage.input_tokens > 0 && rows[0].usage.output_tokens > 0);
    assert!(rows[0].cost.is_some_and(|cost| cost.get() > 0));
}
