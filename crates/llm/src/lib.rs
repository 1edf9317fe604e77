//! Language models behind one trait, every dollar of them accounted for. Knows no book.
//!
//! In reading order: a [`ChatRequest`] goes to an [`LlmProvider`], which answers with a
//! [`ChatResponse`] or streams [`ChatEvent`]s. [`Claude`], [`OpenAi`], [`Ollama`] and [`Bedrock`]
//! speak the vendors' protocols, all over one transport. [`Measured`] puts a span, metrics, an exact
//! cost from the [`PriceCatalogue`] and a row of the [`Ledger`] around each attempt. [`Llm`] builds
//! all from an [`LlmConfig`] and picks by name. [`SharedStreams`] let callers with the same question
//! follow one stream.
//!
//! The decorators, from the caller to the provider, and what each holds:
//!
//! | decorator | once per | |
//! |---|---|---|
//! | [`FallbackChain`] | call that names no provider | who is asked next; the deadline over all of them |
//! | [`Resilient`] | call to a provider | the deadline; retries, their waits and their budget |
//! | [`Bulkhead`] | attempt | a place among those that are at the provider at once |
//! | [`CircuitBreaker`] | attempt | whether the provider's model is asked at all |
//! | [`Budgeted`] | attempt | what its tenant may still spend; cuts a stream off at the limit |
//! | [`Measured`] | attempt that is made | span, metrics, cost, ledger row |
//! | [`Redacted`] | attempt that is made | our secrets, which it takes out of the provider's errors |
//!
//! A wait between attempts holds no place. The circuit is asked with the place in hand, so calls
//! that queued while it opened do not reach the provider, and there is one probe. What was refused
//! before [`Measured`] was never sent: it has no span, no row and no cost.
//!
//! Invariants: each attempt is booked; a provider mentions neither telemetry nor retries; input
//! tokens include the cached ones; a model without a price is unpriced, never free; a stream
//! without its terminator is an error.

mod answer;
#[cfg(test)]
mod any_cut;
mod bedrock;
mod budget;
mod bulkhead;
mod capabilities;
mod circuit;
mod circuit_breaker;
mod claude;
mod config;
mod error;
mod fallback_chain;
mod finish;
mod full_queue;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod ledger;
mod lines;
mod measured;
mod ollama;
mod openai;
mod price;
mod provider;
mod redaction;
mod registry;
mod request;
mod request_cost;
mod resilient;
mod response;
mod retry_after;
mod retry_budget;
mod service_tier;
mod shared;
mod sse;
mod status;
mod stream_end;
mod transport;
mod typed_json;
mod usage;
mod usage_so_far;

pub use bedrock::Bedrock;
pub use budget::{
    AccountsError, Bill, BudgetAccounts, BudgetLimits, BudgetRefusal, Budgeted, Budgets, Claim,
    Epoch, InProcessAccounts, InvalidLimits, LimitKind, MAX_BUDGETS, OnFailure, RateLimit,
    RedisAccounts, Settlement, Standing, Verdict,
};
pub use bulkhead::{Bulkhead, BulkheadLimits};
pub use circuit::{CircuitPolicy, CircuitState, Circuits};
pub use circuit_breaker::CircuitBreaker;
pub use claude::{Claude, UnusableKey};
pub use config::{
    BedrockConfig, BedrockCredentials, ClaudeConfig, LlmConfig, LmStudioConfig, OllamaConfig,
    OpenAiConfig,
};
pub use error::{LlmError, Stage};
pub use fallback_chain::{FallbackChain, FallbackPolicy};
pub use finish::Finish;
pub use full_queue::FullQueue;
pub use ledger::{
    Assessment, Assessor, CostParts, Ledger, LedgerError, LedgerFilter, LedgerGroup, LedgerPage,
    LedgerRow, LedgerTotal, MAX_PAGE_ROWS, Outcome, QUEUE_ROWS, Recost, RecostTotal, ScoreCount,
    StoredExperiment,
};
pub use measured::Measured;
pub use ollama::Ollama;
pub use openai::{OpenAi, OpenAiStyle};
pub use price::{
    Price, PriceCatalogue, PriceError, PriceFileError, PriceQuery, PriceRow, Prices, day_or_moment,
};
pub use provider::{ChatStream, Endpoint, LlmProvider, ProviderName, UnknownProvider};
pub use redaction::{Redacted, Secrets};
pub use registry::{Llm, LlmBuildError, ProviderStatus, SelectionError};
pub use request::{AttemptNumbers, CallContext, ChatRequest, Message, MessageRole, is_model_name};
pub use request_cost::RequestCost;
pub use resilient::{Resilient, RetryPolicy};
pub use response::{ChatEvent, ChatResponse, Cost, Fallback, LatencySplit, OpeningLatency};
pub use service_tier::ServiceTier;
pub use shared::{CostShare, SharedStream, SharedStreams};
pub use transport::Deadlines;
pub use usage::Usage;
pub use usage_so_far::UsageSoFar;
