//! The providers of this process by name.

mod vendors;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use service_defaults::http_client::{self, HttpClientConfig};

use crate::{
    Budgeted, Budgets, Bulkhead, CircuitBreaker, CircuitState, Circuits, FallbackChain, Ledger,
    LlmConfig, LlmProvider, Measured, Prices, ProviderName, Redacted, Resilient, Secrets,
    UnusableKey,
};

/// Connections kept open to one provider; the local stack runs 25 calls at once.
const IDLE_CONNECTIONS: usize = 64;

/// Every provider that is known, configured or not.
pub struct Llm {
    default: ProviderName,
    /// The default provider and those that are asked when it fails; `None` without any.
    chain: Option<Arc<dyn LlmProvider>>,
    call_time: Duration,
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
    circuits: Arc<Circuits>,
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
    /// Whether calls to it are let through: the worst of its models' circuits.
    pub circuit: CircuitState,
    /// Whether a simulator answers in its place.
    pub simulated: bool,
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
    /// A provider that would be asked in another one's place cannot be asked.
    #[error("LLM_FALLBACK: provider {0} is not configured")]
    Fallback(ProviderName),
}

impl Llm {
    /// Builds the configured providers, each in its decorators.
    ///
    /// # Errors
    /// No HTTP client, a key that cannot be sent, or a fallback that is not configured.
    pub fn build(
        config: &LlmConfig,
        ledger: &Arc<Ledger>,
        prices: &Arc<Prices>,
        budgets: &Arc<Budgets>,
    ) -> Result<Self, LlmBuildError> {
        let client = http_client::build(&HttpClientConfig {
            connect: config.deadlines.connect,
            // Ours are shorter, per stage, and told apart.
            read: config.retries.total * 2,
            total: None,
            idle_connections: IDLE_CONNECTIONS,
        })?;
        prices.announce();
        if config.messages_on_spans {
            tracing::warn!("spans of model calls have prompts and answers, as settings ask for");
        }
        let decorate = Decorate {
            config,
            ledger,
            prices,
            budgets,
            secrets: Secrets::of(config),
        };
        let entries = ProviderName::ALL.map(|name| Entry {
            name,
            model: vendors::model(config, name).to_owned(),
            simulated: config.simulated.contains(&name),
            service: None,
        });
        let mut llm = Self {
            default: config.default_provider,
            chain: None,
            call_time: config.retries.total,
            entries,
        };
        for provider in vendors::configured(config, &client)? {
            llm.put(decorate.service(provider));
        }
        llm.chain = llm.fallback_chain(config)?;
        Ok(llm)
    }

    /// The provider of this name, and nobody else; or the default one, with those that are asked
    /// when it fails.
    ///
    /// # Errors
    /// [`SelectionError`]: no such name, or a name without a key or address.
    pub fn select(&self, name: Option<&str>) -> Result<Arc<dyn LlmProvider>, SelectionError> {
        let name = match (name, &self.chain) {
            (None, Some(chain)) => return Ok(Arc::clone(chain)),
            (None, None) => self.default,
            (Some(name), _) => name.parse().map_err(|_| SelectionError::Unknown {
                available: Self::available().collect(),
            })?,
        };
        self.provider(name)
            .ok_or(SelectionError::NotConfigured { provider: name })
    }

    /// Whether others are asked when the default provider fails.
    #[must_use]
    pub const fn has_fallback(&self) -> bool {
        self.chain.is_some()
    }

    /// How long a call may take: all attempts, waits and fallbacks. Who makes several for one answer
    /// gives them one [`deadline`](crate::CallContext::deadline) after this time.
    #[must_use]
    pub const fn call_time(&self) -> Duration {
        self.call_time
    }

    fn provider(&self, name: ProviderName) -> Option<Arc<dyn LlmProvider>> {
        let entry = self.entries.iter().find(|entry| entry.name == name)?;
        let service = entry.service.as_ref()?;
        Some(Arc::clone(&service.provider))
    }

    /// The default provider with its fallbacks; `None` without any, or without a default provider:
    /// that it is not configured is not to be hidden.
    fn fallback_chain(
        &self,
        config: &LlmConfig,
    ) -> Result<Option<Arc<dyn LlmProvider>>, LlmBuildError> {
        let others = config
            .fallback
            .providers
            .iter()
            .map(|name| self.provider(*name).ok_or(LlmBuildError::Fallback(*name)));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        let Some(first) = self.provider(self.default) else {
            return Ok(None);
        };
        if others.is_empty() {
            return Ok(None);
        }
        let after_text = config.fallback.after_text;
        let chain = FallbackChain::new(first, others, config.retries.total, after_text);
        Ok(Some(Arc::new(chain)))
    }

    /// Who answers a request that names no provider.
    #[must_use]
    pub fn default_provider(&self) -> ProviderName {
        self.default
    }

    /// Whether a simulator answers in the provider's place.
    #[must_use]
    pub fn is_simulated(&self, name: ProviderName) -> bool {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        entry.is_some_and(|entry| entry.simulated)
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
            circuit: entry
                .service
                .as_ref()
                .map_or(CircuitState::Closed, |service| service.circuits.state()),
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
    budgets: &'a Arc<Budgets>,
    secrets: Secrets,
}

impl Decorate<'_> {
    fn service(&self, provider: Arc<dyn LlmProvider>) -> Service {
        let simulated = self.config.simulated.contains(&provider.name());
        let redacted = Redacted::new(provider, self.secrets.clone());
        let measured = Measured::new(
            Arc::new(redacted),
            simulated,
            Arc::clone(self.prices),
            Arc::clone(self.ledger),
        );
        let measured = if self.config.messages_on_spans {
            measured.with_messages(self.secrets.clone())
        } else {
            measured
        };
        let budgeted = Budgeted::new(
            Arc::new(measured),
            simulated,
            Arc::clone(self.prices),
            Arc::clone(self.budgets),
        );
        let breaker = CircuitBreaker::new(Arc::new(budgeted), self.config.circuit);
        let circuits = breaker.circuits();
        let bulkhead = Bulkhead::new(Arc::new(breaker), self.config.bulkhead);
        let resilient = Resilient::new(Arc::new(bulkhead), self.config.retries);
        Service {
            healthy: resilient.health(),
            circuits,
            provider: Arc::new(resilient),
        }
    }
}
