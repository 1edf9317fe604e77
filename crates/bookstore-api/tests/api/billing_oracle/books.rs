//! The four books, in the words that they share.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Everything that was written down about a run.
#[derive(Debug, Clone)]
pub(super) struct Books {
    pub(super) ledger: Vec<Row>,
    /// Model calls by the trace that they belong to.
    pub(super) spans: BTreeMap<String, Vec<Attempt>>,
    pub(super) metrics: BTreeMap<Key, Sums>,
    pub(super) invoice: Vec<Line>,
}

/// Provider, as telemetry calls it, and model.
pub(super) type Key = (String, String);

/// Tokens by kind; cached ones are counted as input too, reasoning as output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tokens {
    pub(super) input: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
}

/// One attempt, as the ledger and a span tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attempt {
    /// As telemetry calls it.
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) service_tier: String,
    /// 1 for the first.
    pub(super) number: u32,
    /// A span has the kind of error only, from which this follows but for failed and partial.
    pub(super) outcome: String,
    /// Empty without one.
    pub(super) error: String,
    pub(super) tokens: Tokens,
    pub(super) estimated: bool,
    /// Pico-dollars; `None` without a price.
    pub(super) cost: Option<i64>,
}

/// One row of the ledger.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) call_id: String,
    pub(super) test_id: String,
    pub(super) trace_id: String,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) attempt: Attempt,
}

/// One line of the invoice.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Order of arrival.
    pub(super) number: u64,
    /// When the provider learned of its end.
    pub(super) ended: Timestamp,
    pub(super) test_id: String,
    pub(super) model: String,
    pub(super) service_tier: String,
    pub(super) outcome: String,
    /// Empty without one.
    pub(super) fault: String,
    pub(super) tokens: Tokens,
    /// Pico-dollars; `None` without a price.
    pub(super) cost: Option<i64>,
    /// Tokens of its last 250 ms, which a client that left need not have seen.
    pub(super) unseen: u64,
    /// Of an answer that broke off: when its last tokens were sent, to 10 ms, and how many.
    pub(super) sent: Vec<(Timestamp, u64)>,
}

/// The counters of a provider's model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) tokens: Tokens,
    /// Pico-dollars.
    pub(super) cost: i128,
    pub(super) unpriced: u64,
    /// By outcome.
    pub(super) attempts: BTreeMap<String, u64>,
}

impl Row {
    /// Whether the answer came to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.attempt.outcome_is_whole()
    }

    pub(super) fn key(&self) -> Key {
        (self.attempt.provider.clone(), self.attempt.model.clone())
    }
}

impl Attempt {
    pub(super) fn outcome_is_whole(&self) -> bool {
        self.error.is_empty()
    }

    /// Without what a span does not tell.
    pub(super) fn as_span(&self) -> Self {
        Self {
            outcome: String::new(),
            ..self.clone()
        }
    }
}

impl Sums {
    pub(super) fn add(&mut self, attempt: &Attempt) {
        self.tokens.add(&attempt.tokens);
        *self.attempts.entry(attempt.outcome.clone()).or_default() += 1;
        match attempt.cost {
            Some(cost) => self.cost += i128::from(cost),
            // A refused attempt bought nothing that could have had a price.
            None => self.unpriced += u64::from(attempt.tokens.input > 0),
        }
    }
}

impl Tokens {
    pub(super) fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.output += other.output;
        self.reasoning += other.reasoning;
    }
}
