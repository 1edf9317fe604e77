//! Budgets: how much a tenant may spend in a day and a month, and how fast it may ask.
//!
//! Before an attempt is sent, its estimated cost is reserved; afterwards what it really cost is
//! booked in the reservation's place. A stream reserves a slice at a time and is cut off at the
//! first piece of text that finds no more to reserve; one of a model that reasons, which nobody
//! sees, reserves its longest answer. So spending goes beyond a limit by at most one piece of text
//! for each stream under way, by what the provider wrote before it knew of the cut, and by what
//! its own count of an attempt exceeds our estimate of it.
//!
//! Limits lie beside the ledger. What is spent is counted in [`BudgetAccounts`]: in the process,
//! or in Redis for several processes. An account that is not known there yet, or may have missed
//! something, begins with what the ledger says, so neither is the only copy. A reservation whose
//! process was killed is released by time. Real and simulated money have accounts of their own under the same limits.

mod accounts;
mod bill;
mod bucket;
mod budgeted;
mod hold;
mod in_process;
mod limits;
mod metrics;
mod period;
mod redis;
mod refusal;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;
use money::PicoUsd;
use tenancy::TenantId;
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{Ledger, LedgerError, LedgerFilter, LedgerGroup};

pub use accounts::{AccountsError, BudgetAccounts, Claim, Epoch, Settlement, Standing, Verdict};
pub use bill::Bill;
pub use budgeted::Budgeted;
pub use in_process::InProcessAccounts;
pub use limits::{BudgetLimits, InvalidLimits, RateLimit};
pub use redis::RedisAccounts;
pub use refusal::{BudgetRefusal, LimitKind};

use metrics::Shown;
use period::Periods;

/// Tenants with limits; each has series of its own in the metrics.
pub const MAX_BUDGETS: usize = 200;

/// How often limits that another process has set are read, and the metrics brought up to date.
const REFRESH: Duration = Duration::from_secs(5);

/// Longest wait for the accounts or the ledger before a call is refused, or let through unchecked.
const PATIENCE: Duration = Duration::from_secs(1);

/// What happens to calls while the accounts cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// They are refused: no money is spent that nobody counts.
    Refuse,
    /// They pass unchecked.
    Allow,
}

/// The budgets of all tenants.
pub struct Budgets {
    limits: RwLock<HashMap<TenantId, Arc<BudgetLimits>>>,
    /// Held while limits are read or written with their store, so that what was read before a
    /// change does not undo it.
    changing: Mutex<()>,
    ledger: Arc<Ledger>,
    accounts: Arc<dyn BudgetAccounts>,
    on_failure: OnFailure,
}

impl Budgets {
    /// Reads the limits that lie beside the ledger.
    ///
    /// # Errors
    /// A failing ledger.
    pub async fn load(
        ledger: Arc<Ledger>,
        accounts: Arc<dyn BudgetAccounts>,
        on_failure: OnFailure,
    ) -> Result<Self, LedgerError> {
        let budgets = Self {
            limits: RwLock::default(),
            changing: Mutex::default(),
            ledger,
            accounts,
            on_failure,
        };
        budgets.refresh().await?;
        Ok(budgets)
    }

    /// Budgets of a process of which no tenant has limits yet.
    #[must_use]
    pub fn none(ledger: &Arc<Ledger>) -> Self {
        Self {
            limits: RwLock::default(),
            changing: Mutex::default(),
            ledger: Arc::clone(ledger),
            accounts: Arc::new(InProcessAccounts::default()),
            on_failure: OnFailure::Refuse,
        }
    }

    /// The limits of a tenant.
    #[must_use]
    pub fn limits(&self, tenant: &TenantId) -> Option<Arc<BudgetLimits>> {
        let limits = self.limits.read().unwrap_or_else(PoisonError::into_inner);
        limits.get(tenant).cloned()
    }

    /// The limits of every tenant that has some.
    #[must_use]
    pub fn all(&self) -> Vec<(TenantId, Arc<BudgetLimits>)> {
        let limits = self.limits.read().unwrap_or_else(PoisonError::into_inner);
        let pairs = limits.iter();
        pairs
            .map(|(tenant, limits)| (tenant.clone(), Arc::clone(limits)))
            .collect()
    }

    /// Sets the limits of a tenant; empty ones are none. Whether there was room for them.
    ///
    /// # Errors
    /// A failing ledger.
    pub async fn set(&self, tenant: &TenantId, limits: BudgetLimits) -> Result<bool, LedgerError> {
        let _changing = self.changing.lock().await;
        let (room, limited) = {
            let present = self.limits.read().unwrap_or_else(PoisonError::into_inner);
            let before = present.get(tenant);
            let room = before.is_some() || present.len() < MAX_BUDGETS;
            (room, before.is_some_and(|limits| limits.limit_money()))
        };
        if !room {
            return Ok(false);
        }
        let stored = (!limits.is_empty()).then(|| limits.to_text());
        self.ledger.set_budget(tenant, stored).await?;
        if limits.limit_money() != limited {
            self.forget(tenant).await;
        }
        let mut present = self.limits.write().unwrap_or_else(PoisonError::into_inner);
        if limits.is_empty() {
            present.remove(tenant);
        } else {
            present.insert(tenant.clone(), Arc::new(limits));
        }
        Ok(true)
    }

    /// What a tenant has spent and reserved in the present day and month, of real or of simulated
    /// money.
    ///
    /// # Errors
    /// Accounts or a ledger that fail or do not answer in time.
    pub async fn standing(
        &self,
        tenant: &TenantId,
        simulated: bool,
    ) -> Result<Standing, AccountsError> {
        let at = Timestamp::now();
        let ask = async {
            if let Some(standing) = self.accounts.standing(tenant, simulated, at).await? {
                return Ok(standing);
            }
            let (day, month) = self.spent_before(tenant, simulated, at).await?;
            Ok(Standing {
                day_spent: day,
                month_spent: month,
                reserved: PicoUsd::ZERO,
            })
        };
        timeout(PATIENCE, ask)
            .await
            .unwrap_or(Err(AccountsError::Late))
    }

    /// Keeps limits and metrics up to date from now on, until the task is aborted.
    pub fn watch(self: &Arc<Self>) -> JoinHandle<()> {
        let budgets = Arc::clone(self);
        tokio::spawn(async move {
            let mut shown = Shown::default();
            let mut round = interval(REFRESH);
            round.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                round.tick().await;
                if let Err(error) = budgets.refresh().await {
                    tracing::warn!(%error, "the budgets' limits could not be read again");
                }
                if timeout(REFRESH, shown.update(&budgets)).await.is_err() {
                    tracing::warn!("the budgets' accounts are too slow for their metrics");
                }
            }
        })
    }

    /// What is spent without limits is counted in the ledger alone: the account begins anew with it.
    /// Accounts that fail now do so before the next claim.
    async fn forget(&self, tenant: &TenantId) {
        let forgotten = timeout(PATIENCE, self.accounts.forget(tenant)).await;
        if let Err(error) = forgotten.unwrap_or(Err(AccountsError::Late)) {
            tracing::warn!(%error, %tenant, "a budget's account could not be opened anew");
        }
    }

    /// Asks for the reservation of an attempt, for as long as [`PATIENCE`].
    async fn reserve(&self, claim: &Claim) -> Result<Verdict, AccountsError> {
        let ask = async {
            match self.accounts.reserve(claim).await? {
                Verdict::Unknown(epoch) => {
                    let spent = self.spent_before(&claim.tenant, claim.simulated, claim.at);
                    let (day, month) = spent.await?;
                    self.accounts.open(claim, epoch, day, month).await?;
                    self.accounts.reserve(claim).await
                }
                verdict => Ok(verdict),
            }
        };
        timeout(PATIENCE, ask)
            .await
            .unwrap_or(Err(AccountsError::Late))
    }

    /// What the ledger says was spent in the day and the month until now.
    async fn spent_before(
        &self,
        tenant: &TenantId,
        simulated: bool,
        at: Timestamp,
    ) -> Result<(PicoUsd, PicoUsd), AccountsError> {
        let periods = Periods::at(at);
        let filter = LedgerFilter {
            simulated: Some(simulated),
            from: Some(periods.month_begins()),
            ..LedgerFilter::of(tenant.clone())
        };
        let failed = |error: LedgerError| AccountsError::Failed(error.to_string());
        self.ledger.flush().await.map_err(failed)?;
        let days = self.ledger.totals(filter, LedgerGroup::Day).await;
        let days = days.map_err(failed)?;
        let day = periods.day();
        let today = days.iter().filter(|total| total.key == day);
        let amount = |sum: i128| PicoUsd::new(i64::try_from(sum).unwrap_or(i64::MAX));
        Ok((
            amount(today.map(|total| total.cost).sum()),
            amount(days.iter().map(|total| total.cost).sum()),
        ))
    }

    async fn refresh(&self) -> Result<(), LedgerError> {
        let _changing = self.changing.lock().await;
        let mut limits = HashMap::new();
        for (tenant, text) in self.ledger.budgets().await? {
            let corrupt = |what: &str| LedgerError::Corrupt(format!("budget: {what}"));
            let tenant = TenantId::parse(&tenant).map_err(|_| corrupt("tenant"))?;
            let read = BudgetLimits::from_text(&text).ok_or_else(|| corrupt("limits"))?;
            limits.insert(tenant, Arc::new(read));
        }
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
        Ok(())
    }
}
