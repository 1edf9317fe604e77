//! The simulator's own accounts: what each call used, counted where the tokens
//! are made, and a journal of the last calls.

use std::collections::{BTreeMap, VecDeque};

use serde::{Serialize, Serializer};

use crate::dialect::Dialect;

/// Calls that the journal remembers; older ones leave it. About 3 MB.
pub const JOURNAL_CALLS: usize = 10_000;
/// Rows of the meter. Models are named by callers, so their number needs a
/// bound; what does not fit is counted under [`OTHER_MODEL`].
const METER_ROWS: usize = 256;
/// Stands for every model that has no row of its own.
pub(crate) const OTHER_MODEL: &str = "other";

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

/// One call, as the journal keeps it.
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
    /// Tokens of the prompt; 0 when refused.
    pub input_tokens: u64,
    /// Tokens generated: sent ones in a stream, else those due by its end.
    pub output_tokens: u64,
    /// When the request arrived.
    #[serde(serialize_with = "as_text")]
    pub arrived_at: jiff::Timestamp,
    /// From arrival to the first token, milliseconds; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_first_token_ms: Option<f64>,
    /// From arrival to the socket's write of the first token, milliseconds;
    /// absent where no stream of the simulator's own listener was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_sent_ms: Option<f64>,
    /// From arrival to the end, milliseconds.
    pub duration_ms: f64,
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// All calls, refused ones included.
    pub calls: u64,
    /// Calls whose answer was whole.
    pub completed: u64,
    /// Calls that the client left.
    pub cancelled: u64,
    /// Calls that a fault broke off.
    pub broken: u64,
    /// Calls answered with an error.
    pub refused: u64,
    /// Prompt tokens of all calls that were not refused.
    pub input_tokens: u64,
    /// Generated tokens, those of unfinished answers included.
    pub output_tokens: u64,
}

/// The sums of one dialect and model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterRow {
    /// The protocol.
    pub dialect: Dialect,
    /// The model asked for, or `other`.
    pub model: String,
    /// Its sums.
    #[serde(flatten)]
    pub usage: Usage,
}

/// The whole meter at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterReading {
    /// Over everything since the last reset.
    pub total: Usage,
    /// The same, by dialect and model.
    pub rows: Vec<MeterRow>,
}

/// Meter and journal; one lock guards both, so they always agree.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    total: Usage,
    rows: BTreeMap<(Dialect, String), Usage>,
    journal: VecDeque<CallRecord>,
}

impl Usage {
    fn add(&mut self, record: &CallRecord) {
        self.calls += 1;
        *match record.outcome {
            Outcome::Completed => &mut self.completed,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Broken => &mut self.broken,
            Outcome::Refused => &mut self.refused,
        } += 1;
        self.input_tokens += record.input_tokens;
        self.output_tokens += record.output_tokens;
    }
}

impl Accounts {
    pub(crate) fn book(&mut self, record: CallRecord) {
        self.total.add(&record);
        let key = (record.dialect, record.model.clone());
        let full = self.rows.len() >= METER_ROWS && !self.rows.contains_key(&key);
        let key = if full {
            (record.dialect, OTHER_MODEL.to_owned())
        } else {
            key
        };
        self.rows.entry(key).or_default().add(&record);
        if self.journal.len() >= JOURNAL_CALLS {
            self.journal.pop_front();
        }
        self.journal.push_back(record);
    }

    pub(crate) fn reading(&self) -> MeterReading {
        let row = |((dialect, model), usage): (&(Dialect, String), &Usage)| MeterRow {
            dialect: *dialect,
            model: model.clone(),
            usage: *usage,
        };
        MeterReading {
            total: self.total,
            rows: self.rows.iter().map(row).collect(),
        }
    }

    /// The last `limit` calls, in the order in which they ended.
    pub(crate) fn last_calls(&self, limit: usize) -> Vec<CallRecord> {
        let skipped = self.journal.len().saturating_sub(limit);
        self.journal.iter().skip(skipped).cloned().collect()
    }
}

fn as_text<S: Serializer>(at: &jiff::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[cfg(test)]
mod tests {
    use super::{Accounts, CallRecord, JOURNAL_CALLS, METER_ROWS, Operation, Outcome};
    use crate::dialect::Dialect;

    fn record(number: u64, model: String) -> CallRecord {
        CallRecord {
            number,
            request_id: String::new(),
            dialect: Dialect::Ollama,
            operation: Operation::Chat,
            model,
            test_id: None,
            streamed: false,
            outcome: Outcome::Completed,
            status: 200,
            fault: None,
            input_tokens: 3,
            output_tokens: 5,
            arrived_at: jiff::Timestamp::UNIX_EPOCH,
            time_to_first_token_ms: None,
            first_token_sent_ms: None,
            duration_ms: 1.0,
        }
    }

    #[test]
    fn the_journal_and_the_rows_are_bounded_and_the_sums_are_not_lost() {
        let mut accounts = Accounts::default();
        let calls = JOURNAL_CALLS + 5;
        for number in 0..calls {
            accounts.book(record(number as u64, format!("model-{}", number % 1000)));
        }
        let reading = accounts.reading();
        assert_eq!(reading.total.calls, calls as u64);
        assert_eq!(reading.total.output_tokens, 5 * calls as u64);
        assert_eq!(
            reading.rows.iter().map(|row| row.usage.calls).sum::<u64>(),
            calls as u64
        );
        assert_eq!(reading.rows.len(), METER_ROWS + 1);
        let journal = accounts.last_calls(usize::MAX);
        assert_eq!((journal.len(), journal[0].number), (JOURNAL_CALLS, 5));
        assert_eq!(accounts.last_calls(2).len(), 2);
    }
}
