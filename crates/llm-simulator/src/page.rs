//! The page for people at `/`: what was called, what is in force, and buttons
//! for the controls. It is complete without scripts.

mod presets;
mod view;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION},
};
use serde::Deserialize;
use service_defaults::{extract::ValidPath, problem::Problem};

use crate::{engine::Engine, profile::Profile};

/// No script runs, nothing leaves the host, no other site frames the page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);

#[derive(Deserialize)]
struct NameInPath {
    name: String,
}

/// The page's buttons and its style; the page itself shares `/` with Ollama.
pub(crate) fn router() -> Router<Arc<Engine>> {
    Router::new()
        .route("/page/profile/{name}", post(set_profile))
        .route("/page/faults/{name}", post(set_faults))
        .route("/page/reset", post(reset))
        .route("/page/style.css", get(style))
}

/// Whether a browser asks, not a client of Ollama.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

/// The page, as old as the request.
pub(crate) fn home(engine: &Engine) -> Response {
    match view::Home::of(engine).render() {
        Ok(html) => {
            let headers = [
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (CONTENT_SECURITY_POLICY, POLICY),
            ];
            (headers, Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!("the page cannot be rendered: {error}");
            Problem::internal().into_response()
        }
    }
}

async fn set_profile(
    State(engine): State<Arc<Engine>>,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<Response, Problem> {
    let profile = Profile::by_name(&path.name)
        .map_err(|_| Problem::not_found("there is no profile of this name"))?;
    engine.set_profile(profile);
    Ok(back())
}

async fn set_faults(
    State(engine): State<Arc<Engine>>,
    ValidPath(path): ValidPath<NameInPath>,
) -> Result<Response, Problem> {
    let rules = presets::rules(&path.name)
        .ok_or_else(|| Problem::not_found("there are no faults of this name"))?;
    engine.set_faults(rules);
    Ok(back())
}

async fn reset(State(engine): State<Arc<Engine>>) -> Response {
    engine.reset();
    back()
}

async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=60"),
    ];
    (headers, include_str!("../assets/style.css")).into_response()
}

/// The browser fetches the page, and reloading it presses nothing again.
fn back() -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response()
}
