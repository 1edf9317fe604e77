//! What is kept of one attempt.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;
use money::PicoUsd;
use tenancy::TenantId;
use uuid::Uuid;

use crate::{Cost, LatencySplit, ProviderName, Usage};

/// One attempt of a model call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Of this row alone: a row that is written twice is one row.
    pub id: Uuid,
    /// The same for all attempts of one call.
    pub call_id: Uuid,
    /// 1 for the first.
    pub attempt: u32,
    /// When the attempt began, to the millisecond.
    pub at: Timestamp,
    /// Who pays.
    pub tenant: TenantId,
    /// The load test that the call belongs to.
    pub test_id: Option<String>,
    /// What the answer was for.
    pub feature: Cow<'static, str>,
    /// The variant of an experiment.
    pub variant: Option<String>,
    /// Name and version of the prompt.
    pub prompt_version: Option<String>,
    /// Who was asked.
    pub provider: ProviderName,
    /// The model that answered; where none did, the one asked for.
    pub model: String,
    /// Where it ran: empty, or the geography that the call was kept in.
    pub region_class: String,
    /// The class of service that it was paid at.
    pub service_tier: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Why it failed; `None` for a success.
    pub error_type: Option<Cow<'static, str>>,
    /// Whether the answer was asked for as a stream.
    pub streamed: bool,
    /// The tokens that were read and written, as far as known.
    pub usage: Usage,
    /// The price catalogue that `cost` was computed with.
    pub price_version: Arc<str>,
    /// What it cost; `None` when no price is known.
    pub cost: Option<PicoUsd>,
    /// What its parts cost; `None` also on a row from before they were kept.
    pub cost_parts: Option<CostParts>,
    /// Whether a simulator answered.
    pub simulated: bool,
    /// The trace of the request that it served, 32 hexadecimal digits.
    pub trace_id: Option<String>,
    /// Where the time went, to the microsecond; of a failed attempt as far as it came.
    pub latency: LatencySplit,
}

/// The parts of a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostParts {
    /// Input that was neither read from nor written to the provider's cache.
    pub input: PicoUsd,
    /// Input read from the cache.
    pub cache_read: PicoUsd,
    /// Input written to the cache, of both lifetimes.
    pub cache_write: PicoUsd,
    /// Output, reasoning included.
    pub output: PicoUsd,
}

impl From<&Cost> for CostParts {
    fn from(cost: &Cost) -> Self {
        Self {
            input: cost.input,
            cache_read: cost.cache_read,
            cache_write: cost.cache_write,
            output: cost.output,
        }
    }
}

/// How an attempt came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A whole answer.
    Succeeded,
    /// An error before any text.
    Failed,
    /// An error after the first piece of text.
    Partial,
    /// The caller left.
    Cancelled,
}

impl Outcome {
    const ALL: [Self; 4] = [
        Self::Succeeded,
        Self::Failed,
        Self::Partial,
        Self::Cancelled,
    ];

    /// The word in the ledger and in the metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not one of succeeded, failed, partial, cancelled")]
pub struct UnknownOutcome;

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or(UnknownOutcome)
    }
}
