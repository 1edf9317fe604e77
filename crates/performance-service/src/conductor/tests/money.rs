//! Runs that cost money, while k6 or their scripts fail.

use load_analysis::dollars::Dollars;
use load_analysis::metric::{Contains, MetricKind};
use load_analysis::results::{Coverage, MetricResult, Results};
use load_analysis::spend::{Amount, ModelSpend};
use load_analysis::verdict::{Level, Verdict};
use service_defaults::problem::Problem;

use super::*;
use crate::runs::request::{StartBody, Word};

/// A target that was paid once.
struct PaidLedger;

#[async_trait]
impl Ledger for PaidLedger {
    async fn spend(&self, target: &BilledTarget, _: &str) -> Result<Spend, LedgerError> {
        assert_eq!(target.base_url, "http://127.0.0.1:1");
        Ok(paid())
    }
}

pub(super) fn paid() -> Spend {
    Spend::of_models(vec![ModelSpend {
        model: "sonnet".to_owned(),
        simulated: false,
        amount: Amount {
            cost: Dollars::of_pico(7),
            ..Amount::default()
        },
    }])
}

/// k6 does not say what its script will do: it hangs, or others take the places of forecasts.
#[tokio::test(start_paused = true)]
async fn a_run_whose_kind_costs_money_starts_by_confirmation_only() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(Duration::from_secs(5)).await?;
    let shared = &laboratory.conductor.shared;
    let asked = async |body: StartBody| {
        let run = RunAddress {
            tenant: TenantId::development(),
            id: RunId::generate(),
        };
        let planned = shared.planner.plan(&run, &body).map_err(told)?;
        let confirmed = shared.confirmed(&run, &planned, &body).await;
        anyhow::Ok(confirmed.map(|expected| expected.is_none()))
    };
    let unconfirmed = asked(StartBody::default()).await?;
    assert!(unconfirmed.is_ok_and(|unforecast| unforecast), "no money");

    let queued = laboratory.enqueue().await?;
    let run = shared.take(&queued, &CancellationToken::new()).await;
    let run = run.expect("the run is taken");
    let outcome = Outcome {
        results: Some(serde_json::to_string(&results())?),
        verdict: Some(Verdict {
            level: Level::Pass,
            exit_code: 0,
            reasons: Vec::new(),
        }),
        ..completed()
    };
    shared.store_end(&run, &outcome).await;
    let refused = asked(StartBody::default()).await?;
    let refused = refused.expect_err("it costs money");
    assert_eq!(refused.status(), 409, "{}", refused.detail());
    let confirmed = StartBody {
        confirm_dollars: Some(Word("10".to_owned())),
        ..StartBody::default()
    };
    assert!(asked(confirmed).await?.is_ok());
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn told(problem: Problem) -> anyhow::Error {
    anyhow::anyhow!("{}", problem.detail())
}

/// What one iteration of one paid request gives.
fn results() -> Results {
    let metric = |values: &[(&str, f64)]| MetricResult {
        kind: MetricKind::Counter,
        contains: Contains::Default,
        values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
    };
    let metrics = [
        ("iterations", metric(&[("count", 1.0)])),
        ("iteration_duration", metric(&[("avg", 1_000.0)])),
        ("http_reqs", metric(&[("count", 1.0), ("rate", 1.0)])),
    ];
    Results {
        metrics: metrics
            .map(|(name, metric)| (name.to_owned(), metric))
            .into(),
        coverage: Coverage {
            load_seconds: 1.0,
            ..Coverage::default()
        },
        spend: Some(paid()),
        ..Results::default()
    }
}

/// What a script appends to the address of its target is no place for a ledger or for metrics.
#[tokio::test]
async fn a_target_is_billed_at_its_listed_address() -> anyhow::Result<()> {
    let laboratory = Laboratory::open(Duration::from_secs(5)).await?;
    let address = Word("http://127.0.0.1:1/x".to_owned());
    let body = StartBody {
        environment: BTreeMap::from([("BASE_URL".to_owned(), address)]),
        ..StartBody::default()
    };
    let run = laboratory.enqueue().await?.address();
    let planner = &laboratory.conductor.shared.planner;
    let planned = planner.plan(&run, &body).map_err(told)?;
    assert_eq!(planned.plan.target.base_url(), "http://127.0.0.1:1/x");
    assert_eq!(planned.billing().target.base_url, "http://127.0.0.1:1");
    Ok(())
}

/// A script may be gone when the service that died is started again, but what it spent is not.
#[tokio::test]
async fn a_run_that_cannot_be_planned_any_more_is_billed() -> anyhow::Result<()> {
    let mut laboratory = Laboratory::open(Duration::from_secs(5)).await?;
    let run = laboratory.enqueue().await?;
    let shared = Arc::get_mut(&mut laboratory.conductor.shared).expect("nobody else has it");
    shared.ledger = Arc::new(PaidLedger);
    let script = laboratory.directory.path().join("k6/tests/load.js");
    std::fs::remove_file(script)?;
    let shared = &laboratory.conductor.shared;
    assert!(shared.plan_of(&run).await.is_err());
    assert_eq!(within(shared.spend_of(&run)).await, Some(paid()));
    Ok(())
}
