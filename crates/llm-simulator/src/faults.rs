//! Fault rules: which calls go wrong, and how. There are none unless asked for.

mod check;
mod plan;
mod rules;
#[cfg(test)]
mod tests;

pub use check::{FaultRuleError, MAX_RULES};
pub(crate) use plan::{Candidate, FaultPlan, Refusing};
pub use rules::{FaultFileError, FaultRules};

use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;

/// The bytes of a line that is meant to be too long, unless a rule says otherwise.
pub(crate) const HUGE_LINE_BYTES: u64 = 10 * 1024 * 1024;

/// One rule: the calls it looks at, the ones among them that it hits, and what
/// happens to those. The first rule that hits decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultRule {
    /// Only calls in this dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Only calls for exactly this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only calls that ask for a stream, or only those that do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamed: Option<bool>,
    /// Only calls with this header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderCondition>,
    /// Only calls within this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Hits only the call of this number among those looked at, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Hits each call with this probability (0 to 1), drawn from the call's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Hits at most so many calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

/// A header that a request must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderCondition {
    /// Its name; not one that carries a credential.
    pub name: String,
    /// Text that one of its values contains. Left out: it need only be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

/// A time, counted from the moment in which the rules were set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// Its beginning, milliseconds.
    #[serde(default)]
    pub from_ms: u64,
    /// Its end, milliseconds. Left out: it has none, but for a refusal of
    /// connections, which then lasts ten seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<u64>,
}

/// What can happen to a call. Counts of tokens are those sent before; a reply
/// that is not streamed is spoiled as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Fault {
    /// An error reply in the dialect's own shape.
    Status {
        /// 400 to 599.
        code: u16,
        /// The `Retry-After` header, sent as it is: seconds, a date or nonsense.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
        /// The `retry-after-ms` header, sent as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<String>,
    },
    /// The answer takes longer.
    Slow {
        /// What the profile's delays are multiplied with: 1 to 1,000.
        #[serde(default = "unchanged")]
        factor: f64,
        /// Added before the first token, milliseconds.
        #[serde(default)]
        first_token_ms: u64,
        /// Added before every further token, milliseconds.
        #[serde(default)]
        gap_ms: u64,
    },
    /// The connection breaks; a reply that is not streamed breaks in the middle
    /// of its body.
    Cut {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
        /// What is torn apart. Left out: a stream breaks between two frames.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Within>,
    },
    /// Nothing more is sent, while the connection stays open.
    Silence {
        /// Tokens sent before. Left out: not even the head of the reply is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_tokens: Option<u64>,
        /// The head is sent, and no byte of the body.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        after_head: bool,
    },
    /// A stream reports an error in its own shape after so many tokens; a reply
    /// that is not streamed is the same error with a status.
    StreamError {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
    /// A frame whose checksum is wrong: only Bedrock's streams have one.
    WrongCrc {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
    /// A frame that is well formed, with content that is not; then the stream goes on.
    Garbage {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
    /// One line, or frame, of this length; then the stream goes on.
    HugeLine {
        /// Tokens sent before.
        #[serde(default)]
        after_tokens: u64,
        /// Its length: 10 MiB unless given, at most 64 MiB.
        #[serde(default = "huge_line")]
        bytes: u64,
    },
    /// A page of HTML with status 200, as from a proxy in between.
    Html {},
    /// The right reply, under the wrong content type.
    WrongContentType {
        /// The type that is sent instead.
        #[serde(default = "plain_text")]
        content_type: String,
    },
    /// The right reply, but for the tokens that it reports.
    Usage {
        /// What it reports.
        reported: Reported,
    },
    /// The connection is reset without a reply.
    Reset {
        /// When.
        at: ResetAt,
    },
    /// The simulator does not listen; needs a window with an end.
    Refused {},
}

/// What a cut tears apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Within {
    /// A character of two bytes.
    Utf8,
    /// A JSON document.
    Json,
    /// What stands around the JSON: an event's field name, a frame's prelude.
    Frame,
}

/// A wrong report of used tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reported {
    /// None at all.
    Missing,
    /// Numbers below zero.
    Negative,
    /// More than any model can have read or written.
    Absurd,
}

/// The moment of a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetAt {
    /// As soon as the connection stands.
    Accept,
    /// After the request was read.
    Request,
}

impl FaultRule {
    /// A rule that hits every call.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            dialect: None,
            model: None,
            streamed: None,
            header: None,
            window: None,
            nth: None,
            probability: None,
            times: None,
            fault,
        }
    }
}

impl Fault {
    /// The fault's name on the `simulator.faults` counter and in the journal.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Slow { .. } => "slow",
            Self::Cut { .. } => "cut",
            Self::Silence { .. } => "silence",
            Self::StreamError { .. } => "stream_error",
            Self::WrongCrc { .. } => "wrong_crc",
            Self::Garbage { .. } => "garbage",
            Self::HugeLine { .. } => "huge_line",
            Self::Html {} => "html",
            Self::WrongContentType { .. } => "wrong_content_type",
            Self::Usage { .. } => "usage",
            Self::Reset { .. } => "reset",
            Self::Refused {} => "refused",
        }
    }

    /// Whether it happens to connections, before anything of a call is known.
    pub(crate) fn is_of_connections(&self) -> bool {
        matches!(
            self,
            Self::Refused {}
                | Self::Reset {
                    at: ResetAt::Accept
                }
        )
    }

    /// Whether a reply of this kind can go wrong in this way.
    pub(crate) fn can_happen_to(&self, dialect: Dialect, streamed: bool) -> bool {
        match self {
            Self::WrongCrc { .. } => dialect == Dialect::Bedrock && streamed,
            // A line of JSON and a whole reply have nothing around the JSON.
            Self::Cut {
                within: Some(Within::Frame),
                ..
            } => dialect != Dialect::Ollama && streamed,
            _ => !self.is_of_connections(),
        }
    }
}

fn unchanged() -> f64 {
    1.0
}

fn huge_line() -> u64 {
    HUGE_LINE_BYTES
}

fn plain_text() -> String {
    "text/plain".to_owned()
}
