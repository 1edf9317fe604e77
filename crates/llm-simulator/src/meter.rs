//! What was used, counted where the tokens are made.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    dialect::Dialect,
    journal::{CallRecord, Outcome},
    service_tier::ServiceTier,
};

/// Rows of the meter, and of an invoice. Models are named by callers, so their
/// number needs a bound; what does not fit is counted under [`OTHER_MODEL`].
pub(crate) const METER_ROWS: usize = 256;
/// Stands for every model that has no row of its own.
pub(crate) const OTHER_MODEL: &str = "other";

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

/// The sums of one dialect, model and class of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterRow {
    /// The protocol.
    pub dialect: Dialect,
    /// The model asked for, or `other`.
    pub model: String,
    /// The class of service.
    pub service_tier: ServiceTier,
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
    /// The same, by dialect, model and class of service.
    pub rows: Vec<MeterRow>,
}

/// Sums by dialect, model and class of service.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    total: Usage,
    rows: BTreeMap<(Dialect, String, ServiceTier), Usage>,
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

impl Meter {
    pub(crate) fn add(&mut self, call: &CallRecord) {
        self.total.add(call);
        let key = (call.dialect, call.model.clone(), call.service_tier);
        let full = self.rows.len() >= METER_ROWS && !self.rows.contains_key(&key);
        let key = if full {
            (call.dialect, OTHER_MODEL.to_owned(), call.service_tier)
        } else {
            key
        };
        self.rows.entry(key).or_default().add(call);
    }

    pub(crate) fn reading(&self) -> MeterReading {
        let rows = self.rows.iter();
        let rows = rows.map(|((dialect, model, service_tier), usage)| MeterRow {
            dialect: *dialect,
            model: model.clone(),
            service_tier: *service_tier,
            usage: *usage,
        });
        MeterReading {
            total: self.total,
            rows: rows.collect(),
        }
    }
}
