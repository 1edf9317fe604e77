//! How many retries a provider's calls may have together, so that its trouble is not made worse.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// What a retry takes: the balance is counted in hundredths, so that a percentage is whole.
const RETRY: u64 = 100;

/// What a provider of few calls has all the same: ten retries at once.
const FLOOR: u64 = 10 * RETRY;

/// How fast a balance below the floor grows by itself: one retry a second.
const FLOOR_PER_SECOND: u64 = RETRY;

/// Most that can be saved up, so that a good hour does not pay for a storm.
const MOST: u64 = 100 * RETRY;

/// A bucket of retries: each call puts in its percentage, each retry takes one out.
pub(crate) struct RetryBudget {
    percent: u32,
    balance: Mutex<Balance>,
}

struct Balance {
    hundredths: u64,
    /// Until when the growth below the floor is counted.
    grown_until: Instant,
}

impl RetryBudget {
    pub(crate) fn new(percent: u32) -> Self {
        Self {
            percent,
            balance: Mutex::new(Balance {
                hundredths: FLOOR,
                grown_until: Instant::now(),
            }),
        }
    }

    /// A call begins.
    pub(crate) fn deposit(&self) {
        self.with_balance(|balance| {
            let sum = balance.hundredths + u64::from(self.percent);
            balance.hundredths = sum.min(MOST);
        });
    }

    /// Whether there may be a retry; it is taken from the balance.
    pub(crate) fn withdraw(&self) -> bool {
        self.with_balance(|balance| {
            let rest = balance.hundredths.checked_sub(RETRY);
            balance.hundredths = rest.unwrap_or(balance.hundredths);
            rest.is_some()
        })
    }

    fn with_balance<T>(&self, change: impl FnOnce(&mut Balance) -> T) -> T {
        let mut balance = self.balance.lock().unwrap_or_else(PoisonError::into_inner);
        balance.grow();
        change(&mut balance)
    }
}

impl Balance {
    fn grow(&mut self) {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.grown_until);
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let grown = milliseconds.saturating_mul(FLOOR_PER_SECOND) / 1_000;
        if self.hundredths >= FLOOR {
            self.grown_until = now;
        } else if grown > 0 {
            self.hundredths = self.hundredths.saturating_add(grown).min(FLOOR);
            // Not to `now`: what is left of the time counts next time.
            self.grown_until += Duration::from_millis(grown * 1_000 / FLOOR_PER_SECOND);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many retries there are now.
    fn drain(budget: &RetryBudget) -> usize {
        (0..1_000).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_add_their_share_to_the_floor() {
        let budget = RetryBudget::new(20);
        assert_eq!(drain(&budget), 10);
        for _ in 0..14 {
            budget.deposit();
        }
        assert_eq!(drain(&budget), 2);
        budget.deposit();
        assert_eq!(drain(&budget), 1, "the rest of the first 14 calls counts");
    }

    #[tokio::test(start_paused = true)]
    async fn time_fills_it_up_to_the_floor_only() {
        let budget = RetryBudget::new(0);
        assert_eq!(drain(&budget), 10);
        for _ in 0..1_000 {
            tokio::time::advance(Duration::from_millis(3)).await;
            budget.deposit();
        }
        assert_eq!(drain(&budget), 3, "however often it is looked at");
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(drain(&budget), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_saved_has_a_bound() {
        let budget = RetryBudget::new(100);
        for _ in 0..1_000 {
            budget.deposit();
        }
        assert_eq!(drain(&budget), 100);
    }
}
