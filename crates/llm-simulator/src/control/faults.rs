//! Fault rules: all of them at once.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use service_defaults::{extract::ValidJson, problem::Problem};

use crate::{
    engine::Engine,
    faults::{FaultRule, FaultRules},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    rules: Vec<FaultRule>,
}

/// The rules in force, and how many calls or connections each has hit.
#[derive(Serialize)]
pub(super) struct RulesInForce {
    rules: Vec<FaultRule>,
    hits: Vec<u64>,
}

pub(super) async fn all(State(engine): State<Arc<Engine>>) -> Json<RulesInForce> {
    Json(in_force(&engine))
}

pub(super) async fn set(
    State(engine): State<Arc<Engine>>,
    ValidJson(body): ValidJson<Rules>,
) -> Result<Json<RulesInForce>, Problem> {
    let rules = FaultRules::check(body.rules)
        .map_err(|error| Problem::invalid_field(&error.field, error.reason))?;
    engine.set_faults(rules);
    Ok(Json(in_force(&engine)))
}

fn in_force(engine: &Engine) -> RulesInForce {
    let settings = engine.settings();
    let (rules, hits) = settings
        .faults
        .hits()
        .map(|(rule, hits)| (rule.clone(), hits))
        .unzip();
    RulesInForce { rules, hits }
}
