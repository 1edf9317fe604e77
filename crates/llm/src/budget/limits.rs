//! What a tenant may spend, and how fast it may ask.

use money::PicoUsd;
use serde::{Deserialize, Serialize};

use crate::ProviderName;

/// The highest rate that can be set: far above any provider's, and small enough for a bucket's
/// arithmetic.
const MAX_PER_MINUTE: u64 = 1_000_000_000_000;

/// The limits of one tenant; what is `None` is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Money from midnight to midnight, UTC.
    pub day: Option<PicoUsd>,
    /// Money from the first of a month to the first of the next, UTC.
    pub month: Option<PicoUsd>,
    /// Rates, at most one for each provider and one for all others.
    pub rates: Vec<RateLimit>,
}

/// How fast a provider may be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Which one; `None` is each that has no rate of its own.
    pub provider: Option<ProviderName>,
    /// Attempts.
    pub requests_per_minute: Option<u64>,
    /// Tokens, read and written.
    pub tokens_per_minute: Option<u64>,
}

/// Limits that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct InvalidLimits {
    /// Which member.
    pub field: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// As they lie in the store.
#[derive(Serialize, Deserialize)]
struct Stored {
    day: Option<i64>,
    month: Option<i64>,
    rates: Vec<StoredRate>,
}

#[derive(Serialize, Deserialize)]
struct StoredRate {
    provider: Option<String>,
    requests: Option<u64>,
    tokens: Option<u64>,
}

impl BudgetLimits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.day.is_none() && self.month.is_none() && self.rates.is_empty()
    }

    /// Whether money is limited.
    pub(super) fn limit_money(&self) -> bool {
        self.day.is_some() || self.month.is_some()
    }

    /// Looks for amounts below zero, rates of zero or out of range, and rates given twice.
    ///
    /// # Errors
    /// The first that is found.
    pub fn check(&self) -> Result<(), InvalidLimits> {
        let invalid = |field: String, reason| Err(InvalidLimits { field, reason });
        for (field, amount) in [("dayUsd", self.day), ("monthUsd", self.month)] {
            if amount.is_some_and(|amount| amount < PicoUsd::ZERO) {
                return invalid(field.to_owned(), "must not be below zero");
            }
        }
        for (index, rate) in self.rates.iter().enumerate() {
            if self.rates[..index]
                .iter()
                .any(|one| one.provider == rate.provider)
            {
                return invalid(format!("rates[{index}].provider"), "is given twice");
            }
            if rate.requests_per_minute.is_none() && rate.tokens_per_minute.is_none() {
                return invalid(format!("rates[{index}]"), "limits nothing");
            }
            for (field, limit) in [
                ("requestsPerMinute", rate.requests_per_minute),
                ("tokensPerMinute", rate.tokens_per_minute),
            ] {
                if limit.is_some_and(|limit| !(1..=MAX_PER_MINUTE).contains(&limit)) {
                    let field = format!("rates[{index}].{field}");
                    return invalid(field, "must be from 1 to 1,000,000,000,000");
                }
            }
        }
        Ok(())
    }

    /// How fast this provider may be asked.
    #[must_use]
    pub fn rate(&self, provider: ProviderName) -> RateLimit {
        let of = |wanted| self.rates.iter().find(|rate| rate.provider == wanted);
        let found = of(Some(provider)).or_else(|| of(None));
        found.copied().unwrap_or_default()
    }

    pub(super) fn to_text(&self) -> String {
        let rate = |rate: &RateLimit| StoredRate {
            provider: rate.provider.map(|provider| provider.as_str().to_owned()),
            requests: rate.requests_per_minute,
            tokens: rate.tokens_per_minute,
        };
        let stored = Stored {
            day: self.day.map(PicoUsd::get),
            month: self.month.map(PicoUsd::get),
            rates: self.rates.iter().map(rate).collect(),
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string(&stored).unwrap_or_default()
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        let rate = |rate: StoredRate| {
            Some(RateLimit {
                provider: match rate.provider {
                    Some(name) => Some(name.parse().ok()?),
                    None => None,
                },
                requests_per_minute: rate.requests,
                tokens_per_minute: rate.tokens,
            })
        };
        Some(Self {
            day: stored.day.map(PicoUsd::new),
            month: stored.month.map(PicoUsd::new),
            rates: stored.rates.into_iter().map(rate).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(provider: Option<ProviderName>, requests: u64) -> RateLimit {
        RateLimit {
            provider,
            requests_per_minute: Some(requests),
            tokens_per_minute: None,
        }
    }

    #[test]
    fn limits_come_back_from_the_store_as_they_were() {
        let limits = BudgetLimits {
            day: Some(PicoUsd::new(7)),
            month: None,
            rates: vec![rate(Some(ProviderName::Claude), 5), rate(None, 9)],
        };
        assert_eq!(
            BudgetLimits::from_text(&limits.to_text()),
            Some(limits.clone())
        );
        assert_eq!(
            limits.rate(ProviderName::Claude).requests_per_minute,
            Some(5)
        );
        assert_eq!(
            limits.rate(ProviderName::Ollama).requests_per_minute,
            Some(9)
        );
        assert_eq!(BudgetLimits::from_text("{}"), None);
    }

    #[test]
    fn limits_that_cannot_be_are_named() {
        let day = |pico: i64| BudgetLimits {
            day: Some(PicoUsd::new(pico)),
            ..BudgetLimits::default()
        };
        let rates = |rates: &[RateLimit]| BudgetLimits {
            rates: rates.to_vec(),
            ..BudgetLimits::default()
        };
        assert_eq!(day(0).check(), Ok(()));
        for (limits, field) in [
            (day(-1), "dayUsd"),
            (rates(&[rate(None, 0)]), "rates[0].requestsPerMinute"),
            (rates(&[rate(None, u64::MAX)]), "rates[0].requestsPerMinute"),
            (rates(&[rate(None, 1), rate(None, 2)]), "rates[1].provider"),
            (rates(&[RateLimit::default()]), "rates[0]"),
        ] {
            let error = limits.check().expect_err(field);
            assert_eq!(error.field, field);
        }
    }
}
