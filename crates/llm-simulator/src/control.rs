//! The controls over HTTP: what may be changed while the simulator runs, and
//! what it has counted. [`Control`] is the same from within the process.

mod calls;
mod faults;
mod profiles;
mod rate_limits;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service_defaults::extract::ValidJson;

use crate::{
    accounts::Lines,
    engine::Engine,
    faults::{FaultRule, FaultRuleError, FaultRules},
    invoice::Invoice,
    journal::{CallFilter, CallRecord},
    meter::MeterReading,
    profile::{ModelProfiles, Profile},
    rate_limit::{RateLimits, RateLimitsError},
};

/// The controls of a simulator in the same process.
#[derive(Clone)]
pub struct Control {
    engine: Arc<Engine>,
}

impl Control {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Changes the pace of the calls that arrive from now on, but for models
    /// that have a profile of their own.
    pub fn set_profile(&self, profile: Profile) {
        self.engine.set_profile(profile);
    }

    /// Replaces the profiles of single models.
    pub fn set_model_profiles(&self, profiles: ModelProfiles) {
        self.engine.set_model_profiles(profiles);
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

    /// Replaces the rate limits and fills all buckets.
    ///
    /// # Errors
    /// Names the limit that cannot be kept; nothing changes then.
    pub fn set_rate_limits(&self, limits: RateLimits) -> Result<(), RateLimitsError> {
        self.engine.rate_limits.set(limits.check()?);
        Ok(())
    }

    /// Back to the state at start: profiles, seed, faults and rate limits; empty
    /// caches and accounts.
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
        self.engine.last_calls(&CallFilter::default(), limit)
    }

    /// The bill for the calls that the filter takes, with all of its lines that
    /// the journal still has.
    #[must_use]
    pub fn invoice(&self, filter: &CallFilter) -> Invoice {
        let lines = Lines {
            offset: 0,
            limit: usize::MAX,
        };
        self.engine.invoice(filter, &lines)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

/// The routes under `/control`.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route(
            "/control/profile",
            get(profiles::default).put(profiles::set_default),
        )
        .route(
            "/control/profiles",
            get(profiles::all).put(profiles::set_models),
        )
        .route("/control/seed", get(seed).put(set_seed))
        .route("/control/faults", get(faults::all).put(faults::set))
        .route("/control/rate-limits", rate_limits::route())
        .route("/control/reset", post(reset))
        .route("/control/meter", get(meter))
        .route("/control/calls", get(calls::last))
        .route("/control/invoice", get(calls::invoice))
}

async fn seed(State(engine): State<Arc<Engine>>) -> Json<Seed> {
    Json(Seed {
        seed: engine.settings().seed,
    })
}

async fn set_seed(
    State(engine): State<Arc<Engine>>,
    ValidJson(seed): ValidJson<Seed>,
) -> Json<Seed> {
    engine.set_seed(seed.seed);
    Json(seed)
}

async fn reset(State(engine): State<Arc<Engine>>) -> StatusCode {
    engine.reset();
    StatusCode::NO_CONTENT
}

async fn meter(State(engine): State<Arc<Engine>>) -> Json<MeterReading> {
    Json(engine.reading())
}
