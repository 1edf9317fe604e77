//! A reservation from its grant to its settlement.

use std::{sync::Arc, time::Duration};

use instrumentation::catalogue::BUDGET_REFUSALS;
use jiff::Timestamp;
use money::PicoUsd;
use tenancy::TenantId;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    AccountsError, Bill, BudgetRefusal, Budgets, Claim, LimitKind, OnFailure, PATIENCE, RateLimit,
    Settlement, Verdict,
};
use crate::{
    LlmError, PriceCatalogue, PriceQuery, ProviderName, ServiceTier, Usage,
    capabilities::Capabilities,
};

/// Tokens of output that a stream reserves at a time: a few seconds of most models. Larger slices
/// would keep money from others, smaller ones ask the accounts more often.
const SLICE_TOKENS: u64 = 64;

/// How many times the whole call's deadline a reservation lives that nobody settles.
const LIVES: u32 = 2;

/// The longest call, where none is told.
const LONGEST_CALL: Duration = Duration::from_secs(600);

/// What an attempt has reserved, or may have: who gave up waiting for the accounts does not know.
/// Dropped, it is settled by the attempt's [`Bill`]; whatever is inside of it must be dropped
/// before.
pub(super) struct Hold {
    budgets: Arc<Budgets>,
    prices: Arc<PriceCatalogue>,
    model: String,
    service_tier: ServiceTier,
    claim: Claim,
    reserved: PicoUsd,
    bill: Arc<Bill>,
    /// Whether the accounts are asked for more. Not after they failed, if calls pass then: each
    /// piece of text would wait for them.
    is_checked: bool,
    /// Whether there is nothing to settle.
    is_settled: bool,
}

/// Who wants how much.
pub(super) struct Wanted {
    pub(super) provider: ProviderName,
    pub(super) simulated: bool,
    pub(super) model: String,
    /// The class of service that will be asked for.
    pub(super) service_tier: ServiceTier,
    /// The tokens that are reserved in money, if there is enough.
    pub(super) usage: Usage,
    /// The tokens without which nothing is sent.
    pub(super) least: Usage,
    /// The tokens that are reserved of the rate.
    pub(super) tokens: u64,
    pub(super) tenant: TenantId,
}

impl Hold {
    /// Reserves what is wanted; `None` for a tenant without limits.
    pub(super) async fn take(
        budgets: &Arc<Budgets>,
        prices: Arc<PriceCatalogue>,
        wanted: Wanted,
    ) -> Result<Option<Self>, LlmError> {
        let Some(limits) = budgets.limits(&wanted.tenant) else {
            return Ok(None);
        };
        let at = Timestamp::now();
        let claim = Claim {
            id: Uuid::now_v7(),
            tenant: wanted.tenant,
            provider: wanted.provider,
            simulated: wanted.simulated,
            at,
            day: None,
            month: None,
            rate: RateLimit::default(),
            money: PicoUsd::ZERO,
            tokens: wanted.tokens,
            lives: LONGEST_CALL * LIVES,
        };
        let mut hold = Self {
            budgets: Arc::clone(budgets),
            prices,
            model: wanted.model,
            service_tier: wanted.service_tier,
            claim: claim.limited_by(&limits),
            reserved: PicoUsd::ZERO,
            bill: Arc::default(),
            is_checked: false,
            is_settled: true,
        };
        let mut verdict = Ok(Verdict::Granted);
        for usage in [wanted.usage, wanted.least] {
            if hold.claim.limits_money() {
                let cost = hold.cost(&usage);
                hold.claim.money = cost.ok_or_else(|| hold.refused(BudgetRefusal::Unpriced))?;
            }
            // Also who leaves while the accounts are asked may have a reservation.
            hold.is_settled = false;
            verdict = budgets.reserve(&hold.claim).await;
            hold.is_settled = matches!(verdict, Ok(Verdict::Refused(_)));
            if !is_short_of_money(&verdict) {
                break;
            }
        }
        hold.is_checked = hold.is_granted(verdict)?;
        hold.reserved = hold.claim.money;
        Ok(Some(hold))
    }

    /// Where the attempt says what it cost.
    pub(super) fn bill(&self) -> Arc<Bill> {
        Arc::clone(&self.bill)
    }

    /// Makes sure that what a stream has used is reserved, and some more.
    ///
    /// # Errors
    /// [`LlmError::Budget`] when the limit is reached: the stream is to be dropped.
    pub(super) async fn cover(&mut self, used: &Usage) -> Result<(), LlmError> {
        if !self.is_checked || !self.claim.limits_money() {
            return Ok(());
        }
        let cost = self.cost(used).unwrap_or(self.reserved);
        if cost <= self.reserved {
            return Ok(());
        }
        let ahead = Usage {
            output_tokens: used.output_tokens.saturating_add(SLICE_TOKENS),
            ..*used
        };
        let with_slice = self.cost(&ahead).unwrap_or(cost);
        let mut verdict = self.extend_to(with_slice).await;
        if is_short_of_money(&verdict) {
            // The last of it, to the token.
            verdict = self.extend_to(cost).await;
        }
        let granted = self.is_granted(verdict);
        self.is_checked = granted.inspect_err(|_| self.bill.cut_off())?;
        Ok(())
    }

    async fn extend_to(&mut self, total: PicoUsd) -> Result<Verdict, AccountsError> {
        let more = PicoUsd::new(total.get().saturating_sub(self.reserved.get()));
        let ask = self.budgets.accounts.extend(&self.claim, more);
        let verdict = timeout(PATIENCE, ask).await;
        let verdict = verdict.unwrap_or(Err(AccountsError::Late));
        if verdict == Ok(Verdict::Granted) {
            self.reserved = total;
        }
        verdict
    }

    /// Whether it is; an error when the call may not go on.
    fn is_granted(&self, verdict: Result<Verdict, AccountsError>) -> Result<bool, LlmError> {
        let failure = match verdict {
            Ok(Verdict::Granted) => return Ok(true),
            Ok(Verdict::Refused(refusal)) => return Err(self.refused(refusal)),
            Ok(Verdict::Unknown(_)) => {
                AccountsError::Failed("the account was forgotten".to_owned())
            }
            Err(failure) => failure,
        };
        tracing::warn!(error = %failure, tenant = %self.claim.tenant, "a budget cannot be checked");
        match self.budgets.on_failure {
            OnFailure::Allow => Ok(false),
            OnFailure::Refuse => Err(self.refused(BudgetRefusal::Unavailable {
                retry_after: PATIENCE,
            })),
        }
    }

    fn refused(&self, refusal: BudgetRefusal) -> LlmError {
        BUDGET_REFUSALS
            .counter(&[
                ("gen_ai.provider.name", self.claim.provider.telemetry_name()),
                ("limit", refusal.as_str()),
            ])
            .increment(1);
        LlmError::Budget(Box::new(refusal))
    }

    fn cost(&self, usage: &Usage) -> Option<PicoUsd> {
        let query = PriceQuery {
            provider: self.claim.provider,
            model: &self.model,
            at: self.claim.at,
            region_class: "",
            service_tier: self.service_tier.as_str(),
        };
        Some(self.prices.cost_of(&query, usage)?.total)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.settle();
    }
}

impl Hold {
    /// Books what the attempt cost in place of what is reserved; the first time only.
    pub(super) fn settle(&mut self) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        // An attempt that was sent without a known price has cost what was reserved for it.
        let (cost, tokens) = match self.bill.settled() {
            None => (PicoUsd::ZERO, 0),
            Some((cost, tokens)) => (cost.unwrap_or(self.reserved), tokens),
        };
        self.budgets.accounts.settle(Settlement {
            claim: self.claim.clone(),
            reserved: self.reserved,
            spent: cost,
            tokens,
        });
    }
}

fn is_short_of_money(verdict: &Result<Verdict, AccountsError>) -> bool {
    matches!(
        verdict,
        Ok(Verdict::Refused(BudgetRefusal::Reached {
            limit: LimitKind::Day | LimitKind::Month,
            ..
        }))
    )
}

/// What a stream reserves before it begins, if there is enough, and what without it is not sent: its
/// input, and a first slice of output. Reasoning is counted when the answer ends and seen by nobody
/// before, so a model that reasons has its longest answer reserved, or is not asked.
pub(super) fn first_slice(input_tokens: u64, max_tokens: u32, model: &str) -> (Usage, Usage) {
    let reserving = |output_tokens| Usage {
        input_tokens,
        output_tokens,
        ..Usage::default()
    };
    let longest = reserving(max_tokens.into());
    if Capabilities::of(model).reasons {
        return (longest, longest);
    }
    (reserving(SLICE_TOKENS.min(max_tokens.into())), reserving(0))
}
