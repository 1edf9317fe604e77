//! In which of k6's formats a run has its samples written, and why.

use load_analysis::execution::ExecutionPlan;
use serde::{Deserialize, Serialize};

/// What k6 writes its samples as. The results are the same; JSON costs k6 some 60 µs of processor
/// time for each request, CSV 15.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleFormat {
    /// JSON lines: every value with all its digits, every tag whatever it holds.
    #[default]
    Json,
    /// Comma-separated values: six digits after the point, which is all that k6's own times have.
    Csv,
}

/// Requests a second above which samples are CSV unless something else is asked for: JSON takes a
/// fifth of a core there.
pub const CSV_ABOVE_RATE: f64 = 3_000.0;

impl SampleFormat {
    /// Its name, as requests and reports spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// Reads `json` or `csv`, in letters of any size.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is = |format: &Self| text.eq_ignore_ascii_case(format.name());
        [Self::Json, Self::Csv].into_iter().find(is)
    }

    /// What a run gets that asks for none: CSV where more requests a second are planned or were
    /// seen in earlier runs of its kind than JSON is cheap for. An iteration is one request at
    /// least.
    #[must_use]
    pub fn for_load(execution: Option<&ExecutionPlan>, expected_rate: Option<f64>) -> Self {
        let moments = execution.into_iter().flat_map(ExecutionPlan::moments);
        let planned = moments.map(|moment| moment.arrivals).fold(0.0, f64::max);
        if planned.max(expected_rate.unwrap_or(0.0)) > CSV_ABOVE_RATE {
            Self::Csv
        } else {
            Self::Json
        }
    }

    /// The file in the directory of a k6.
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Json => "samples.ndjson",
            Self::Csv => "samples.csv",
        }
    }

    /// The value of k6's `--out`. CSV would have whole seconds and be written once a second.
    #[must_use]
    pub const fn output(self) -> &'static str {
        match self {
            Self::Json => "json=samples.ndjson",
            Self::Csv => "csv=fileName=samples.csv,timeFormat=unix_micro,saveInterval=200ms",
        }
    }
}

#[cfg(test)]
mod tests {
    use load_analysis::execution::{Course, PlannedLoad, PlannedScenario};

    use super::*;

    fn arrivals(rates: &[f64]) -> ExecutionPlan {
        let scenarios = rates.iter().map(|rate| PlannedScenario {
            name: rate.to_string(),
            start: 0.0,
            load: PlannedLoad::Arrivals(Course::constant(*rate, 5.0)),
        });
        ExecutionPlan {
            scenarios: scenarios.collect(),
        }
    }

    #[test]
    fn many_requests_are_written_as_csv() {
        let users = ExecutionPlan {
            scenarios: vec![PlannedScenario {
                name: "users".to_owned(),
                start: 0.0,
                load: PlannedLoad::Users(Course::constant(9_000.0, 5.0)),
            }],
        };
        for (plan, expected_rate, format) in [
            (None, None, SampleFormat::Json),
            (None, Some(3_000.0), SampleFormat::Json),
            (None, Some(3_000.5), SampleFormat::Csv),
            (Some(arrivals(&[3_000.0])), None, SampleFormat::Json),
            (Some(arrivals(&[2_000.0, 1_001.0])), None, SampleFormat::Csv),
            (Some(arrivals(&[10.0])), Some(4_000.0), SampleFormat::Csv),
            (Some(users), None, SampleFormat::Json),
        ] {
            let found = SampleFormat::for_load(plan.as_ref(), expected_rate);
            assert_eq!(found, format, "{plan:?} {expected_rate:?}");
        }
    }
}
