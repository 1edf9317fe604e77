//! The server's side of `gen_ai` telemetry: `gen_ai.server.*` and the faults.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use instrumentation::{catalogue, gen_ai};
use metrics::{Counter, Histogram};

use crate::{
    dialect::Dialect,
    journal::{CallRecord, Operation, Outcome},
    meter::OTHER_MODEL,
};

/// Models with series of their own for each kind of call. Callers name the
/// models, so what comes after them is measured as `other`.
const MODELS: usize = 32;

type Kind = (Dialect, Operation, &'static str);

/// Handles made once for each kind of call and model, since making one costs
/// more than an instant answer.
#[derive(Default)]
pub(crate) struct Telemetry {
    series: RwLock<HashMap<Kind, HashMap<String, Arc<Series>>>>,
}

struct Series {
    duration: Histogram,
    invoice: Counter,
    unpriced: Counter,
    /// Only for whole answers: the others would show empty series.
    pace: Option<PaceSeries>,
}

struct PaceSeries {
    first_token: Histogram,
    token: Histogram,
}

impl Telemetry {
    pub(crate) fn record(&self, record: &CallRecord) {
        let series = self.series(record);
        series.duration.record(seconds(record.duration_ms));
        match record.pico_usd() {
            Some(amount) => series.invoice.increment(amount),
            None => series.unpriced.increment(1),
        }
        if let (Some(pace), Some(first)) = (&series.pace, record.time_to_first_token_ms) {
            pace.record(record, first);
        }
        if let Some(fault) = record.fault {
            count_fault(record.dialect.as_str(), fault);
        }
    }

    /// Counts a fault that happened before anything of a call was known.
    pub(crate) fn count_reset_connection(&self) {
        count_fault("", "reset");
    }

    fn series(&self, record: &CallRecord) -> Arc<Series> {
        let kind = (record.dialect, record.operation, error_type(record));
        let known = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known
            .get(&kind)
            .and_then(|models| models.get(&record.model))
        {
            return Arc::clone(series);
        }
        drop(known);
        let mut known = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let models = known.entry(kind).or_default();
        let full = models.len() >= MODELS && !models.contains_key(&record.model);
        let model = if full {
            OTHER_MODEL
        } else {
            record.model.as_str()
        };
        if let Some(series) = models.get(model) {
            return Arc::clone(series);
        }
        let series = Arc::new(Series::new(kind, model));
        models.insert(model.to_owned(), Arc::clone(&series));
        series
    }
}

impl Series {
    fn new((dialect, operation, error): Kind, model: &str) -> Self {
        let call = [
            (gen_ai::OPERATION_NAME, operation.as_str()),
            (gen_ai::PROVIDER_NAME, dialect.as_str()),
            (gen_ai::REQUEST_MODEL, model),
            (gen_ai::RESPONSE_MODEL, model),
        ];
        let [operation, provider, request, response] = call;
        let ended = [
            operation,
            provider,
            request,
            response,
            (gen_ai::ERROR_TYPE, error),
        ];
        let billed = [provider, request];
        Self {
            invoice: catalogue::SIMULATOR_INVOICE.counter(&billed),
            unpriced: catalogue::SIMULATOR_UNPRICED_CALLS.counter(&billed),
            duration: catalogue::GEN_AI_SERVER_REQUEST_DURATION.histogram(&ended),
            pace: error.is_empty().then(|| PaceSeries {
                first_token: catalogue::GEN_AI_SERVER_TIME_TO_FIRST_TOKEN.histogram(&call),
                token: catalogue::GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN.histogram(&call),
            }),
        }
    }
}

impl PaceSeries {
    fn record(&self, record: &CallRecord, first_ms: f64) {
        self.first_token.record(seconds(first_ms));
        if record.output_tokens > 1 {
            #[expect(
                clippy::cast_precision_loss,
                reason = "an answer has at most 100,000 tokens"
            )]
            let later_tokens = (record.output_tokens - 1) as f64;
            let later = seconds(record.duration_ms - first_ms);
            self.token.record(later / later_tokens);
        }
    }
}

fn count_fault(provider: &str, fault: &str) {
    let labels = [(gen_ai::PROVIDER_NAME, provider), ("fault", fault)];
    catalogue::SIMULATOR_FAULTS.counter(&labels).increment(1);
}

/// The class of a failure: the status of an error reply, else how it ended.
fn error_type(record: &CallRecord) -> &'static str {
    match (record.outcome, record.status) {
        (Outcome::Completed, _) => "",
        (Outcome::Cancelled, _) => "cancelled",
        (Outcome::Broken, _) => record.fault.unwrap_or("_OTHER"),
        (Outcome::Refused, 400) => "400",
        (Outcome::Refused, 401) => "401",
        (Outcome::Refused, 413) => "413",
        (Outcome::Refused, 429) => "429",
        (Outcome::Refused, 500) => "500",
        (Outcome::Refused, 503) => "503",
        (Outcome::Refused, 504) => "504",
        (Outcome::Refused, 529) => "529",
        (Outcome::Refused, _) => "_OTHER",
    }
}

fn seconds(milliseconds: f64) -> f64 {
    Duration::try_from_secs_f64(milliseconds / 1000.0)
        .unwrap_or_default()
        .as_secs_f64()
}
