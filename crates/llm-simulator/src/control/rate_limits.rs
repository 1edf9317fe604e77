//! The limits over HTTP.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    routing::{MethodRouter, get},
};
use service_defaults::{extract::ValidJson, problem::Problem};

use crate::{engine::Engine, rate_limit::RateLimits};

/// `GET` shows the limits, `PUT` replaces them and fills all buckets: `{}` means
/// that nothing is limited.
pub(super) fn route() -> MethodRouter<Arc<Engine>> {
    get(show).put(replace)
}

async fn show(State(engine): State<Arc<Engine>>) -> Json<RateLimits> {
    Json(engine.rate_limits.limits())
}

async fn replace(
    State(engine): State<Arc<Engine>>,
    ValidJson(limits): ValidJson<RateLimits>,
) -> Result<Json<RateLimits>, Problem> {
    let limits = limits
        .check()
        .map_err(|error| Problem::invalid_field(&error.field, error.reason))?;
    engine.rate_limits.set(limits);
    Ok(Json(limits))
}
