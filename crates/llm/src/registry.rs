//! The providers of this process by name.

mod vendors;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use service_defaults::http_client::{self, HttpClientConfig};

use crate::{
    Ledger, LlmConfig, LlmProvider, Measured, Prices, ProviderName, Resilient, UnusableKey,
};

/// Connections kept open to one provider; the local stack runs 25 calls at once.
const IDLE_CONNECTIONS: usize = 64;

/// Every provider that is known, configured or not.
pub struct Llm {
    default: ProviderName,
    entries: [Entry; ProviderName::ALL.len()],
}

struct Entry {
    name: ProviderName,
    model: String,
    simulated: bool,
    service: Option<Service>,
}

struct Service {
    provider: Arc<dyn LlmProvider>,
    healthy: Arc<AtomicBool>,
}

/// Why a provider that was asked for by name cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No provider has this name.
    #[error("unknown provider; available providers: {}", available.join(", "))]
    Unknown {
        /// The names that exist.
        available: Vec<&'static str>,
    },
    /// The provider has no key or address.
    #[error("provider {provider} is not configured")]
    NotConfigured {
        /// The provider.
        provider: ProviderName,
    },
}

/// What a client may know of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderStatus {
    /// Which one.
    pub name: ProviderName,
    /// The model of requests that name none.
    pub model: String,
    /// Whether it can be asked.
    pub configured: bool,
    /// Whether it can be asked and did not fail the last call.
    pub healthy: bool,
    /// Whether calls to it are let through.
    pub circuit: CircuitState,
    /// Whether a simulator answers in its place.
    pub simulated: bool,
}

/// The state of a provider's circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// One call passes, to try.
    HalfOpen,
    /// No call passes.
    Open,
}

/// Why the providers cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum LlmBuildError {
    /// No HTTP client: the machine has no TLS roots.
    #[error("no HTTP client for model providers: {0}")]
    Client(#[from] reqwest::Error),
    /// A key that cannot be sent.
    #[error("{setting} {source}")]
    Key {
        /// The setting that it stands in.
        setting: &'static str,
        /// Why.
        source: UnusableKey,
    },
}

impl Llm {
    /// Builds the configured providers, each as `Resilient(Measured(provider))`.
    ///
    /// # Errors
    /// No HTTP client, or a key that cannot be sent.
    pub fn build(
        config: &LlmConfig,
        ledger: &Arc<Ledger>,
        prices: &Arc<Prices>,
    ) -> Result<Self, LlmBuildError> {
        let client = http_client::build(&HttpClientConfig {
            connect: config.deadlines.connect,
            // Ours are shorter, per stage, and told apart.
            read: config.retries.total * 2,
            total: None,
            idle_connections: IDLE_CONNECTIONS,
        })?;
        prices.announce();
        let decorate = Decorate {
            config,
            ledger,
            prices,
        };
        let entries = ProviderName::ALL.map(|name| Entry {
            name,
            model: vendors::model(config, name).to_owned(),
            simulated: config.simulated.contains(&name),
            service: None,
        });
        let mut llm = Self {
            default: config.default_provider,
            entries,
        };
        for provider in vendors::configured(config, &client)? {
            llm.put(decorate.service(provider));
        }
        Ok(llm)
    }

    /// The provider of this name, or the default one.
    ///
    /// # Errors
    /// [`SelectionError`]: no such name, or a name without a key or address.
    pub fn select(&self, name: Option<&str>) -> Result<Arc<dyn LlmProvider>, SelectionError> {
        let name = match name {
            None => self.default,
            Some(name) => name.parse().map_err(|_| SelectionError::Unknown {
                available: Self::available().collect(),
            })?,
        };
        let entry = self.entries.iter().find(|entry| entry.name == name);
        entry
            .and_then(|entry| entry.service.as_ref())
            .map(|service| Arc::clone(&service.provider))
            .ok_or(SelectionError::NotConfigured { provider: name })
    }

    /// Who answers a request that names no provider.
    #[must_use]
    pub fn default_provider(&self) -> ProviderName {
        self.default
    }

    /// The names that may be asked for.
    pub fn available() -> impl Iterator<Item = &'static str> {
        ProviderName::ALL.into_iter().map(ProviderName::as_str)
    }

    /// Every provider with its state.
    #[must_use]
    pub fn statuses(&self) -> Vec<ProviderStatus> {
        let status = |entry: &Entry| ProviderStatus {
            name: entry.name,
            model: entry.model.clone(),
            configured: entry.service.is_some(),
            healthy: entry
                .service
                .as_ref()
                .is_some_and(|service| service.healthy.load(Ordering::Relaxed)),
            circuit: CircuitState::Closed,
            simulated: entry.simulated,
        };
        self.entries.iter().map(status).collect()
    }

    fn put(&mut self, service: Service) {
        let name = service.provider.name();
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.name == name) {
            entry.service = Some(service);
        }
    }
}

/// What a provider needs around it.
struct Decorate<'a> {
    config: &'a LlmConfig,
    ledger: &'a Arc<Ledger>,
    prices: &'a Arc<Prices>,
}

impl Decorate<'_> {
    fn service(&self, provider: Arc<dyn LlmProvider>) -> Service {
        let simulated = self.config.simulated.contains(&provider.name());
        let measured = Measured::new(
            provider,
            simulated,
            Arc::clone(self.prices),
            Arc::clone(self.ledger),
        );
        let resilient = Resilient::new(Arc::new(measured), self.config.retries);
        Service {
            healthy: resilient.health(),
            provider: Arc::new(resilient),
        }
    }
}

impl CircuitState {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}
