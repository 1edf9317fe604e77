//! What a client asks for when it starts a search, and the runs that follow from it.

use std::time::Duration;

use load_analysis::capacity::{InvalidPlan, Plan};
use load_runner::duration;
use load_runner::options::RunOptions;
use serde::{Deserialize, Serialize};
use service_defaults::problem::{FieldError, Problem};
use utoipa::ToSchema;

use crate::runs::request::{Expressions, StartBody};
use crate::{problems, tenant_limits};

/// Pico-dollars of a dollar.
const PICO: f64 = 1e12;

/// No call of a model and no search costs more.
const MOST_DOLLARS: f64 = 1_000_000.0;

/// The metric of `k6/tests/ai-summary.js` that a limit on dollars per call is held against.
const COST_PER_CALL: &str = "ai_cost_per_call_pico_usd";

/// The longest search, in minutes.
const MAX_MINUTES: u32 = 24 * 60;

/// What is appended to the name of a test, so that its own history stays its own.
const SUFFIX: &str = " (capacity)";

/// The body of `POST /capacity`: that of a run, whose load the search decides, and the search.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CapacityBody {
    /// What each run is. `options.thresholds` are the limits that must hold together with those
    /// of the script; `options.virtualUsers` are the most at once.
    #[serde(flatten)]
    pub(crate) run: StartBody,
    /// The lowest rate in arrivals per second; 1 when absent.
    pub(crate) from_rate: Option<f64>,
    /// The highest rate in arrivals per second.
    pub(crate) to_rate: Option<f64>,
    /// How long each run holds its rate; `20s` when absent.
    pub(crate) step_duration: Option<String>,
    /// How close the search goes, as a share of the rate; 0.05 when absent.
    pub(crate) precision: Option<f64>,
    /// How often the highest rate that held must hold again; 2 when absent.
    pub(crate) confirmations: Option<u32>,
    /// The most runs; 30 when absent.
    pub(crate) max_runs: Option<usize>,
    /// The most minutes from the start of the search on; 240 when absent.
    pub(crate) max_minutes: Option<u32>,
    /// The most that a call of a model may cost on average, in dollars, for scripts that report
    /// it.
    pub(crate) dollars_per_call: Option<f64>,
    /// The most that all runs may cost, in dollars: of real money, and of simulated money.
    pub(crate) max_search_dollars: Option<f64>,
}

/// A checked request.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) body: CapacityBody,
    pub(crate) plan: Plan,
    /// How long each run is.
    pub(crate) step: Duration,
    /// How long the search may take.
    pub(crate) longest: Duration,
    /// Pico-dollars.
    pub(crate) most_money: Option<u64>,
}

impl Wanted {
    /// Checks what is asked, but for what each run asks.
    ///
    /// # Errors
    /// 400 names every field that is refused.
    pub(crate) fn parse(body: CapacityBody) -> Result<Self, Problem> {
        let mut body = body;
        body.run = body.run.canonical();
        let mut errors = decided_by_the_search(&body.run);
        let mut keep = |error: Option<FieldError>| errors.extend(error);
        let plan = plan(&body);
        keep(plan.as_ref().err().map(of_plan));
        let step = step(&body);
        keep(step.as_ref().err().cloned());
        let minutes = body.max_minutes.unwrap_or(240);
        if !(1..=MAX_MINUTES).contains(&minutes) {
            let reason = format!("must be 1 to {MAX_MINUTES}");
            keep(Some(FieldError::new("maxMinutes", reason)));
        }
        let money = pico_dollars("maxSearchDollars", body.max_search_dollars);
        keep(money.as_ref().err().cloned());
        let per_call = pico_dollars("dollarsPerCall", body.dollars_per_call);
        keep(per_call.as_ref().err().cloned());
        match (plan, step, money, per_call) {
            (Ok(plan), Ok(step), Ok(most_money), Ok(per_call)) if errors.is_empty() => {
                add_cost_limit(&mut body.run, per_call);
                Ok(Self {
                    body,
                    plan,
                    step,
                    longest: Duration::from_secs(u64::from(minutes) * 60),
                    most_money,
                })
            }
            _ => Err(Problem::invalid(errors)),
        }
    }

    /// The run at a rate, with as many users as it may have.
    pub(crate) fn run_at(&self, rate: f64, most_users: u32) -> StartBody {
        let mut run = self.body.run.clone();
        let name = run.test_name.as_deref().or(run.test_script.as_deref());
        run.test_name = Some(format!("{}{SUFFIX}", name.unwrap_or("Capacity")));
        run.options.rate = Some(rate);
        run.options.duration = Some(duration::format(self.step));
        let needed = RunOptions::users_at(rate, self.step).min(most_users);
        run.options.virtual_users = run.options.virtual_users.or(Some(needed.into()));
        run
    }
}

/// A load of its own would be another search.
fn decided_by_the_search(run: &StartBody) -> Vec<FieldError> {
    let options = &run.options;
    [
        ("rate", options.rate.is_some()),
        ("duration", options.duration.is_some()),
        ("iterations", options.iterations.is_some()),
    ]
    .into_iter()
    .filter(|(_, asked)| *asked)
    .map(|(option, _)| {
        let reason = "is decided by the search: fromRate, toRate and stepDuration bound it";
        FieldError::new(format!("options.{option}"), reason)
    })
    .collect()
}

fn plan(body: &CapacityBody) -> Result<Plan, InvalidPlan> {
    Plan::new(
        (
            body.from_rate.unwrap_or(1.0),
            body.to_rate.unwrap_or(f64::NAN),
        ),
        body.precision.unwrap_or(0.05),
        body.confirmations.unwrap_or(2),
        body.max_runs.unwrap_or(30),
    )
}

fn of_plan(error: &InvalidPlan) -> FieldError {
    let field = match error {
        InvalidPlan::Rates => "toRate",
        InvalidPlan::Precision => "precision",
        InvalidPlan::Confirmations => "confirmations",
        InvalidPlan::Trials => "maxRuns",
    };
    FieldError::new(field, error.to_string())
}

fn step(body: &CapacityBody) -> Result<Duration, FieldError> {
    let text = body.step_duration.as_deref().unwrap_or("20s");
    duration::parse(text).map_err(|error| FieldError::new("stepDuration", error.to_string()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above zero and at most 10^18 by the bounds that are checked before"
)]
fn pico_dollars(field: &'static str, dollars: Option<f64>) -> Result<Option<u64>, FieldError> {
    match dollars {
        None => Ok(None),
        Some(dollars) if dollars > 0.0 && dollars <= MOST_DOLLARS => {
            Ok(Some((dollars * PICO).round() as u64))
        }
        Some(_) => {
            let reason = format!("must be above 0 and at most {MOST_DOLLARS}");
            Err(FieldError::new(field, reason))
        }
    }
}

fn add_cost_limit(run: &mut StartBody, per_call: Option<u64>) {
    let Some(per_call) = per_call else { return };
    let thresholds = &mut run.options.thresholds;
    let of_cost = thresholds
        .entry(COST_PER_CALL.to_owned())
        .or_insert_with(|| Expressions(Vec::new()));
    of_cost.0.push(format!("avg<={per_call}"));
}

/// 400 without any limit: every rate would be carried.
pub(crate) fn no_limit() -> Problem {
    Problem::invalid_field(
        "options.thresholds",
        "a search needs a limit, such as {\"http_req_duration\": [\"p(95)<500\"]}",
    )
}

/// Reads a stored request.
///
/// # Errors
/// It cannot be read any more, with the reason.
pub(crate) fn stored(text: &str) -> Result<Wanted, String> {
    let body: CapacityBody =
        serde_json::from_str(text).map_err(|error| format!("the stored request: {error}"))?;
    Wanted::parse(body).map_err(|problem| problem.detail().to_owned())
}

/// The problem of a store that failed, where searches are meant.
pub(crate) fn from_store(error: performance_store::StoreError) -> Problem {
    use performance_store::StoreError;
    match error {
        StoreError::NotFound => super::no_such_search(),
        StoreError::Superseded => Problem::conflict("the search is over, or changes just now"),
        StoreError::TenantQueueFull { waiting, limit } => {
            tenant_limits::searches_full(waiting, limit)
        }
        other => problems::from_change(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: serde_json::Value) -> Result<Wanted, Problem> {
        Wanted::parse(serde_json::from_value(body).unwrap())
    }

    #[test]
    fn a_run_at_a_rate_is_the_request_with_that_rate() {
        let wanted = parse(json!({
            "testName": "catalogue", "testScript": "tests/load.js", "toRate": 100, "stepDuration": "10s",
            "options": {"thresholds": {"http_req_duration": ["p(95)<300"]}},
            "dollarsPerCall": 0.002,
        }))
        .unwrap();
        let run = wanted.run_at(12.5, 1_000);
        assert_eq!(run.test_name.as_deref(), Some("catalogue (capacity)"));
        assert_eq!(run.test_script.as_deref(), Some("tests/load.js"));
        assert_eq!(run.options.rate, Some(12.5));
        assert_eq!(run.options.virtual_users, Some(126));
        let thresholds = serde_json::to_value(&run.options.thresholds).unwrap();
        let expected = json!({
            "http_req_duration": ["p(95)<300"],
            COST_PER_CALL: ["avg<=2000000000"],
        });
        assert_eq!(thresholds, expected);
        assert_eq!(wanted.run_at(12.5, 50).options.virtual_users, Some(50));

        let again = serde_json::to_string(&wanted.body).unwrap();
        let again = stored(&again).unwrap();
        assert_eq!(again.plan, wanted.plan);
    }

    #[test]
    fn every_wrong_field_is_named() {
        let refused = |body: serde_json::Value| format!("{:?}", parse(body).unwrap_err());
        let all = refused(json!({
            "toRate": 1, "precision": 0.05, "stepDuration": "soon", "maxMinutes": 0,
            "maxSearchDollars": -1, "dollarsPerCall": 0,
            "options": {"rate": 5, "duration": "1m"},
        }));
        for field in [
            "toRate",
            "stepDuration",
            "maxMinutes",
            "maxSearchDollars",
            "dollarsPerCall",
            "options.rate",
            "options.duration",
        ] {
            assert!(all.contains(field), "{field}: {all}");
        }
        assert!(refused(json!({})).contains("toRate"));
        assert!(refused(json!({"toRate": 9, "maxRuns": 1000})).contains("maxRuns"));
    }
}
