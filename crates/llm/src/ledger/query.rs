//! What can be asked of the ledger.

use std::collections::HashMap;

use jiff::Timestamp;
use money::PicoUsd;
use tenancy::TenantId;
use uuid::Uuid;

use super::{LedgerRow, Outcome};
use crate::{ProviderName, Usage};

/// Most rows of one page.
pub const MAX_PAGE_ROWS: u32 = 1000;

/// Which rows are wanted; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Whose rows; `None` is an operator's view of all.
    pub tenant: Option<TenantId>,
    /// Only of this call.
    pub call_id: Option<Uuid>,
    /// Only of this load test.
    pub test_id: Option<String>,
    /// Only for this purpose.
    pub feature: Option<String>,
    /// Only of this variant of an experiment.
    pub variant: Option<String>,
    /// Only of this provider.
    pub provider: Option<ProviderName>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only of real, or only of simulated providers.
    pub simulated: Option<bool>,
    /// Only from this time on.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

/// A part of a long answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerPage {
    /// Rows to leave out at the beginning.
    pub offset: u32,
    /// Most rows to give, at most [`MAX_PAGE_ROWS`].
    pub limit: u32,
}

/// What rows are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerGroup {
    /// The provider.
    Provider,
    /// The model.
    Model,
    /// Who pays.
    Tenant,
    /// The day, in UTC, as `2026-11-20`.
    Day,
    /// What the answers were for.
    Feature,
    /// The variant of an experiment; empty for calls outside of one.
    Variant,
    /// The load test; empty for calls outside of one.
    Test,
}

/// The sum of a group. Real and simulated money are never in one sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerTotal {
    /// The group's value.
    pub key: String,
    /// Whether this is the simulated part of the group.
    pub simulated: bool,
    /// Attempts.
    pub attempts: u64,
    /// Attempts without a price; `cost` leaves them out.
    pub unpriced: u64,
    /// Attempts whose tokens were estimated.
    pub estimated: u64,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Units of 10⁻¹² USD.
    pub cost: i128,
}

impl LedgerFilter {
    /// Every row of a tenant.
    #[must_use]
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant: Some(tenant),
            ..Self::default()
        }
    }
}

impl LedgerGroup {
    /// Every group, in the order of the API's messages.
    pub const ALL: [Self; 7] = [
        Self::Provider,
        Self::Model,
        Self::Tenant,
        Self::Day,
        Self::Feature,
        Self::Variant,
        Self::Test,
    ];

    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Tenant => "tenant",
            Self::Day => "day",
            Self::Feature => "feature",
            Self::Variant => "variant",
            Self::Test => "test",
        }
    }

    /// The group that a row belongs to.
    pub(super) fn key(self, row: &LedgerRow) -> String {
        match self {
            Self::Provider => row.provider.as_str().to_owned(),
            Self::Model => row.model.clone(),
            Self::Tenant => row.tenant.as_str().to_owned(),
            Self::Day => row.at.strftime("%Y-%m-%d").to_string(),
            Self::Feature => row.feature.clone().into_owned(),
            Self::Variant => row.variant.clone().unwrap_or_default(),
            Self::Test => row.test_id.clone().unwrap_or_default(),
        }
    }
}

/// Sums by group and kind of money, for a store that cannot add exactly by itself.
#[derive(Default)]
pub(super) struct Totals(HashMap<(String, bool), LedgerTotal>);

impl Totals {
    pub(super) fn add(
        &mut self,
        key: String,
        simulated: bool,
        usage: &Usage,
        cost: Option<PicoUsd>,
    ) {
        let total = self
            .0
            .entry((key, simulated))
            .or_insert_with_key(|(key, simulated)| LedgerTotal {
                key: key.clone(),
                simulated: *simulated,
                ..LedgerTotal::default()
            });
        total.attempts += 1;
        total.estimated += u64::from(usage.estimated);
        total.input_tokens += usage.input_tokens;
        total.output_tokens += usage.output_tokens;
        match cost {
            Some(cost) => total.cost += i128::from(cost.get()),
            None => total.unpriced += 1,
        }
    }

    pub(super) fn sorted(self) -> Vec<LedgerTotal> {
        let mut totals: Vec<LedgerTotal> = self.0.into_values().collect();
        totals.sort_by(|one, other| (&one.key, one.simulated).cmp(&(&other.key, other.simulated)));
        totals
    }
}
