//! What the simulator remembers of each call.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{dialect::Dialect, price_list::Charge, service_tier::ServiceTier};

/// Calls that the journal remembers; older ones leave it. About 30 MB.
pub const JOURNAL_CALLS: usize = 50_000;

/// What a call asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Operation {
    /// Messages in, a message out.
    #[serde(rename = "chat")]
    Chat,
    /// A prompt in, a text out.
    #[serde(rename = "text_completion")]
    TextCompletion,
}

impl Operation {
    /// The name in `gen_ai.operation.name`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::TextCompletion => "text_completion",
        }
    }
}

/// How a call ended, as the server saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The whole answer was handed to the connection.
    Completed,
    /// The client left before the answer was whole.
    Cancelled,
    /// A fault rule broke the answer off.
    Broken,
    /// An error reply; nothing was generated, nothing is billed.
    Refused,
}

/// Tokens that were handed to the connection within ten milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SentTokens {
    /// The beginning of these ten milliseconds, counted from arrival.
    pub at_ms: u64,
    /// How many.
    pub tokens: u64,
}

/// One call, as the journal keeps it. Times are milliseconds from its arrival.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// Place in the order of arrival since the last reset, from 1.
    pub number: u64,
    /// The id that the reply carried.
    pub request_id: String,
    /// The protocol.
    pub dialect: Dialect,
    /// What was asked for.
    pub operation: Operation,
    /// The model that was asked for; empty when the request was not understood.
    pub model: String,
    /// The class of service that was asked for, and that it is charged by.
    pub service_tier: ServiceTier,
    /// The first digits of the key's hash; empty when the request was not
    /// understood.
    pub caller: String,
    /// The load test that the request's baggage names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_id: Option<String>,
    /// Whether the answer was streamed.
    pub streamed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The status of the reply's head; 200 for a stream that broke later.
    pub status: u16,
    /// The fault that was injected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// Tokens of the whole prompt, cached ones included; 0 when refused.
    pub input_tokens: u64,
    /// Of these, read from the prompt cache.
    pub cache_read_tokens: u64,
    /// Of these, written into it for five minutes, or as long as the vendor decides.
    pub cache_write_5m_tokens: u64,
    /// Of these, written into it for an hour.
    pub cache_write_1h_tokens: u64,
    /// Tokens generated: sent ones in a stream, else those due by its end.
    pub output_tokens: u64,
    /// Of these, spent on reasoning that is not shown.
    pub reasoning_tokens: u64,
    /// When the request arrived.
    #[serde(serialize_with = "as_text")]
    pub arrived_at: Timestamp,
    /// In the queue for a slot of the simulated machine.
    pub queued_ms: f64,
    /// To the moment that was drawn for the first token, the queue included;
    /// absent when it was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_due_ms: Option<f64>,
    /// To the first token; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_first_token_ms: Option<f64>,
    /// To the socket's write of a stream's first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_sent_ms: Option<f64>,
    /// To the end.
    pub duration_ms: f64,
    /// Of an answer that was not completed: what was sent in its last second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent_last: Vec<SentTokens>,
    /// Of a stream, and of an answer that was not completed: tokens generated in
    /// the last 250 ms.
    pub tokens_in_last_250_ms: u64,
    /// Whether it was answered from a library: its tokens are what the recorded answer says.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// Whether the recorded answer says no tokens, so that they are 0 here and nobody knows what
    /// it costs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmetered: bool,
    /// What it costs in pico-dollars, by kind of token; `null` when the model
    /// has no price. Nothing is charged for a refused call.
    pub charge: Option<Charge>,
}

/// The last calls.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    calls: VecDeque<CallRecord>,
    forgotten: u64,
}

/// Which calls somebody asks for; nothing asked for is all of them.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Calls that arrived at this moment or later.
    pub from: Option<Timestamp>,
    /// Calls that arrived before this moment.
    pub to: Option<Timestamp>,
    /// Calls of this load test.
    pub test_id: Option<String>,
    /// Calls in this dialect.
    pub dialect: Option<Dialect>,
    /// Calls for this model.
    pub model: Option<String>,
}

impl CallRecord {
    /// What is billed; `None` when the model has no price.
    #[must_use]
    pub fn pico_usd(&self) -> Option<u64> {
        self.charge.map(|charge| charge.total())
    }
}

impl CallFilter {
    /// Whether every call is asked for.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.from.is_none()
            && self.to.is_none()
            && self.test_id.is_none()
            && self.dialect.is_none()
            && self.model.is_none()
    }

    fn takes(&self, call: &CallRecord) -> bool {
        self.from.is_none_or(|from| from <= call.arrived_at)
            && self.to.is_none_or(|to| call.arrived_at < to)
            && self.dialect.is_none_or(|only| only == call.dialect)
            && self.model.as_ref().is_none_or(|only| *only == call.model)
            && (self.test_id.is_none() || self.test_id == call.test_id)
    }
}

impl Journal {
    pub(crate) fn add(&mut self, call: CallRecord) {
        if self.calls.len() >= JOURNAL_CALLS {
            self.calls.pop_front();
            self.forgotten += 1;
        }
        self.calls.push_back(call);
    }

    /// Calls that left the journal since the last reset.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The calls that are asked for, in the order in which they ended.
    pub(crate) fn calls<'a>(
        &'a self,
        filter: &'a CallFilter,
    ) -> impl DoubleEndedIterator<Item = &'a CallRecord> {
        self.calls.iter().filter(|call| filter.takes(call))
    }

    /// The last `limit` of them, in the order in which they ended.
    pub(crate) fn last(&self, filter: &CallFilter, limit: usize) -> Vec<CallRecord> {
        let mut last: Vec<CallRecord> = self.calls(filter).rev().take(limit).cloned().collect();
        last.reverse();
        last
    }
}

fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
