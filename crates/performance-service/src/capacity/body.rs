//! A search as JSON.

use load_analysis::capacity::{Capacity, End, Purpose, Step};
use load_analysis::dollars::Dollars;
use performance_store::SearchRecord;
use serde::Serialize;
use serde_json::value::RawValue;
use service_defaults::problem::Problem;
use utoipa::ToSchema;

use super::document::Document;

/// A search.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchBody {
    /// Its id.
    pub(crate) search_id: String,
    /// The name of the test.
    pub(crate) test_name: String,
    /// The name of the target.
    pub(crate) target: String,
    /// Who started it.
    pub(crate) started_by: String,
    /// `Searching`, `Done`, `Failed` or `Cancelled`.
    pub(crate) status: &'static str,
    /// When it was accepted.
    pub(crate) created_at: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completed_at: Option<String>,
    /// What was asked.
    #[schema(value_type = Object)]
    pub(crate) request: Box<RawValue>,
    /// Its runs, oldest first.
    pub(crate) probes: Vec<ProbeBody>,
    /// The run under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) under_way: Option<UnderWay>,
    /// What all runs cost.
    pub(crate) spent: SpentBody,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<ResultBody>,
    /// Why it could not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// One run of a search.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProbeBody {
    /// The run's id.
    pub(crate) test_id: String,
    /// The run's number.
    pub(crate) number: u64,
    /// Arrivals per second.
    pub(crate) rate: f64,
    /// `probe`, `repeat` or `confirm`.
    pub(crate) purpose: &'static str,
    /// The level of its verdict. PASS and WARNING carry the rate, FAIL and CRITICAL do not;
    /// the others are no answer.
    pub(crate) level: &'static str,
    /// Why.
    pub(crate) reasons: Vec<String>,
}

/// A run that is not over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnderWay {
    /// The run's id.
    pub(crate) test_id: String,
    /// Arrivals per second.
    pub(crate) rate: f64,
    /// `probe`, `repeat` or `confirm`.
    pub(crate) purpose: &'static str,
}

/// What a search cost, as far as its script reports it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpentBody {
    /// Pico-dollars of real money.
    pub(crate) real_pico_usd: u64,
    /// Pico-dollars of simulated money.
    pub(crate) simulated_pico_usd: u64,
}

/// What came of a search.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultBody {
    /// The highest confirmed rate in arrivals per second; absent when none held often enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<f64>,
    /// The lowest rate that was not carried; absent when all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beyond: Option<f64>,
    /// `found`, `at-highest`, `below-lowest`, `out-of-trials`, `out-of-time`, `out-of-money` or
    /// `stopped`.
    pub(crate) end: &'static str,
    /// All of it in a sentence.
    pub(crate) sentence: String,
}

impl SpentBody {
    /// For people, real and simulated money apart; `None` when nothing is known of money.
    pub(crate) fn text(&self) -> Option<String> {
        let parts = [
            ("", self.real_pico_usd),
            ("simulated ", self.simulated_pico_usd),
        ];
        let parts = parts.iter().filter(|(_, amount)| *amount > 0);
        let parts: Vec<String> = parts
            .map(|(kind, amount)| format!("{kind}{}", Dollars::of_pico(i128::from(*amount))))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl SearchBody {
    /// # Errors
    /// What is stored cannot be read any more.
    pub(crate) fn new(search: &SearchRecord) -> Result<Self, Problem> {
        let unreadable = |reason: &dyn std::fmt::Display| {
            tracing::error!("a search cannot be shown: {reason}");
            Problem::internal()
        };
        let document = Document::of(search).map_err(|reason| unreadable(&reason))?;
        let request = RawValue::from_string(search.request.clone());
        let [real_pico_usd, simulated_pico_usd] = document.spent();
        Ok(Self {
            search_id: search.id.to_string(),
            test_name: search.test_name.clone(),
            target: search.environment.clone(),
            started_by: search.started_by.clone(),
            status: search.status.as_str(),
            created_at: search.created_at.to_string(),
            completed_at: search.completed_at.map(|at| at.to_string()),
            request: request.map_err(|reason| unreadable(&reason))?,
            under_way: under_way(search, &document),
            probes: probes(&document),
            spent: SpentBody {
                real_pico_usd,
                simulated_pico_usd,
            },
            result: document.result.map(ResultBody::from),
            error: document.error,
        })
    }
}

fn probes(document: &Document) -> Vec<ProbeBody> {
    let trials = document.search.trials().iter().zip(&document.probes);
    trials
        .map(|(trial, probe)| ProbeBody {
            test_id: trial.run.clone(),
            number: probe.number,
            rate: trial.rate,
            purpose: purpose(probe.purpose),
            level: trial.level.as_str(),
            reasons: trial.reasons.clone(),
        })
        .collect()
}

fn under_way(search: &SearchRecord, document: &Document) -> Option<UnderWay> {
    let run = search.run?;
    match document.search.next_step() {
        Step::Try { rate, purpose: why } => Some(UnderWay {
            test_id: run.to_string(),
            rate,
            purpose: purpose(why),
        }),
        Step::Done(_) => None,
    }
}

const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Probe => "probe",
        Purpose::Repeat => "repeat",
        Purpose::Confirm => "confirm",
    }
}

impl From<Capacity> for ResultBody {
    fn from(capacity: Capacity) -> Self {
        Self {
            rate: capacity.rate,
            beyond: capacity.beyond,
            end: match capacity.end {
                End::Found => "found",
                End::AtHighest => "at-highest",
                End::BelowLowest => "below-lowest",
                End::OutOfTrials => "out-of-trials",
                End::OutOfTime => "out-of-time",
                End::OutOfMoney => "out-of-money",
                End::Stopped => "stopped",
            },
            sentence: capacity.sentence,
        }
    }
}
