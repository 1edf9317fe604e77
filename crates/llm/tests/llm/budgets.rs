//! Budgets: nothing is spent twice, nothing is lost, and streams end at the cap.

mod failures;
mod invoices;
mod streams;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use llm::{
    BudgetAccounts, BudgetRefusal, Claim, LimitKind, ProviderName, RateLimit, RedisAccounts,
    Settlement, Verdict,
};
use money::PicoUsd;
use tenancy::TenantId;
use test_support::{Redis, wait};
use tokio::sync::OnceCell;

use self::{
    failures::what_is_settled_in_doubt_is_read_anew,
    streams::{
        concurrent_streams_end_at_the_cap, what_was_spent_before_counts,
        what_was_spent_without_limits_counts_when_they_are_back,
    },
};

const DEADLINE: Duration = Duration::from_secs(20);

async fn redis() -> anyhow::Result<Arc<dyn BudgetAccounts>> {
    static SERVER: OnceCell<Redis> = OnceCell::const_new();
    let server = SERVER.get_or_try_init(test_support::redis).await?;
    Ok(Arc::new(RedisAccounts::new(&server.url().into())?))
}

fn tenant() -> anyhow::Result<TenantId> {
    Ok(TenantId::parse(&uuid::Uuid::now_v7().simple().to_string())?)
}

fn claim(tenant: &TenantId, money: i64) -> Claim {
    Claim {
        id: uuid::Uuid::now_v7(),
        tenant: tenant.clone(),
        provider: ProviderName::OpenAi,
        simulated: false,
        at: Timestamp::now(),
        day: Some(PicoUsd::new(1_000)),
        month: Some(PicoUsd::new(1_500)),
        rate: RateLimit::default(),
        money: PicoUsd::new(money),
        tokens: 0,
        lives: Duration::from_secs(60),
    }
}

fn settlement(claim: &Claim, spent: i64) -> Settlement {
    Settlement {
        claim: claim.clone(),
        reserved: claim.money,
        spent: PicoUsd::new(spent),
        tokens: 0,
    }
}

/// Spent in the day and the month, and reserved, once it is so.
async fn becomes(
    accounts: &Arc<dyn BudgetAccounts>,
    claim: &Claim,
    expected: (i64, i64, i64),
) -> anyhow::Result<()> {
    wait::until("the standing", DEADLINE, async || {
        let standing = accounts.standing(&claim.tenant, claim.simulated, Timestamp::now());
        let standing = standing.await?.ok_or_else(|| anyhow::anyhow!("unknown"))?;
        let found = (
            standing.day_spent.get(),
            standing.month_spent.get(),
            standing.reserved.get(),
        );
        anyhow::ensure!(found == expected, "{found:?}");
        Ok(())
    })
    .await
}

fn refused(verdict: Verdict) -> anyhow::Result<(LimitKind, i64, Duration)> {
    match verdict {
        Verdict::Refused(BudgetRefusal::Reached {
            limit,
            left,
            retry_after,
            ..
        }) => Ok((limit, left, retry_after)),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn money_is_reserved_settled_and_released(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    let first = claim(&tenant()?, 300);
    assert_eq!(accounts.reserve(&first).await?, Verdict::Unknown(0));
    let money = PicoUsd::new;
    accounts.open(&first, 0, money(500), money(700)).await?;
    accounts.open(&first, 0, money(9), money(9)).await?;
    assert_eq!(accounts.reserve(&first).await?, Verdict::Granted);
    becomes(&accounts, &first, (500, 700, 300)).await?;
    let second = claim(&first.tenant, 201);
    let (limit, left, retry_after) = refused(accounts.reserve(&second).await?)?;
    assert_eq!((limit, left), (LimitKind::Day, 200));
    assert!(
        retry_after <= Duration::from_secs(86_400),
        "{retry_after:?}"
    );
    assert_eq!(accounts.extend(&first, money(200)).await?, Verdict::Granted);
    refused(accounts.extend(&first, money(1)).await?)?;
    accounts.settle(settlement(&first, 450));
    becomes(&accounts, &first, (950, 1_150, 0)).await?;

    // A reservation that nobody settles is released when its time is over; what came of it, only
    // the ledger can say.
    let mut lost = claim(&first.tenant, 50);
    lost.at = Timestamp::now() - SignedDuration::from_mins(2);
    assert_eq!(accounts.reserve(&lost).await?, Verdict::Granted);
    let now = Timestamp::now();
    assert_eq!(accounts.standing(&first.tenant, false, now).await?, None);
    accounts.open(&first, 1, money(950), money(1_150)).await?;
    becomes(&accounts, &first, (950, 1_150, 0)).await?;

    // The month's limit is reached before the day's is.
    let mut monthly = claim(&first.tenant, 400);
    monthly.day = None;
    assert_eq!(
        refused(accounts.reserve(&monthly).await?)?.0,
        LimitKind::Month
    );
    // Simulated money has an account of its own.
    let mut simulated = claim(&first.tenant, 1);
    simulated.simulated = true;
    assert_eq!(accounts.reserve(&simulated).await?, Verdict::Unknown(0));
    Ok(())
}

async fn rates_refill_and_take_what_was_used(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    let mut first = claim(&tenant()?, 0);
    (first.day, first.month, first.tokens) = (None, None, 60);
    first.lives = Duration::from_secs(600);
    first.rate = RateLimit {
        provider: None,
        requests_per_minute: Some(2),
        tokens_per_minute: Some(120),
    };
    assert_eq!(accounts.reserve(&first).await?, Verdict::Granted);
    let mut wide = first.clone();
    wide.tokens = 61;
    let (limit, left, wait) = refused(accounts.reserve(&wide).await?)?;
    assert_eq!(
        (limit, left, wait),
        (LimitKind::Tokens, 60, Duration::from_millis(500))
    );
    assert_eq!(accounts.reserve(&first).await?, Verdict::Granted);
    let (limit, left, wait) = refused(accounts.reserve(&first).await?)?;
    assert_eq!(
        (limit, left, wait),
        (LimitKind::Requests, 0, Duration::from_secs(30))
    );

    // Two minutes later all is there again, less what an answer took beyond its estimate.
    let mut later = first.clone();
    later.id = uuid::Uuid::now_v7();
    later.at += SignedDuration::from_mins(2);
    (later.tokens, later.day) = (0, Some(PicoUsd::new(1_000)));
    accounts
        .open(&later, 0, PicoUsd::ZERO, PicoUsd::ZERO)
        .await?;
    assert_eq!(accounts.reserve(&later).await?, Verdict::Granted);
    accounts.settle(Settlement {
        tokens: 100,
        ..settlement(&later, 7)
    });
    becomes(&accounts, &later, (7, 7, 0)).await?;
    let mut next = later.clone();
    next.tokens = 21;
    assert_eq!(
        refused(accounts.reserve(&next).await?)?.0,
        LimitKind::Tokens
    );
    next.tokens = 20;
    assert_eq!(accounts.reserve(&next).await?, Verdict::Granted);
    Ok(())
}

async fn many_at_once_never_get_more_than_there_is(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    let first = claim(&tenant()?, 30);
    accounts
        .open(&first, 0, PicoUsd::ZERO, PicoUsd::ZERO)
        .await?;
    let ask = |_| {
        let (accounts, claim) = (Arc::clone(&accounts), claim(&first.tenant, 30));
        tokio::spawn(async move {
            let granted = accounts.reserve(&claim).await? == Verdict::Granted;
            if granted {
                accounts.settle(settlement(&claim, 20));
            }
            anyhow::Ok(granted)
        })
    };
    let mut granted = 0;
    for answer in join_all((0..200).map(ask)).await {
        granted += i64::from(answer??);
    }
    // While all hold 30 there is room for 33; every settlement makes room for more.
    assert!((33..=49).contains(&granted), "{granted}");
    becomes(&accounts, &first, (granted * 20, granted * 20, 0)).await
}

/// Makes each case a test over either kind of accounts.
macro_rules! over_both_accounts {
    ($($case:ident),+ $(,)?) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() -> anyhow::Result<()> {
                let accounts = llm::InProcessAccounts::default();
                super::$case(std::sync::Arc::new(accounts)).await
            })+
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() -> anyhow::Result<()> {
                super::$case(super::redis().await?).await
            })+
        }
    };
}

over_both_accounts!(
    money_is_reserved_settled_and_released,
    rates_refill_and_take_what_was_used,
    many_at_once_never_get_more_than_there_is,
    concurrent_streams_end_at_the_cap,
    what_was_spent_before_counts,
    what_was_spent_without_limits_counts_when_they_are_back,
    what_is_settled_in_doubt_is_read_anew,
);
