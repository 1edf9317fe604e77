//! The simulator's bill for what was called: its own tokens at its own prices.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    dialect::Dialect,
    journal::CallRecord,
    meter::{METER_ROWS, OTHER_MODEL},
    price_list::Charge,
    service_tier::ServiceTier,
};

/// What was called and what it costs. All money is in pico-dollars (10⁻¹² USD).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// Over all calls that were asked for.
    pub total: Bill,
    /// The same, by dialect, model and class of service.
    pub models: Vec<ModelBill>,
    /// Calls one by one, in the order in which they ended.
    pub lines: Vec<CallRecord>,
    /// Calls since the last reset that the journal no longer has: no line shows
    /// them, and no filter finds them.
    pub forgotten_calls: u64,
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    /// All calls, refused ones included.
    pub calls: u64,
    /// Calls whose model has no price; they are in no sum of money.
    pub unpriced_calls: u64,
    /// Prompt tokens, cached ones included.
    pub input_tokens: u64,
    /// Of these, read from the prompt cache.
    pub cache_read_tokens: u64,
    /// Of these, written into it for five minutes, or as long as the vendor decides.
    pub cache_write_5m_tokens: u64,
    /// Of these, written into it for an hour.
    pub cache_write_1h_tokens: u64,
    /// Generated tokens, reasoning included.
    pub output_tokens: u64,
    /// Of these, reasoning.
    pub reasoning_tokens: u64,
    /// The price of each kind.
    pub charge: Charge,
    /// The price of all.
    pub pico_usd: u64,
}

/// The bill of one dialect, model and class of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelBill {
    /// The protocol.
    pub dialect: Dialect,
    /// The model asked for, or `other`.
    pub model: String,
    /// The class of service.
    pub service_tier: ServiceTier,
    /// Its sums.
    #[serde(flatten)]
    pub bill: Bill,
}

/// Bills by dialect and model, as many as the meter has rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    total: Bill,
    models: BTreeMap<(Dialect, String, ServiceTier), Bill>,
}

impl Invoice {
    pub(crate) fn new(sums: &Sums, lines: Vec<CallRecord>, forgotten_calls: u64) -> Self {
        let models = sums.models.iter();
        let models = models.map(|((dialect, model, service_tier), bill)| ModelBill {
            dialect: *dialect,
            model: model.clone(),
            service_tier: *service_tier,
            bill: *bill,
        });
        Self {
            total: sums.total,
            models: models.collect(),
            lines,
            forgotten_calls,
        }
    }
}

impl Sums {
    pub(crate) fn add(&mut self, call: &CallRecord) {
        self.total.add(call);
        let key = (call.dialect, call.model.clone(), call.service_tier);
        let full = self.models.len() >= METER_ROWS && !self.models.contains_key(&key);
        let key = if full {
            (call.dialect, OTHER_MODEL.to_owned(), call.service_tier)
        } else {
            key
        };
        self.models.entry(key).or_default().add(call);
    }
}

impl Bill {
    fn add(&mut self, call: &CallRecord) {
        self.calls += 1;
        self.input_tokens += call.input_tokens;
        self.cache_read_tokens += call.cache_read_tokens;
        self.cache_write_5m_tokens += call.cache_write_5m_tokens;
        self.cache_write_1h_tokens += call.cache_write_1h_tokens;
        self.output_tokens += call.output_tokens;
        self.reasoning_tokens += call.reasoning_tokens;
        match &call.charge {
            Some(charge) => {
                self.charge.add(charge);
                self.pico_usd += charge.total();
            }
            None => self.unpriced_calls += 1,
        }
    }
}
