//! Accounts that fail for a while: what is counted afterwards is what the ledger says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::StreamExt;
use jiff::Timestamp;
use llm::{
    AccountsError, BudgetAccounts, BudgetRefusal, ChatStream, Claim, Epoch, LlmError, LlmProvider,
    OnFailure, RedisAccounts, Settlement, Standing, Verdict,
};
use money::PicoUsd;
use tenancy::TenantId;
use test_support::wait;
use tokio::time::{Instant, timeout};

use super::{DEADLINE, claim, refused, settlement, streams::Limited, tenant};

/// More than any test spends.
const MUCH: i64 = 1_000_000;

/// Reads so many events of a stream, which must come without waits worth telling.
async fn read(stream: &mut ChatStream, events: usize) -> anyhow::Result<()> {
    let reading = stream.take(events).filter_map(async |event| event.err());
    let errors: Vec<LlmError> = timeout(DEADLINE, reading.collect()).await?;
    anyhow::ensure!(errors.is_empty(), "{errors:?}");
    Ok(())
}

/// The accounts say what the ledger says, and hold nothing.
async fn agrees(limited: &Limited) -> anyhow::Result<()> {
    let tenant = &limited.request.context.tenant;
    wait::until("the account", DEADLINE, async || {
        let standing = limited.budgets.standing(tenant, false).await?;
        let booked = limited.booked().await?;
        anyhow::ensure!(standing.day_spent.get() == booked, "{standing:?} {booked}");
        anyhow::ensure!(standing.reserved.get() == 0, "{standing:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_is_right_again_when_it_thaws() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let accounts = Arc::new(RedisAccounts::new(&redis.url().into())?);
    let limited = Limited::open_with(accounts.clone(), MUCH, OnFailure::Allow).await?;
    let mut stream = limited.provider.stream(&limited.request).await?;
    read(&mut stream, 100).await?;
    redis.freeze()?;
    // In mid-stream, then from the beginning: nobody counts, and nobody waits at each piece.
    read(&mut stream, 500).await?;
    drop(stream);
    let mut unchecked = limited.provider.stream(&limited.request).await?;
    read(&mut unchecked, 300).await?;
    drop(unchecked);
    // Meanwhile settlements are tried again and again.
    for _ in 0..3 {
        let asked = accounts.standing(&limited.request.context.tenant, false, Timestamp::now());
        assert!(asked.await.is_err(), "a frozen Redis has answered");
    }
    redis.thaw()?;
    agrees(&limited).await?;
    let mut stream = limited.provider.stream(&limited.request).await?;
    read(&mut stream, 100).await?;
    drop(stream);
    agrees(&limited).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_was_given_up_holds_nothing() -> anyhow::Result<()> {
    let redis = test_support::redis().await?;
    let accounts = Arc::new(RedisAccounts::new(&redis.url().into())?);
    let limited = Limited::open_with(accounts, MUCH, OnFailure::Refuse).await?;
    let mut stream = limited.provider.stream(&limited.request).await?;
    read(&mut stream, 10).await?;
    drop(stream);
    agrees(&limited).await?;
    redis.freeze()?;
    for _ in 0..3 {
        let error = limited.provider.stream(&limited.request).await.err();
        let unavailable = matches!(&error, Some(LlmError::Budget(refusal))
            if matches!(**refusal, BudgetRefusal::Unavailable { .. }));
        assert!(unavailable, "{error:?}");
    }
    redis.thaw()?;
    agrees(&limited).await
}

/// A settlement that comes twice, or without its reservation, or before it.
pub(super) async fn what_is_settled_in_doubt_is_read_anew(
    accounts: Arc<dyn BudgetAccounts>,
) -> anyhow::Result<()> {
    let first = claim(&tenant()?, 300);
    let money = PicoUsd::new;
    accounts.open(&first, 0, money(0), money(0)).await?;
    assert_eq!(accounts.reserve(&first).await?, Verdict::Granted);
    for _ in 0..2 {
        accounts.settle(settlement(&first, 250));
    }
    let epoch = wait::until("a doubt", DEADLINE, async || {
        match accounts.reserve(&claim(&first.tenant, 1)).await? {
            Verdict::Unknown(epoch) => Ok(epoch),
            verdict => anyhow::bail!("{verdict:?}"),
        }
    })
    .await?;
    // What was read before the doubt says nothing.
    accounts.open(&first, epoch - 1, money(9), money(9)).await?;
    let second = claim(&first.tenant, 100);
    assert_eq!(accounts.reserve(&second).await?, Verdict::Unknown(epoch));
    accounts.open(&first, epoch, money(250), money(250)).await?;
    // Probes above may hold a little, no more.
    let mut wide = claim(&first.tenant, 751);
    wide.month = None;
    let (_, left, _) = refused(accounts.reserve(&wide).await?)?;
    assert!((700..=750).contains(&left), "{left}");
    Ok(())
}

/// Grants a claim and never answers again; notes what is settled.
#[derive(Default)]
struct Mute {
    asked: Mutex<u32>,
    settled: Mutex<Vec<Settlement>>,
}

#[async_trait]
impl BudgetAccounts for Mute {
    async fn reserve(&self, _: &Claim) -> Result<Verdict, AccountsError> {
        Ok(Verdict::Granted)
    }

    async fn open(&self, _: &Claim, _: Epoch, _: PicoUsd, _: PicoUsd) -> Result<(), AccountsError> {
        Ok(())
    }

    async fn extend(&self, _: &Claim, _: PicoUsd) -> Result<Verdict, AccountsError> {
        *self.asked.lock().expect("not poisoned") += 1;
        std::future::pending().await
    }

    fn settle(&self, settlement: Settlement) {
        self.settled.lock().expect("not poisoned").push(settlement);
    }

    async fn forget(&self, _: &TenantId) -> Result<(), AccountsError> {
        Ok(())
    }

    async fn standing(
        &self,
        _: &TenantId,
        _: bool,
        _: Timestamp,
    ) -> Result<Option<Standing>, AccountsError> {
        Ok(None)
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_allowed_failure_nobody_asks_again() -> anyhow::Result<()> {
    let accounts = Arc::new(Mute::default());
    let limited = Limited::open_with(accounts.clone(), MUCH, OnFailure::Allow).await?;
    let mut stream = limited.provider.stream(&limited.request).await?;
    let begun = Instant::now();
    read(&mut stream, 500).await?;
    let waited = begun.elapsed();
    assert!(waited < Duration::from_millis(1_500), "{waited:?}");
    assert_eq!(*accounts.asked.lock().expect("not poisoned"), 1);
    drop(stream);
    let booked = limited.booked().await?;
    let settled = accounts.settled.lock().expect("not poisoned");
    let spent: Vec<i64> = settled.iter().map(|one| one.spent.get()).collect();
    assert_eq!(spent, [booked]);
    Ok(())
}
