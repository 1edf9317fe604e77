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
    AccountsError, BudgetAccounts, BudgetRefusal, Claim, LimitKind, Settlement, Standing, Verdict,
    bucket::Bucket, period::Periods,
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

#[derive(Debug)]
struct Account {
    day: (Date, i64),
    /// By its first day.
    month: (Date, i64),
    reserved: HashMap<Uuid, Reservation>,
}

#[derive(Debug)]
struct Reservation {
    amount: i64,
    ends: Timestamp,
}

#[derive(Debug, Default)]
struct Buckets {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
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
        let account = match money.get_mut(&(claim.tenant.clone(), claim.simulated)) {
            None if claim.limits_money() => return Ok(Verdict::Unknown),
            account => account,
        };
        let buckets = rates
            .entry((claim.tenant.clone(), claim.provider))
            .or_default();
        if let Some(refusal) = buckets.refusal(claim) {
            return Ok(Verdict::Refused(refusal));
        }
        if let Some(account) = account {
            account.turn_to(claim.at);
            if let Some(refusal) = account.refusal(claim, claim.money) {
                return Ok(Verdict::Refused(refusal));
            }
            account.hold(claim, claim.money);
        }
        buckets.take(1, claim.tokens);
        Ok(Verdict::Granted)
    }

    async fn open(&self, claim: &Claim, day: PicoUsd, month: PicoUsd) -> Result<(), AccountsError> {
        let periods = Periods::at(claim.at);
        let key = (claim.tenant.clone(), claim.simulated);
        self.state().money.entry(key).or_insert_with(|| Account {
            day: (periods.today, day.get()),
            month: (periods.first, month.get()),
            reserved: HashMap::new(),
        });
        Ok(())
    }

    async fn extend(&self, claim: &Claim, more: PicoUsd) -> Result<Verdict, AccountsError> {
        let mut state = self.state();
        let key = (claim.tenant.clone(), claim.simulated);
        let Some(account) = state.money.get_mut(&key) else {
            return Ok(Verdict::Unknown);
        };
        account.turn_to(Timestamp::now());
        if let Some(refusal) = account.refusal(claim, more) {
            return Ok(Verdict::Refused(refusal));
        }
        account.hold(claim, more);
        Ok(Verdict::Granted)
    }

    fn settle(&self, settlement: Settlement) {
        let mut state = self.state();
        let claim = &settlement.claim;
        let rate = (claim.tenant.clone(), claim.provider);
        if let Some(buckets) = state.rates.get_mut(&rate) {
            buckets.correct(claim.tokens, settlement.tokens);
        }
        let key = (claim.tenant.clone(), claim.simulated);
        if let Some(account) = state.money.get_mut(&key) {
            account.reserved.remove(&claim.id);
            account.book(claim.at, settlement.spent.get());
        }
    }

    async fn standing(
        &self,
        tenant: &TenantId,
        simulated: bool,
        at: Timestamp,
    ) -> Result<Option<Standing>, AccountsError> {
        let mut state = self.state();
        let account = state.money.get_mut(&(tenant.clone(), simulated));
        Ok(account.map(|account| {
            account.turn_to(at);
            Standing {
                day_spent: PicoUsd::new(account.day.1),
                month_spent: PicoUsd::new(account.month.1),
                reserved: PicoUsd::new(account.reserved()),
            }
        }))
    }
}

impl Account {
    /// Begins a new day or month when it is one, and releases reservations past their time.
    fn turn_to(&mut self, at: Timestamp) {
        let periods = Periods::at(at);
        if self.day.0 < periods.today {
            self.day = (periods.today, 0);
        }
        if self.month.0 < periods.first {
            self.month = (periods.first, 0);
        }
        self.reserved.retain(|_, reservation| at < reservation.ends);
    }

    fn reserved(&self) -> i64 {
        let amounts = self.reserved.values().map(|reservation| reservation.amount);
        amounts.fold(0, i64::saturating_add)
    }

    fn refusal(&self, claim: &Claim, wanted: PicoUsd) -> Option<BudgetRefusal> {
        let periods = Periods::at(claim.at);
        for (limit, allowed, spent, retry_after) in [
            (LimitKind::Day, claim.day, self.day.1, periods.rest_of_day()),
            (
                LimitKind::Month,
                claim.month,
                self.month.1,
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

    fn hold(&mut self, claim: &Claim, more: PicoUsd) {
        let ends = SignedDuration::try_from(claim.lives).unwrap_or(SignedDuration::MAX);
        let held = self.reserved.entry(claim.id).or_insert(Reservation {
            amount: 0,
            ends: claim.at.saturating_add(ends).unwrap_or(Timestamp::MAX),
        });
        held.amount = held.amount.saturating_add(more.get());
    }

    /// An attempt counts in the day and the month in which it began, as in the ledger.
    fn book(&mut self, at: Timestamp, spent: i64) {
        let periods = Periods::at(at);
        for (period, account) in [
            (periods.today, &mut self.day),
            (periods.first, &mut self.month),
        ] {
            if account.0 == period {
                account.1 = account.1.saturating_add(spent);
            }
        }
    }
}

impl Buckets {
    fn refusal(&mut self, claim: &Claim) -> Option<BudgetRefusal> {
        let rate = &claim.rate;
        for (limit, allowed, wanted, bucket) in [
            (
                LimitKind::Requests,
                rate.requests_per_minute,
                1,
                &mut self.requests,
            ),
            (
                LimitKind::Tokens,
                rate.tokens_per_minute,
                claim.tokens,
                &mut self.tokens,
            ),
        ] {
            let Some(allowed) = allowed else {
                *bucket = None;
                continue;
            };
            let bucket = bucket.get_or_insert_with(|| Bucket::full(allowed, claim.at));
            bucket.refill(allowed, claim.at);
            let retry_after = bucket.wait(allowed, wanted);
            if !retry_after.is_zero() {
                return Some(BudgetRefusal::Reached {
                    limit,
                    allowed: i64::try_from(allowed).unwrap_or(i64::MAX),
                    left: bucket.left(),
                    asked: i64::try_from(wanted).unwrap_or(i64::MAX),
                    retry_after,
                });
            }
        }
        None
    }

    fn take(&mut self, requests: i64, tokens: u64) {
        if let Some(bucket) = &mut self.requests {
            bucket.take(requests);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.take(i64::try_from(tokens).unwrap_or(i64::MAX));
        }
    }

    /// Takes what was used instead of what was estimated.
    fn correct(&mut self, estimated: u64, used: u64) {
        let whole = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
        if let Some(bucket) = &mut self.tokens {
            bucket.take(whole(used).saturating_sub(whole(estimated)));
        }
    }
}
