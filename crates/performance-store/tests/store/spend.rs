//! What runs cost stays, whatever becomes of the runs.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use load_analysis::dollars::Dollars;
use load_analysis::spend::{Amount, Cap, ModelSpend, Spend};
use performance_store::{Alike, Outcome, Period, Run, RunStatus, SpendGroup};
use tenancy::TenantId;

use crate::test_store::{TestStore, event};

/// More than half of what 64 bits hold, so that two of them are beyond it.
const LARGE: i128 = 5_000_000_000_000_000_000;

fn part(model: &str, simulated: bool, pico_usd: i128) -> ModelSpend {
    let amount = Amount {
        calls: Some(2),
        unpriced_calls: 1,
        input_tokens: 30,
        output_tokens: 10,
        cost: Dollars::of_pico(pico_usd),
    };
    ModelSpend {
        model: model.to_owned(),
        simulated,
        amount,
    }
}

async fn ended(store: &TestStore, spend: Spend) -> anyhow::Result<Run> {
    let run = store.running().await?;
    let outcome = Outcome {
        status: RunStatus::Completed,
        error: None,
        verdict: None,
        results: None,
        figures: BTreeMap::new(),
        spend: Some(spend),
    };
    let (address, position) = (run.address(), run.position());
    let told = vec![event("end")];
    let (run, _) = store
        .store
        .finish(&address, position, outcome, told)
        .await?;
    Ok(run)
}

#[tokio::test]
async fn real_and_simulated_dollars_are_added_apart_and_exactly() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let both = vec![part("opus", false, LARGE), part("opus", true, 7)];
    ended(&store, Spend::of_models(both)).await?;
    let second = Spend::of_models(vec![part("haiku", false, LARGE + 1)]);
    let second = ended(&store, second).await?;
    store.store.begin_removal(&second.address()).await?;
    store.finish_removals().await?;
    let of = async |group| {
        store
            .store
            .spend(&store.tenant, Period::default(), group)
            .await
    };

    let tests = of(SpendGroup::Test).await?;
    let sums: Vec<_> = tests
        .iter()
        .map(|total| {
            (
                total.key.as_str(),
                total.simulated,
                total.runs,
                total.amount.cost.pico(),
            )
        })
        .collect();
    assert_eq!(
        sums,
        [("smoke", false, 2, 2 * LARGE + 1), ("smoke", true, 1, 7)]
    );
    assert_eq!(tests[0].amount.calls, Some(4));
    assert_eq!(tests[0].amount.unpriced_calls, 2);
    let keys = async |group| -> anyhow::Result<Vec<String>> {
        Ok(of(group)
            .await?
            .into_iter()
            .map(|total| total.key)
            .collect())
    };
    assert_eq!(keys(SpendGroup::Model).await?, ["haiku", "opus", "opus"]);
    assert_eq!(keys(SpendGroup::User).await?, ["ana", "ana"]);
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    assert_eq!(keys(SpendGroup::Day).await?, [today.clone(), today]);

    let hour_ago = Timestamp::now() - 1.hour();
    let spent = store.store.spent_since(&store.tenant, hour_ago).await?;
    assert_eq!(spent.pico(), 2 * LARGE + 1);
    let other = TenantId::parse("other")?;
    assert!(store.store.spent_since(&other, hour_ago).await?.is_zero());
    let before = Period {
        from: None,
        to: Some(hour_ago),
    };
    assert_eq!(
        store
            .store
            .spend(&store.tenant, before, SpendGroup::Test)
            .await?,
        []
    );
    Ok(())
}

/// A ledger says what it likes; its tenant's sums are there afterwards, too.
#[tokio::test]
async fn no_answer_of_a_ledger_is_too_large_to_be_booked() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let absurd = Amount {
        calls: Some(u64::MAX),
        unpriced_calls: u64::MAX,
        input_tokens: u64::MAX,
        output_tokens: u64::MAX,
        cost: Dollars::of_pico(7),
    };
    let spend = Spend::of_models(
        ["opus", "haiku"]
            .map(|model| ModelSpend {
                amount: absurd,
                ..part(model, false, 7)
            })
            .into(),
    );
    assert_eq!(spend.unpriced_calls(), u64::MAX);
    for _ in 0..3 {
        ended(&store, spend.clone()).await?;
    }
    let tenant = TenantId::development();
    let totals = store
        .store
        .spend(&tenant, Period::default(), SpendGroup::Test);
    let [total] = &totals.await?[..] else {
        anyhow::bail!("one test with one kind of dollars")
    };
    assert_eq!(total.amount.cost, Dollars::of_pico(42));
    assert!(total.amount.input_tokens >= 1_000_000_000_000);
    Ok(())
}

#[tokio::test]
async fn a_stop_by_budget_is_kept_with_its_overshoot() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let mut spend = Spend::of_models(vec![part("opus", true, 12)]);
    let cap = Cap {
        real: Some(Dollars::of_pico(10)),
        simulated: Some(Dollars::of_pico(10)),
    };
    spend.reached = spend.reached(cap);
    ended(&store, spend.clone()).await?;
    let stops = async || {
        store
            .store
            .budget_stops(&store.tenant, Period::default())
            .await
    };
    assert_eq!(stops().await?, [], "it ended by itself");
    if let Some(reached) = &mut spend.reached {
        reached.stopped = true;
    }
    let run = ended(&store, spend).await?;
    let stopped = stops().await?;
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].number, run.number);
    assert_eq!(stopped[0].reached.overshoot.pico(), 2);
    assert!(stopped[0].reached.simulated);
    Ok(())
}

#[tokio::test]
async fn a_forecast_is_kept_and_runs_of_a_kind_are_found() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let run = store.running().await?;
    let forecast = store.store.forecast(&run.address()).await?;
    assert_eq!(forecast.as_deref(), Some(r#"{"runs":0}"#));
    let alike = |script: &str| Alike {
        tenant: store.tenant.clone(),
        script: script.to_owned(),
        environment: "local".to_owned(),
        scenario: "Smoke".to_owned(),
    };
    // Without a verdict its figures do not count.
    store.finish(&run, RunStatus::Completed).await?;
    assert!(
        store
            .store
            .alike(&alike("tests/smoke.js"), 5)
            .await?
            .is_empty()
    );
    assert_eq!(store.store.admits(&store.tenant, 1).await.ok(), Some(()));
    Ok(())
}

#[tokio::test]
async fn the_latest_runs_of_a_trigger_have_a_mean() -> anyhow::Result<()> {
    let store = TestStore::open().await?;
    let mean = async |trigger, runs| store.store.mean_cost(&store.tenant, trigger, runs).await;
    assert_eq!(mean("", 20).await?, None);
    for cost in [100, 3, 4] {
        let both = vec![part("opus", false, cost), part("opus", true, 10)];
        ended(&store, Spend::of_models(both)).await?;
    }
    ended(&store, Spend::default()).await?;
    // Under way: nobody knows its cost yet.
    store.running().await?;
    let found = mean("", 3).await?;
    let found = found.map(|it| (it.runs, it.real.pico(), it.simulated.pico()));
    // Of 3, 4 and 0, and of 10, 10 and 0, rounded up.
    assert_eq!(found, Some((3, 3, 7)));
    assert_eq!(mean("schedule nightly", 20).await?, None);
    let other = TenantId::parse("other")?;
    assert_eq!(store.store.mean_cost(&other, "", 20).await?, None);
    Ok(())
}
