//! The proxy's controls over HTTP, for whoever runs it as a process.

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use service_defaults::{extract::ValidJson, problem::Problem};

use crate::{Behaviour, FaultProxy};

/// What `GET /proxy` shows.
#[derive(Serialize)]
struct Description {
    address: SocketAddr,
    behaviour: Behaviour,
}

/// `GET /proxy` shows the proxy, `PUT /proxy/behaviour` changes it; `{}` heals it.
pub fn router(proxy: Arc<FaultProxy>) -> Router {
    Router::new()
        .route("/proxy", get(describe))
        .route("/proxy/behaviour", get(behaviour).put(set_behaviour))
        .fallback(|| async { Problem::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .with_state(proxy)
}

async fn describe(State(proxy): State<Arc<FaultProxy>>) -> Json<Description> {
    Json(Description {
        address: proxy.address(),
        behaviour: proxy.behaviour(),
    })
}

async fn behaviour(State(proxy): State<Arc<FaultProxy>>) -> Json<Behaviour> {
    Json(proxy.behaviour())
}

async fn set_behaviour(
    State(proxy): State<Arc<FaultProxy>>,
    ValidJson(behaviour): ValidJson<Behaviour>,
) -> Result<Json<Behaviour>, Problem> {
    behaviour
        .check()
        .map_err(|(field, reason)| Problem::invalid_field(field, reason))?;
    proxy.set(behaviour);
    Ok(Json(behaviour))
}
