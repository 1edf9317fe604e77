//! What cannot be seen from outside: limits that change while they are read, gauges without limits.

use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use async_trait::async_trait;
use futures_util::{future::join, poll};
use jiff::Timestamp;
use metrics_exporter_prometheus::PrometheusBuilder;
use money::PicoUsd;
use tempfile::TempDir;
use tenancy::TenantId;
use tokio::time::timeout;

use super::{metrics::Shown, *};

fn limits(day: i64) -> BudgetLimits {
    BudgetLimits {
        day: Some(PicoUsd::new(day)),
        ..BudgetLimits::default()
    }
}

async fn budgets(accounts: Arc<dyn BudgetAccounts>) -> (Budgets, TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let ledger = Ledger::open(&directory.path().join("ledger.db")).expect("a ledger");
    let budgets = Budgets::load(Arc::new(ledger), accounts, OnFailure::Refuse).await;
    (budgets.expect("budgets"), directory)
}

/// How long a change is given to overtake a read.
const PATIENCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn what_was_read_before_a_change_does_not_undo_it() {
    let (budgets, _directory) = budgets(Arc::new(InProcessAccounts::default())).await;
    let tenant = TenantId::development();
    for day in 1..=5 {
        let (mut read, mut change) = (
            pin!(budgets.refresh()),
            pin!(budgets.set(&tenant, limits(day))),
        );
        // The rows are asked for; the change is given time to overtake them, which it may not.
        if let Poll::Ready(read) = poll!(&mut read) {
            // They were there at once, before the change.
            read.expect("limits");
            assert!(change.await.expect("a change"));
        } else if timeout(PATIENCE, &mut change).await.is_ok() {
            read.await.expect("limits");
        } else {
            let (read, changed) = join(read, change).await;
            read.expect("limits");
            assert!(changed.expect("a change"));
        }
        let found = budgets.limits(&tenant).and_then(|limits| limits.day);
        assert_eq!(found, Some(PicoUsd::new(day)));
    }
}

/// Accounts that do not know what a tenant of this name has spent, and cannot find out.
struct FailFor(&'static str);

#[async_trait]
impl BudgetAccounts for FailFor {
    async fn reserve(&self, _: &Claim) -> Result<Verdict, AccountsError> {
        Err(AccountsError::Late)
    }

    async fn open(&self, _: &Claim, _: Epoch, _: PicoUsd, _: PicoUsd) -> Result<(), AccountsError> {
        Err(AccountsError::Late)
    }

    async fn extend(&self, _: &Claim, _: PicoUsd) -> Result<Verdict, AccountsError> {
        Err(AccountsError::Late)
    }

    fn settle(&self, _: Settlement) {}

    async fn forget(&self, _: &TenantId) -> Result<(), AccountsError> {
        Ok(())
    }

    async fn standing(
        &self,
        tenant: &TenantId,
        _: bool,
        _: Timestamp,
    ) -> Result<Option<Standing>, AccountsError> {
        match tenant.as_str() == self.0 {
            true => Err(AccountsError::Late),
            false => Ok(None),
        }
    }
}

#[tokio::test]
async fn gauges_end_with_their_limit_and_one_failing_tenant_stops_no_other() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let rendered = recorder.handle();
    let _recording = ::metrics::set_default_local_recorder(&recorder);
    for failing in ["a", "b"] {
        let (budgets, _directory) = budgets(Arc::new(FailFor(failing))).await;
        let mut shown = Shown::default();
        for name in ["a", "b"] {
            let tenant = TenantId::parse(name).expect("a tenant");
            assert!(budgets.set(&tenant, limits(7)).await.expect("a ledger"));
        }
        shown.update(&budgets).await;
        let other = if failing == "a" { "b" } else { "a" };
        let value = |tenant: &str| {
            let text = rendered.render();
            let mut lines = text.lines().map(str::to_owned);
            let labels = [format!("tenant=\"{tenant}\""), "simulated=\"true\"".into()];
            lines
                .find(|line| {
                    line.starts_with("bookstore_budget_limit_usd{")
                        && labels.iter().all(|label| line.contains(label))
                })
                .and_then(|line| line.rsplit(' ').next().map(str::to_owned))
        };
        let limit = value(other).expect("a series");
        assert_ne!(limit, "NaN");
        let tenant = TenantId::parse(other).expect("a tenant");
        let none = BudgetLimits::default();
        assert!(budgets.set(&tenant, none).await.expect("a ledger"));
        shown.update(&budgets).await;
        assert_eq!(value(other).as_deref(), Some("NaN"));
    }
}
