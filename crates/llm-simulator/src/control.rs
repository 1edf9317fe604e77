//! The controls over HTTP: what may be changed while the simulator runs, and
//! what it has counted. [`Control`] is the same from within the process.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post, put},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service_defaults::{
    extract::{ValidJson, ValidQuery},
    problem::Problem,
};

use crate::{
    engine::Engine,
    faults::{FaultRule, FaultRuleError, FaultRules},
    meter::{CallRecord, JOURNAL_CALLS, MeterReading},
    profile::{Profile, ProfileError, ProfileText},
};

/// Calls in one reply unless more are asked for.
const DEFAULT_CALLS: usize = 100;

/// The controls of a simulator in the same process.
#[derive(Clone)]
pub struct Control {
    engine: Arc<Engine>,
}

impl Control {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Changes the pace of the calls that arrive from now on.
    pub fn set_profile(&self, profile: Profile) {
        self.engine.set_profile(profile);
    }

    /// Changes where drawn numbers begin, for the calls that arrive from now on.
    pub fn set_seed(&self, seed: u64) {
        self.engine.set_seed(seed);
    }

    /// Replaces all fault rules; none means that nothing fails.
    ///
    /// # Errors
    /// Names the field of the first rule that is wrong; nothing changes then.
    pub fn set_faults(&self, rules: Vec<FaultRule>) -> Result<(), FaultRuleError> {
        self.engine.set_faults(FaultRules::check(rules)?);
        Ok(())
    }

    /// Back to the state at start: profile, seed, no faults, empty accounts.
    pub fn reset(&self) {
        self.engine.reset();
    }

    /// What was used since the last reset.
    #[must_use]
    pub fn meter(&self) -> MeterReading {
        self.engine.reading()
    }

    /// The last calls, at most `limit`, in the order in which they ended.
    #[must_use]
    pub fn calls(&self, limit: usize) -> Vec<CallRecord> {
        self.engine.last_calls(limit)
    }
}

/// A profile by its name, or written out.
#[derive(Deserialize)]
#[serde(untagged)]
enum ProfileChoice {
    Written(ProfileText),
    Named(NamedProfile),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedProfile {
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    rules: Vec<FaultRule>,
}

/// The rules in force, and how many calls or connections each has hit.
#[derive(Serialize)]
struct FaultsInForce {
    rules: Vec<FaultRule>,
    hits: Vec<u64>,
}

#[derive(Deserialize)]
struct CallsQuery {
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Calls {
    calls: Vec<CallRecord>,
}

/// The routes under `/control`.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/control/profile", get(profile).put(set_profile))
        .route("/control/seed", put(set_seed))
        .route("/control/faults", get(faults).put(set_faults))
        .route("/control/reset", post(reset))
        .route("/control/meter", get(meter))
        .route("/control/calls", get(calls))
}

async fn profile(State(engine): State<Arc<Engine>>) -> Json<ProfileText> {
    Json(engine.settings().profile.text().clone())
}

async fn set_profile(
    State(engine): State<Arc<Engine>>,
    ValidJson(choice): ValidJson<ProfileChoice>,
) -> Result<Json<ProfileText>, Problem> {
    let profile = match choice {
        ProfileChoice::Written(text) => Profile::check(text),
        ProfileChoice::Named(named) => Profile::by_name(&named.name),
    };
    engine.set_profile(profile.map_err(|error| refused_profile(&error))?);
    Ok(Json(engine.settings().profile.text().clone()))
}

async fn set_seed(
    State(engine): State<Arc<Engine>>,
    ValidJson(seed): ValidJson<Seed>,
) -> Json<Seed> {
    engine.set_seed(seed.seed);
    Json(seed)
}

async fn faults(State(engine): State<Arc<Engine>>) -> Json<FaultsInForce> {
    Json(in_force(&engine))
}

fn in_force(engine: &Engine) -> FaultsInForce {
    let settings = engine.settings();
    let (rules, hits) = settings
        .faults
        .hits()
        .map(|(rule, hits)| (rule.clone(), hits))
        .unzip();
    FaultsInForce { rules, hits }
}

async fn set_faults(
    State(engine): State<Arc<Engine>>,
    ValidJson(faults): ValidJson<Faults>,
) -> Result<Json<FaultsInForce>, Problem> {
    let rules = FaultRules::check(faults.rules)
        .map_err(|error| Problem::invalid_field(&error.field, error.reason))?;
    engine.set_faults(rules);
    Ok(Json(in_force(&engine)))
}

async fn reset(State(engine): State<Arc<Engine>>) -> StatusCode {
    engine.reset();
    StatusCode::NO_CONTENT
}

async fn meter(State(engine): State<Arc<Engine>>) -> Json<MeterReading> {
    Json(engine.reading())
}

async fn calls(
    State(engine): State<Arc<Engine>>,
    ValidQuery(query): ValidQuery<CallsQuery>,
) -> Result<Json<Calls>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_CALLS);
    if !(1..=JOURNAL_CALLS).contains(&limit) {
        let reason = format!("must be between 1 and {JOURNAL_CALLS}");
        return Err(Problem::invalid_field("limit", reason));
    }
    Ok(Json(Calls {
        calls: engine.last_calls(limit),
    }))
}

fn refused_profile(error: &ProfileError) -> Problem {
    match error {
        ProfileError::Field { field, reason } => Problem::invalid_field(*field, reason),
        ProfileError::Unknown(_) | ProfileError::File { .. } => {
            Problem::invalid_field("name", error.to_string())
        }
    }
}
