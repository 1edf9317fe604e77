//! What tenants with limits spend by the provider's count, not by ours.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use llm::{
    BudgetLimits, Budgeted, Budgets, CallContext, ChatRequest, Deadlines, InProcessAccounts,
    LlmProvider, OnFailure, ProviderName,
};
use money::PicoUsd;
use test_support::{
    llm_simulator::{
        Bill, CallFilter, Percentiles, Profile, ProfileText, Running, SimulatorConfig, TokenRange,
    },
    simulator_with, wait,
};

use super::tenant;
use crate::fixture::{Accounts, drain, provider, request};

const STREAMS: u64 = 8;

/// Answers that fit into the limit.
const ANSWERS: u64 = 3;

/// Milliseconds from one token to the next.
const GAP_MS: f64 = 5.0;

/// Tokens that a provider writes before it knows that nobody reads on: those of 250 ms, and a piece
/// of text.
const UNSEEN: u64 = 50 + 14;

const DEADLINE: Duration = Duration::from_secs(20);

/// A simulator whose answers have 100 tokens, after so many of reasoning.
async fn paced(reasoning: Option<u64>) -> anyhow::Result<Running> {
    let exactly = |tokens| TokenRange {
        min: tokens,
        max: tokens,
    };
    let profile = Profile::check(ProfileText {
        name: "paced".to_owned(),
        time_to_first_token_ms: Percentiles { p50: 0.0, p95: 0.0 },
        inter_token_gap_ms: Percentiles {
            p50: GAP_MS,
            p95: GAP_MS,
        },
        output_tokens: exactly(100),
        reasoning_tokens: reasoning.map(exactly),
        prefill_tokens_per_second: None,
        load: None,
    })?;
    simulator_with(SimulatorConfig {
        profile,
        ..SimulatorConfig::instant()
    })
    .await
}

/// The bill of so many calls, once all have ended.
async fn bill(simulator: &Running, calls: u64) -> anyhow::Result<Bill> {
    wait::until("the invoice", DEADLINE, async || {
        let bill = simulator.control().invoice(&CallFilter::default()).total;
        anyhow::ensure!(bill.calls == calls, "{bill:?}");
        Ok(bill)
    })
    .await
}

async fn stream(limited: &Budgeted, request: &ChatRequest) -> bool {
    let mut request = request.clone();
    request.context.call_id = uuid::Uuid::now_v7();
    match limited.stream(&request).await {
        Ok(stream) => {
            drain(stream).await;
            true
        }
        Err(_) => false,
    }
}

/// Asks for many answers at once under a limit for few of them; what the invoice has beyond the
/// limit, in the price of a token of output.
async fn tokens_beyond(name: ProviderName, simulator: Running) -> anyhow::Result<u64> {
    let accounts = Accounts::open();
    let (ledger, prices) = (Arc::clone(&accounts.ledger), Arc::clone(&accounts.prices));
    let kept = Arc::new(InProcessAccounts::default());
    let budgets = Arc::new(Budgets::load(ledger, kept, OnFailure::Refuse).await?);
    let provider = provider(name, &simulator.base_url(), Deadlines::default());
    let measured = Arc::new(accounts.measured(provider));
    let limited = Budgeted::new(measured, true, prices, Arc::clone(&budgets));
    let mut request = request();
    request.context = CallContext::new(tenant()?, "summary", None);

    assert!(stream(&limited, &request).await);
    let first = bill(&simulator, 1).await?;
    let token = first.charge.output / first.output_tokens;
    // The prompt may be counted otherwise than it was estimated; there is room for that.
    let longest = u64::from(request.max_tokens) * token + 2 * first.charge.input;
    let limit = first.pico_usd + ANSWERS * longest;
    let limits = BudgetLimits {
        day: Some(PicoUsd::new(i64::try_from(limit)?)),
        ..BudgetLimits::default()
    };
    assert!(budgets.set(&request.context.tenant, limits).await?);
    // Rounds, until nothing is left.
    let mut sent = 1;
    loop {
        let streams = (0..STREAMS).map(|_| stream(&limited, &request));
        let answered = join_all(streams).await.into_iter().filter(|sent| *sent);
        let answered = u64::try_from(answered.count())?;
        if answered == 0 {
            break;
        }
        sent += answered;
        bill(&simulator, sent).await?;
    }
    assert!(sent > ANSWERS, "{sent}");
    let invoiced = bill(&simulator, sent).await?.pico_usd;
    Ok(invoiced.saturating_sub(limit).div_ceil(token))
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_reasoning_is_not_invoiced_beyond_the_limit() -> anyhow::Result<()> {
    let simulator = paced(Some(190)).await?;
    let beyond = tokens_beyond(ProviderName::OpenAi, simulator).await?;
    assert_eq!(beyond, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_invoiced_beyond_the_limit_by_what_was_unseen() -> anyhow::Result<()> {
    let simulator = paced(None).await?;
    let beyond = tokens_beyond(ProviderName::Claude, simulator).await?;
    assert!(beyond <= STREAMS * UNSEEN, "{beyond}");
    Ok(())
}
