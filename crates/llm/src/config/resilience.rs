//! The settings of retries, circuits, places and fallbacks.

use std::str::FromStr;

use service_defaults::environment::Environment;

use super::{Patience, ProviderList};
use crate::{BulkheadLimits, CircuitPolicy, Deadlines, FallbackPolicy, ProviderName, RetryPolicy};

pub(super) fn read_retries(environment: &mut Environment) -> RetryPolicy {
    RetryPolicy {
        total: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_TOTAL_TIMEOUT",
                "60s",
                "of a whole model call, all attempts, waits and fallbacks included",
            )
            .0,
        attempts: environment
            .parsed::<Within<1, 10>>(
                "BOOKSTORE_LLM_ATTEMPTS",
                "3",
                "most attempts of a model call at one provider, 1 to 10",
            )
            .0,
        max_retry_after: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_MAX_RETRY_AFTER",
                "10s",
                "a provider that asks to wait longer is not tried again",
            )
            .0,
        budget_percent: environment
            .parsed::<Within<0, 1_000>>(
                "BOOKSTORE_LLM_RETRY_BUDGET",
                "20",
                "retries per 100 calls to a provider, beside ten at once and one each second",
            )
            .0,
        ..RetryPolicy::default()
    }
}

pub(super) fn read_circuit(environment: &mut Environment, deadlines: Deadlines) -> CircuitPolicy {
    CircuitPolicy {
        faults: environment
            .parsed::<Within<0, 1_000>>(
                "BOOKSTORE_LLM_CIRCUIT_FAULTS",
                "5",
                "faults in a row after which a provider's model is not asked; 0 asks always",
            )
            .0,
        open: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_CIRCUIT_OPEN",
                "1s",
                "until a failing model is tried again; doubles up to 30s, or to this if it is more",
            )
            .0,
        fair_chance: deadlines.first_byte,
        ..CircuitPolicy::default()
    }
}

pub(super) fn read_bulkhead(environment: &mut Environment) -> BulkheadLimits {
    BulkheadLimits {
        places: environment
            .parsed::<Within<1, 100_000>>(
                "BOOKSTORE_LLM_CONCURRENCY",
                "512",
                "calls at one provider at once",
            )
            .count(),
        waiting: environment
            .parsed::<Within<0, 100_000>>(
                "BOOKSTORE_LLM_QUEUE",
                "512",
                "calls that wait for one provider; further ones are refused",
            )
            .count(),
        patience: environment
            .parsed::<Patience>(
                "BOOKSTORE_LLM_QUEUE_TIMEOUT",
                "2s",
                "how long a call waits for its turn at a provider",
            )
            .0,
    }
}

pub(super) fn read_fallback(
    environment: &mut Environment,
    default_provider: ProviderName,
) -> FallbackPolicy {
    let providers = environment
        .parsed::<ProviderList>(
            "LLM_FALLBACK",
            "",
            "comma list of providers to ask in turn when the default one fails",
        )
        .0;
    for (index, name) in providers.iter().enumerate() {
        let before = providers.iter().take(index);
        if *name == default_provider || before.into_iter().any(|other| other == name) {
            environment.reject("LLM_FALLBACK", format!("would ask {name} twice"));
        }
    }
    let after_text = environment.choice(
        "LLM_FALLBACK_AFTER_TEXT",
        "off",
        &["on", "off"],
        "on asks the next provider also when an answer breaks off in its middle",
    );
    FallbackPolicy {
        providers,
        after_text: after_text == "on",
    }
}

/// A whole number within bounds.
struct Within<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Within<LEAST, MOST> {
    fn count(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const LEAST: u32, const MOST: u32> FromStr for Within<LEAST, MOST> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .filter(|number| (LEAST..=MOST).contains(number))
            .map(Self)
            .ok_or_else(|| format!("must be a whole number from {LEAST} to {MOST}"))
    }
}
