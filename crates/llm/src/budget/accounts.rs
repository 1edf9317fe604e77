//! What budgets need of a place that counts money and requests.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use money::PicoUsd;
use tenancy::TenantId;
use uuid::Uuid;

use super::{BudgetLimits, BudgetRefusal, RateLimit};
use crate::ProviderName;

/// What an attempt asks for before it is sent.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Of this reservation alone.
    pub id: Uuid,
    /// Who pays.
    pub tenant: TenantId,
    /// Who is to be asked.
    pub provider: ProviderName,
    /// Whether a simulator answers in its place.
    pub simulated: bool,
    /// When.
    pub at: Timestamp,
    /// Money in a day.
    pub day: Option<PicoUsd>,
    /// Money in a month.
    pub month: Option<PicoUsd>,
    /// Requests and tokens in a minute.
    pub rate: RateLimit,
    /// Money to reserve.
    pub money: PicoUsd,
    /// Tokens to reserve.
    pub tokens: u64,
    /// When a reservation that nobody settles is released.
    pub lives: Duration,
}

/// The end of an attempt that had a reservation.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// What was asked for at first.
    pub claim: Claim,
    /// All that was reserved in the end.
    pub reserved: PicoUsd,
    /// What it cost.
    pub spent: PicoUsd,
    /// The tokens that it took.
    pub tokens: u64,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Reserved, all of it.
    Granted,
    /// Nothing is reserved.
    Refused(BudgetRefusal),
    /// Nothing is reserved: nobody has told what was spent before, since this many times that it
    /// was to be told anew.
    Unknown(Epoch),
}

/// How many times an account was forgotten. What was read before the last time may lack what made
/// it be forgotten.
pub type Epoch = u64;

/// What is spent and reserved in a day and a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Spent since midnight.
    pub day_spent: PicoUsd,
    /// Spent since the first of the month.
    pub month_spent: PicoUsd,
    /// Reserved for attempts under way.
    pub reserved: PicoUsd,
}

/// Why accounts cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// They failed.
    #[error("the budgets' accounts failed: {0}")]
    Failed(String),
    /// They did not answer in time.
    #[error("the budgets' accounts did not answer in time")]
    Late,
}

/// Counts what tenants spend. Each call is atomic, however many are made at once.
///
/// The ledger is the truth: an account that may not say the same any more is forgotten, and opened
/// anew with the ledger's sums by the next claim. That is so whenever an attempt ends whose
/// reservation is not held, or was held already when the account was opened, or ended by time.
#[async_trait]
pub trait BudgetAccounts: Send + Sync {
    /// Reserves everything that is claimed, or nothing.
    ///
    /// # Errors
    /// Accounts that cannot be asked; they may have reserved nevertheless, so the claim is to be
    /// settled.
    async fn reserve(&self, claim: &Claim) -> Result<Verdict, AccountsError>;

    /// Says what was spent before the claim's day and month were first asked for; ignored when
    /// that is known, or was forgotten since `epoch`.
    ///
    /// # Errors
    /// Accounts that cannot be asked.
    async fn open(
        &self,
        claim: &Claim,
        epoch: Epoch,
        day: PicoUsd,
        month: PicoUsd,
    ) -> Result<(), AccountsError>;

    /// Reserves more money for a claim that was granted.
    ///
    /// # Errors
    /// Accounts that cannot be asked; they may have reserved nevertheless.
    async fn extend(&self, claim: &Claim, more: PicoUsd) -> Result<Verdict, AccountsError>;

    /// Books what an attempt cost in place of what was reserved for it, once. Does not wait.
    fn settle(&self, settlement: Settlement);

    /// Forgets what the tenant has spent; what is reserved stays so.
    ///
    /// # Errors
    /// Accounts that cannot be asked.
    async fn forget(&self, tenant: &TenantId) -> Result<(), AccountsError>;

    /// What is spent and reserved, if it is known here.
    ///
    /// # Errors
    /// Accounts that cannot be asked.
    async fn standing(
        &self,
        tenant: &TenantId,
        simulated: bool,
        at: Timestamp,
    ) -> Result<Option<Standing>, AccountsError>;
}

impl Claim {
    /// The claim of an attempt of a tenant with these limits.
    pub(super) fn limited_by(mut self, limits: &BudgetLimits) -> Self {
        self.day = limits.day;
        self.month = limits.month;
        self.rate = limits.rate(self.provider);
        self
    }

    /// Whether money is limited.
    pub(super) fn limits_money(&self) -> bool {
        self.day.is_some() || self.month.is_some()
    }
}
