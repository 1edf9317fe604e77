//! Accounts of this process alone: right as long as no other one spends the same tenants' money.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp, civil::Date};
use money::PicoUsd;
use tenancy::TenantId;
use uuid::Uuid;

use super::{
    AccountsError, BudgetAccounts, BudgetRefusal, Claim, Epoch, LimitKind, Settlement, Standing,
    Verdict, bucket::Buckets, period::Periods,
};
use crate::ProviderName;

/// Accounts in memory. There is one for each tenant that has limits, of which there are few.
#[derive(Debug, Default)]
pub struct InProcessAccounts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    money: HashMap<(TenantId, bool), Account>,
    rates: HashMap<(TenantId, ProviderName), Buckets>,
}

#[derive(Debug, Default)]
struct Account {
    /// `None` until somebody tells, and again when it is to be read anew.
    spent: Option<Spent>,
    /// How many times it was to be read anew.
    epoch: Epoch,
    reserved: HashMap<Uuid, Reservation>,
}

#[derive(Debug)]
struct Spent {
    day: (Date, i64),
    /// By its first day.
    month: (Date, i64),
}

#[derive(Debug)]
struct Reservation {
    amount: i64,
    ends: Timestamp,
    /// Whether the account was opened while it was held: what was spent may contain it or not.
    from_before: bool,
}

impl InProcessAccounts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BudgetAccounts for InProcessAccounts {
    async fn reserve(&self, claim: &Claim) -> Result<Verdict, AccountsError> {
        let mut state = self.state();
        let State { money, rates } = &mut *state;
        let account = money.entry(key_of(claim)).or_default();
        account.turn_to(claim.at);
        if claim.limits_money() && account.spent.is_none() {
            return Ok(Verdict::Unknown(account.epoch));
        }
        let buckets = rates
            .entry((claim.tenant.clone(), claim.provider))
            .or_default();
        let refusal = buckets.refusal(claim);
        if let Some(refusal) = refusal.or_else(|| account.refusal(claim, claim.money)) {
            return Ok(Verdict::Refused(refusal));
        }
        account.hold(claim);
        buckets.take(1, claim.tokens);
        Ok(Verdict::Granted)
    }

    async fn open(
        &self,
        claim: &Claim,
        epoch: Epoch,
        day: PicoUsd,
        month: PicoUsd,
    ) -> Result<(), AccountsError> {
        let periods = Periods::at(claim.at);
        let mut state = self.state();
        let account = state.money.entry(key_of(claim)).or_default();
        if account.spent.is_none() && account.epoch == epoch {
            account.spent = Some(Spent {
                day: (periods.today, day.get()),
                month: (periods.first, month.get()),
            });
            let held = account.reserved.values_mut();
            held.for_each(|reservation| reservation.from_before = true);
        }
        Ok(())
    }

    async fn extend(&self, claim: &Claim, more: PicoUsd) -> Result<Verdict, AccountsError> {
        let mut state = self.state();
        let account = state.money.entry(key_of(claim)).or_default();
        account.turn_to(Timestamp::now());
        if account.spent.is_none() || !account.reserved.contains_key(&claim.id) {
            return Ok(Verdict::Unknown(account.epoch));
        }
        if let Some(refusal) = account.refusal(claim, more) {
            return Ok(Verdict::Refused(refusal));
        }
        if let Some(held) = account.reserved.get_mut(&claim.id) {
            held.amount = held.amount.saturating_add(more.get());
        }
        Ok(Verdict::Granted)
    }

    fn settle(&self, settlement: Settlement) {
        let mut state = self.state();
        let claim = &settlement.claim;
        let account = state.money.entry(key_of(claim)).or_default();
        let Some(held) = account.reserved.remove(&claim.id) else {
            return account.forget();
        };
        if held.from_before {
            account.forget();
        } else {
            account.book(claim.at, settlement.spent.get());
        }
        let rate = (claim.tenant.clone(), claim.provider);
        if let Some(buckets) = state.rates.get_mut(&rate) {
            buckets.correct(claim.tokens, settlement.tokens);
        }
    }

    async fn forget(&self, tenant: &TenantId) -> Result<(), AccountsError> {
        let mut state = self.state();
        for simulated in [false, true] {
            if let Some(account) = state.money.get_mut(&(tenant.clone(), simulated)) {
                account.forget();
            }
        }
        Ok(())
    }

    async fn standing(
        &self,
        tenant: &TenantId,
        simulated: bool,
        at: Timestamp,
    ) -> Result<Option<Standing>, AccountsError> {
        let mut state = self.state();
        let account = state.money.get_mut(&(tenant.clone(), simulated));
        Ok(account.and_then(|account| {
            account.turn_to(at);
            let spent = account.spent.as_ref()?;
            Some(Standing {
                day_spent: PicoUsd::new(spent.day.1),
                month_spent: PicoUsd::new(spent.month.1),
                reserved: PicoUsd::new(account.reserved()),
            })
        }))
    }
}

fn key_of(claim: &Claim) -> (TenantId, bool) {
    (claim.tenant.clone(), claim.simulated)
}

impl Account {
    /// Begins a new day or month when it is one, and releases reservations past their time, of
    /// which nobody told what they cost.
    fn turn_to(&mut self, at: Timestamp) {
        let periods = Periods::at(at);
        if let Some(spent) = &mut self.spent {
            if spent.day.0 < periods.today {
                spent.day = (periods.today, 0);
            }
            if spent.month.0 < periods.first {
                spent.month = (periods.first, 0);
            }
        }
        let held = self.reserved.len();
        self.reserved.retain(|_, reservation| at < reservation.ends);
        if self.reserved.len() < held {
            self.forget();
        }
    }

    /// What was spent is to be read anew.
    fn forget(&mut self) {
        self.spent = None;
        self.epoch += 1;
    }

    fn reserved(&self) -> i64 {
        let amounts = self.reserved.values().map(|reservation| reservation.amount);
        amounts.fold(0, i64::saturating_add)
    }

    fn refusal(&self, claim: &Claim, wanted: PicoUsd) -> Option<BudgetRefusal> {
        let periods = Periods::at(claim.at);
        let spent = self.spent.as_ref()?;
        for (limit, allowed, spent, retry_after) in [
            (
                LimitKind::Day,
                claim.day,
                spent.day.1,
                periods.rest_of_day(),
            ),
            (
                LimitKind::Month,
                claim.month,
                spent.month.1,
                periods.rest_of_month(),
            ),
        ] {
            let Some(allowed) = allowed.map(PicoUsd::get) else {
                continue;
            };
            let left = allowed
                .saturating_sub(spent)
                .saturating_sub(self.reserved());
            // A limit of nothing allows nothing, not even what costs nothing.
            if wanted.get() > left || left <= 0 {
                return Some(BudgetRefusal::Reached {
                    limit,
                    allowed,
                    left,
                    asked: wanted.get(),
                    retry_after,
                });
            }
        }
        None
    }

    fn hold(&mut self, claim: &Claim) {
        let ends = SignedDuration::try_from(claim.lives).unwrap_or(SignedDuration::MAX);
        let reservation = Reservation {
            amount: claim.money.get(),
            ends: claim.at.saturating_add(ends).unwrap_or(Timestamp::MAX),
            from_before: false,
        };
        self.reserved.insert(claim.id, reservation);
    }

    /// An attempt counts in the day and the month in which it began, as in the ledger.
    fn book(&mut self, at: Timestamp, spent: i64) {
        let periods = Periods::at(at);
        let Some(known) = &mut self.spent else { return };
        for (period, account) in [
            (periods.today, &mut known.day),
            (periods.first, &mut known.month),
        ] {
            if account.0 == period {
                account.1 = account.1.saturating_add(spent);
            }
        }
    }
}
