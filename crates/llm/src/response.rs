//! What a model answers, and what the answer took.

use std::{sync::Arc, time::Duration};

use money::PicoUsd;
use uuid::Uuid;

use crate::{Finish, ProviderName, ServiceTier, Usage};

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatResponse {
    /// The text, without thinking.
    pub text: String,
    /// The model that answered; it may differ from the one that was asked for.
    pub model: String,
    /// The provider's id of the answer.
    pub response_id: Option<String>,
    /// The provider's id of the HTTP request, for its support.
    pub request_id: Option<String>,
    /// Why the model stopped, in the provider's own word, such as `end_turn`, `stop` or
    /// `max_tokens`.
    pub finish_reason: Option<String>,
    /// Tokens read and written.
    pub usage: Usage,
    /// The class of service that answered, as the provider says; where it says nothing,
    /// [`Measured`](crate::Measured) fills in the one that was asked for.
    pub service_tier: Option<ServiceTier>,
    /// Where the time went.
    pub latency: LatencySplit,
    /// The call in the ledger: filled by [`Measured`](crate::Measured).
    pub call_id: Option<Uuid>,
    /// What it cost: filled by [`Measured`](crate::Measured), `None` when no price is known.
    pub cost: Option<Cost>,
    /// Whether a simulator answered: filled by [`Measured`](crate::Measured).
    pub simulated: bool,
    /// Who answered in whose place: filled by [`FallbackChain`](crate::FallbackChain), `None` when
    /// the provider answered that was asked.
    pub fallback: Option<Fallback>,
}

impl ChatResponse {
    /// How the answer ended.
    #[must_use]
    pub fn finish(&self) -> Finish {
        Finish::of(self.finish_reason.as_deref())
    }
}

/// That another provider answered than the one that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// Who was asked first, and failed.
    pub from: ProviderName,
    /// Who answered.
    pub provider: ProviderName,
    /// Whether text of the failed provider had been passed on already: the text of the answer
    /// takes its place.
    pub after_text: bool,
}

/// Where the time of one call went, in the provider's connection and behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LatencySplit {
    /// Waiting for a place at the provider, before the attempt that answered was sent: filled by
    /// [`Measured`](crate::Measured).
    pub queue: Duration,
    /// Opening a connection, where the transport can tell; `None` for a reused one.
    pub connect: Option<Duration>,
    /// From the sending of the attempt that answered to the first token; streamed calls only. Whoever
    /// tells a caller of it counts from the caller's own request.
    pub time_to_first_token: Option<Duration>,
    /// From the first token to the last; streamed calls only.
    pub decode: Option<Duration>,
    /// From sending to the end of the answer.
    pub total: Duration,
}

/// Where the time went before the provider began to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpeningLatency {
    /// As in [`LatencySplit`].
    pub queue: Duration,
    /// As in [`LatencySplit`].
    pub connect: Option<Duration>,
}

/// What one attempt cost, to the pico-dollar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Input that was neither read from nor written to the provider's cache.
    pub input: PicoUsd,
    /// Input read from the cache.
    pub cache_read: PicoUsd,
    /// Input written to the cache, of both lifetimes.
    pub cache_write: PicoUsd,
    /// Output, reasoning included.
    pub output: PicoUsd,
    /// The sum of the parts.
    pub total: PicoUsd,
    /// The version of the price catalogue that it was computed with.
    pub price_version: Arc<str>,
}

/// One event of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// The provider has begun. After text that came before, another one has begun anew: that text
    /// is void, and `fallback` says so.
    Started {
        /// The model that answers.
        model: String,
        /// The provider's id of the answer.
        response_id: Option<String>,
        /// The provider's id of the HTTP request.
        request_id: Option<String>,
        /// What the provider says at the start about the tokens; what a stream that breaks is
        /// booked with.
        usage: Option<Usage>,
        /// The class of service, as in [`ChatResponse`].
        service_tier: Option<ServiceTier>,
        /// Who answers in whose place: filled by [`FallbackChain`](crate::FallbackChain).
        fallback: Option<Fallback>,
        /// What is known by then of where the time went: queueing and connecting.
        latency: OpeningLatency,
    },
    /// The next piece of text, never empty.
    Delta(String),
    /// The whole answer; the last event.
    Finished(Box<ChatResponse>),
}
