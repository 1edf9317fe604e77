//! What happened to a variant's calls, from the ledger and from assessments.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use llm::{Ledger, LedgerError, LedgerFilter, LedgerRow, Outcome};
use tenancy::TenantId;
use uuid::Uuid;

use super::definition::Experiment;

/// Most calls of a variant that are looked at: a hundred bytes each.
const MAX_CALLS: usize = 100_000;

/// Ratings from this one on are good.
const GOOD: u8 = 4;

/// What is known of a variant.
#[derive(Debug, Default)]
pub(super) struct Observations {
    /// Calls that ended, with an answer or an error; callers who left are not among them.
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) cancelled: u64,
    /// Milliseconds, of calls with an answer, sorted.
    pub(super) first_token: Vec<f64>,
    pub(super) latency: Vec<f64>,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) real: Spent,
    pub(super) simulated: Spent,
    pub(super) checks: Counts,
    pub(super) ratings: Counts,
    /// The sum of all ratings.
    pub(super) stars: u64,
    /// Whether there are more calls than were looked at.
    pub(super) truncated: bool,
}

/// Money of one kind.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// Units of 10⁻¹² USD.
    pub(super) total: i128,
    /// Dollars of each priced call.
    pub(super) per_call: Vec<f64>,
    pub(super) unpriced: u64,
}

/// Good ones among all.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) good: u64,
    pub(super) all: u64,
}

/// One call, with all its attempts.
#[derive(Debug, Default)]
struct Call {
    end: End,
    first_token: Option<Duration>,
    latency: Duration,
    input_tokens: u64,
    output_tokens: u64,
    cost: i128,
    unpriced: bool,
    simulated: bool,
}

/// How a call came out: answered if an attempt was, else cancelled if one was.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Failed,
    Cancelled,
    Answered,
}

#[derive(Debug, Default)]
struct Calls {
    by_id: HashMap<Uuid, Call>,
    truncated: bool,
}

/// Looks at everything that one variant's label stands on.
pub(super) async fn observe(
    ledger: &Ledger,
    tenant: &TenantId,
    experiment: &Experiment,
    label: &str,
) -> Result<Observations, LedgerError> {
    let filter = LedgerFilter {
        variant: Some(label.to_owned()),
        from: Timestamp::from_millisecond(experiment.started_at).ok(),
        ..LedgerFilter::of(tenant.clone())
    };
    let calls: Arc<Mutex<Calls>> = Arc::default();
    let visited = Arc::clone(&calls);
    let visit = move |row: &LedgerRow| lock(&visited).add(row);
    ledger.each(&filter, visit).await?;
    let calls = std::mem::take(&mut *lock(&calls));
    let mut observations = calls.observations();
    for count in ledger.scores(tenant, label).await? {
        let counts = if count.by_checks {
            &mut observations.checks
        } else {
            observations.stars += u64::from(count.score) * count.count;
            &mut observations.ratings
        };
        counts.all += count.count;
        counts.good += if count.score >= GOOD { count.count } else { 0 };
    }
    Ok(observations)
}

fn lock(calls: &Mutex<Calls>) -> std::sync::MutexGuard<'_, Calls> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Calls {
    fn add(&mut self, row: &LedgerRow) {
        if self.by_id.len() >= MAX_CALLS && !self.by_id.contains_key(&row.call_id) {
            self.truncated = true;
            return;
        }
        let call = self.by_id.entry(row.call_id).or_default();
        match row.outcome {
            Outcome::Succeeded => {
                call.end = End::Answered;
                call.first_token = row.latency.time_to_first_token;
                call.latency = row.latency.total;
            }
            Outcome::Cancelled if call.end == End::Failed => call.end = End::Cancelled,
            Outcome::Cancelled | Outcome::Failed | Outcome::Partial => {}
        }
        call.input_tokens += row.usage.input_tokens;
        call.output_tokens += row.usage.output_tokens;
        call.simulated = row.simulated;
        match row.cost {
            Some(cost) => call.cost += i128::from(cost.get()),
            None => call.unpriced = true,
        }
    }

    fn observations(self) -> Observations {
        let mut seen = Observations {
            truncated: self.truncated,
            ..Observations::default()
        };
        for call in self.by_id.into_values() {
            seen.add(&call);
        }
        seen.first_token.sort_by(f64::total_cmp);
        seen.latency.sort_by(f64::total_cmp);
        seen
    }
}

impl Observations {
    fn add(&mut self, call: &Call) {
        self.input_tokens += call.input_tokens;
        self.output_tokens += call.output_tokens;
        let spent = if call.simulated {
            &mut self.simulated
        } else {
            &mut self.real
        };
        spent.total += call.cost;
        if call.unpriced {
            spent.unpriced += 1;
        } else {
            spent.per_call.push(dollars(call.cost));
        }
        match call.end {
            End::Answered => {
                self.calls += 1;
                self.first_token.extend(call.first_token.map(milliseconds));
                self.latency.push(milliseconds(call.latency));
            }
            End::Cancelled => self.cancelled += 1,
            End::Failed => {
                self.calls += 1;
                self.errors += 1;
            }
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "for statistics; sums are exact")]
fn dollars(pico: i128) -> f64 {
    pico as f64 / 1e12
}
