//! What past traffic would have cost otherwise.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{Ledger, LedgerError, LedgerFilter, LedgerGroup, LedgerRow};
use crate::{PriceCatalogue, PriceQuery, ProviderName};

/// Other terms for attempts that were made; `None` leaves what it was.
#[derive(Debug, Clone)]
pub struct Recost {
    /// The prices.
    pub catalogue: Arc<PriceCatalogue>,
    /// Who would have been paid.
    pub provider: Option<ProviderName>,
    /// The model. Its tokens are taken to be as many as they were.
    pub model: Option<String>,
    /// Where it would have run. On another provider or model nowhere in particular.
    pub region_class: Option<String>,
    /// The class of service. On another provider or model the standard one.
    pub service_tier: Option<String>,
    /// The moment whose prices hold.
    pub at: Option<Timestamp>,
}

/// The two sums of a group. Real and simulated money are never in one sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecostTotal {
    /// The group's value.
    pub key: String,
    /// Whether this is the simulated part of the group.
    pub simulated: bool,
    /// Attempts.
    pub attempts: u64,
    /// Attempts that had no price.
    pub unpriced_before: u64,
    /// Attempts that have no price now.
    pub unpriced_after: u64,
    /// What was booked, in units of 10⁻¹² USD.
    pub booked: i128,
    /// What it would have cost, in units of 10⁻¹² USD.
    pub recosted: i128,
    /// Attempts with both prices.
    pub compared: u64,
    /// Of those: what they would have cost less what was booked, in units of 10⁻¹² USD.
    pub difference: i128,
}

impl Ledger {
    /// Prices the attempts that match anew, one sum per group and kind of money.
    ///
    /// # Errors
    /// A failing store.
    pub async fn recost(
        &self,
        filter: &LedgerFilter,
        group: LedgerGroup,
        terms: Recost,
    ) -> Result<Vec<RecostTotal>, LedgerError> {
        let sums: Arc<Mutex<HashMap<(String, bool), RecostTotal>>> = Arc::default();
        let adding = Arc::clone(&sums);
        let visitor = Box::new(move |row: &LedgerRow| {
            let mut sums = adding.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (group.key(row), row.simulated);
            sums.entry(key).or_default().add(row, &terms);
        });
        self.visit(filter, visitor).await?;
        let sums = std::mem::take(&mut *sums.lock().unwrap_or_else(PoisonError::into_inner));
        let mut totals: Vec<RecostTotal> = sums
            .into_iter()
            .map(|((key, simulated), total)| RecostTotal {
                key,
                simulated,
                ..total
            })
            .collect();
        totals.sort_by(|one, other| (&one.key, one.simulated).cmp(&(&other.key, other.simulated)));
        Ok(totals)
    }
}

impl RecostTotal {
    fn add(&mut self, row: &LedgerRow, terms: &Recost) {
        let before = row.cost.map(|cost| i128::from(cost.get()));
        let after = terms.cost_of(row);
        self.attempts += 1;
        self.unpriced_before += u64::from(before.is_none());
        self.unpriced_after += u64::from(after.is_none());
        self.booked += before.unwrap_or_default();
        self.recosted += after.unwrap_or_default();
        if let (Some(before), Some(after)) = (before, after) {
            self.compared += 1;
            self.difference += after - before;
        }
    }
}

impl Recost {
    fn cost_of(&self, row: &LedgerRow) -> Option<i128> {
        let elsewhere = self.provider.is_some() || self.model.is_some();
        let kept = |kept: &'_ str| {
            if elsewhere {
                String::new()
            } else {
                kept.to_owned()
            }
        };
        let region_class = self.region_class.clone();
        let region_class = region_class.unwrap_or_else(|| kept(&row.region_class));
        let service_tier = self.service_tier.clone();
        let service_tier = service_tier.unwrap_or_else(|| kept(&row.service_tier));
        let query = PriceQuery {
            provider: self.provider.unwrap_or(row.provider),
            model: self.model.as_deref().unwrap_or(&row.model),
            at: self.at.unwrap_or(row.at),
            region_class: &region_class,
            service_tier: &service_tier,
        };
        let cost = self.catalogue.cost_of(&query, &row.usage)?;
        Some(cost.total.get().into())
    }
}
