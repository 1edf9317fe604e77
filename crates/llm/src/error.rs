//! What can go wrong with a call, sorted by what the caller can do about it.

use std::time::Duration;

use crate::{BudgetRefusal, FullQueue, ProviderName};

/// Why a call gave no answer. Messages are for logs: they may quote the provider, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// The operator must give the provider a key or an address.
    #[error("{provider} is not configured")]
    NotConfigured {
        /// The provider.
        provider: ProviderName,
    },
    /// The provider refuses this very request (or our key): the same again is refused again.
    #[error("refused with status {status}: {message}")]
    Rejected {
        /// The HTTP status, 400 to 499.
        status: u16,
        /// What the provider says.
        message: String,
        /// The provider's id of the request.
        request_id: Option<String>,
    },
    /// The provider has had enough of us for now.
    #[error("rate limited by the provider")]
    RateLimited {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// The provider's id of the request.
        request_id: Option<String>,
    },
    /// The provider has failed too often; it was not asked.
    #[error("the circuit to the provider is open")]
    CircuitOpen {
        /// When it will be asked again.
        retry_after: Duration,
    },
    /// This process cannot take the call now; the provider was not asked.
    #[error("no capacity: {queue}")]
    Overloaded {
        /// What is full.
        queue: FullQueue,
        /// When to try again.
        retry_after: Duration,
    },
    /// The tenant may not spend or ask more now; the provider was not asked, or its stream cut off.
    #[error(transparent)]
    Budget(Box<BudgetRefusal>),
    /// The provider did not answer in time.
    #[error("timed out: {0}")]
    Timeout(Stage),
    /// No connection: refused, reset while connecting, unknown host, TLS failure.
    #[error("cannot reach the provider: {message}")]
    Unreachable {
        /// What the transport says.
        message: String,
    },
    /// The provider failed and said so.
    #[error("the provider failed (status {status:?}): {message}")]
    Upstream {
        /// The HTTP status, 500 to 599; for an error inside a stream, the status that it stands
        /// for, if any.
        status: Option<u16>,
        /// What the provider says.
        message: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// The provider's id of the request.
        request_id: Option<String>,
    },
    /// The answer broke off, or ended without its terminator.
    #[error("the answer broke off: {message}")]
    Interrupted {
        /// Where.
        message: String,
    },
    /// The answer is none of the protocol.
    #[error("the answer is not understood: {message}")]
    Malformed {
        /// What was found.
        message: String,
    },
}

/// Which deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Opening a connection.
    Connect,
    /// Waiting for the first byte of a streamed answer.
    FirstByte,
    /// Waiting for the next byte of a streamed answer.
    Idle,
    /// The call as a whole, retries included.
    Total,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "no connection",
            Self::FirstByte => "no first byte",
            Self::Idle => "the stream stalled",
            Self::Total => "the whole call took too long",
        })
    }
}

impl LlmError {
    /// The value of `error.type`: one of a small, fixed set.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::NotConfigured { .. } => "not_configured",
            Self::Rejected { .. } => "rejected",
            Self::RateLimited { .. } => "rate_limited",
            Self::CircuitOpen { .. } => "circuit_open",
            Self::Overloaded { .. } => "overloaded",
            Self::Budget(_) => "budget",
            Self::Timeout(Stage::Connect) => "timeout_connect",
            Self::Timeout(Stage::FirstByte) => "timeout_first_byte",
            Self::Timeout(Stage::Idle) => "timeout_idle",
            Self::Timeout(Stage::Total) => "timeout_total",
            Self::Unreachable { .. } => "unreachable",
            Self::Upstream { .. } => "upstream",
            Self::Interrupted { .. } => "interrupted",
            Self::Malformed { .. } => "malformed",
        }
    }

    /// Whether the same request may succeed on another attempt.
    ///
    /// A malformed answer is not asked for again: the model did its work and was paid for it.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Timeout(Stage::Connect | Stage::FirstByte | Stage::Idle)
            | Self::Unreachable { .. }
            | Self::Upstream { .. }
            | Self::Interrupted { .. } => true,
            Self::NotConfigured { .. }
            | Self::Rejected { .. }
            | Self::CircuitOpen { .. }
            | Self::Overloaded { .. }
            | Self::Budget(_)
            | Self::Timeout(Stage::Total)
            | Self::Malformed { .. } => false,
        }
    }

    /// How long the provider, or this process, asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Upstream { retry_after, .. } => {
                *retry_after
            }
            Self::CircuitOpen { retry_after } | Self::Overloaded { retry_after, .. } => {
                Some(*retry_after)
            }
            Self::Budget(refusal) => refusal.retry_after(),
            Self::NotConfigured { .. }
            | Self::Rejected { .. }
            | Self::Timeout(_)
            | Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::Malformed { .. } => None,
        }
    }

    /// Whether the provider says that there is no such thing: of what a request names, the model.
    #[must_use]
    pub const fn is_unknown_model(&self) -> bool {
        matches!(self, Self::Rejected { status: 404, .. })
    }

    /// The HTTP status that the provider answered with.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Rejected { status, .. } => Some(*status),
            Self::RateLimited { .. } => Some(429),
            Self::Upstream { status, .. } => *status,
            Self::NotConfigured { .. }
            | Self::CircuitOpen { .. }
            | Self::Overloaded { .. }
            | Self::Budget(_)
            | Self::Timeout(_)
            | Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::Malformed { .. } => None,
        }
    }

    /// The provider's id of the failed request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Rejected { request_id, .. }
            | Self::RateLimited { request_id, .. }
            | Self::Upstream { request_id, .. } => request_id.as_deref(),
            Self::NotConfigured { .. }
            | Self::CircuitOpen { .. }
            | Self::Overloaded { .. }
            | Self::Budget(_)
            | Self::Timeout(_)
            | Self::Unreachable { .. }
            | Self::Interrupted { .. }
            | Self::Malformed { .. } => None,
        }
    }

    /// The texts in it that a provider, or what lies between, may have written.
    pub(crate) fn foreign_texts(&mut self) -> [Option<&mut String>; 2] {
        match self {
            Self::Rejected {
                message,
                request_id,
                ..
            }
            | Self::Upstream {
                message,
                request_id,
                ..
            } => [Some(message), request_id.as_mut()],
            Self::RateLimited { request_id, .. } => [None, request_id.as_mut()],
            Self::Unreachable { message }
            | Self::Interrupted { message }
            | Self::Malformed { message } => [Some(message), None],
            Self::NotConfigured { .. }
            | Self::CircuitOpen { .. }
            | Self::Overloaded { .. }
            | Self::Budget(_)
            | Self::Timeout(_) => [None, None],
        }
    }

    /// The same error with the provider's id of the request, if it has none yet: in its field, or
    /// in the message of an error that has no such field.
    #[must_use]
    pub(crate) fn with_request_id(mut self, id: Option<&str>) -> Self {
        let Some(id) = id else { return self };
        match &mut self {
            Self::Rejected { request_id, .. }
            | Self::RateLimited { request_id, .. }
            | Self::Upstream { request_id, .. } => {
                request_id.get_or_insert_with(|| id.to_owned());
            }
            Self::Interrupted { message } | Self::Malformed { message } => {
                message.push_str(&format!(" (request {id})"));
            }
            Self::NotConfigured { .. }
            | Self::CircuitOpen { .. }
            | Self::Overloaded { .. }
            | Self::Timeout(_)
            | Self::Budget(_)
            | Self::Unreachable { .. } => {}
        }
        self
    }

    /// Whether the provider, if it got the request, has it without having refused it: it may have
    /// read the prompt, and charge for it.
    #[must_use]
    pub(crate) const fn leaves_provider_at_work(&self) -> bool {
        matches!(
            self,
            Self::Timeout(Stage::FirstByte | Stage::Idle | Stage::Total)
                | Self::Interrupted { .. }
                | Self::Malformed { .. }
        )
    }

    /// Whether the fault is the provider's (or the way to it), not the request's or ours.
    #[must_use]
    pub const fn is_provider_fault(&self) -> bool {
        match self {
            Self::Timeout(_)
            | Self::Unreachable { .. }
            | Self::Upstream { .. }
            | Self::Interrupted { .. }
            | Self::Malformed { .. } => true,
            Self::NotConfigured { .. }
            | Self::Rejected { .. }
            | Self::RateLimited { .. }
            | Self::CircuitOpen { .. }
            | Self::Overloaded { .. }
            | Self::Budget(_) => false,
        }
    }
}
