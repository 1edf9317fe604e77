//! Language models behind one trait, every dollar of them accounted for. Knows no book.
//!
//! In reading order: a [`ChatRequest`] goes to an [`LlmProvider`], which answers with a
//! [`ChatResponse`] or streams [`ChatEvent`]s. [`Claude`], [`OpenAi`], [`Ollama`] and [`Bedrock`]
//! speak the vendors' protocols, all over one transport. [`Measured`] puts a span, metrics, an exact cost from the [`PriceCatalogue`] and a
//! row of the [`Ledger`] around each attempt; [`Resilient`] puts the deadline and the retries
//! around the attempts of a call. [`Llm`] builds them from an [`LlmConfig`] and picks by name.
//! [`SharedStreams`] let callers with the same question follow one stream.
//!
//! Invariants: `Resilient(Measured(provider))`, so each attempt is booked; a provider mentions
//! neither telemetry nor retries; input tokens include the cached ones; a model without a price is
//! unpriced, never free; a stream without its terminator is an error.

mod answer;
mod bedrock;
mod capabilities;
mod claude;
mod config;
mod error;
mod ledger;
mod lines;
mod measured;
mod ollama;
mod openai;
mod price;
mod provider;
mod registry;
mod request;
mod resilient;
mod response;
mod retry_after;
mod shared;
mod sse;
mod status;
mod transport;
mod usage;
mod usage_so_far;

pub use bedrock::Bedrock;
pub use claude::{Claude, UnusableKey};
pub use config::{
    BedrockConfig, BedrockCredentials, ClaudeConfig, LlmConfig, LmStudioConfig, OllamaConfig,
    OpenAiConfig,
};
pub use error::{LlmError, Stage};
pub use ledger::{
    Ledger, LedgerError, LedgerFilter, LedgerGroup, LedgerPage, LedgerRow, LedgerTotal, Outcome,
    QUEUE_ROWS,
};
pub use measured::Measured;
pub use ollama::Ollama;
pub use openai::{OpenAi, OpenAiStyle};
pub use price::{Price, PriceCatalogue, PriceError, PriceFileError, PriceQuery, PriceRow, Prices};
pub use provider::{ChatStream, Endpoint, LlmProvider, ProviderName, UnknownProvider};
pub use registry::{CircuitState, Llm, LlmBuildError, ProviderStatus, SelectionError};
pub use request::{CallContext, ChatRequest, Message, MessageRole, is_model_name};
pub use resilient::{Resilient, RetryPolicy};
pub use response::{ChatEvent, ChatResponse, Cost, LatencySplit};
pub use shared::{CostShare, SharedStream, SharedStreams};
pub use transport::Deadlines;
pub use usage::Usage;
pub use usage_so_far::UsageSoFar;
