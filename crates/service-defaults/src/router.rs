//! What stands around every process' routes.

mod guard;
mod metrics;
mod path_case;
mod patience;
mod unread;

use axum::{Router, routing::get};
use http::HeaderMap;
use instrumentation::{MetricsText, http::HttpTelemetry};

use crate::{access::Gate, problem::Problem};
use guard::Guard;

pub use path_case::ignoring_case;
pub(crate) use patience::BodyTimedOut;

/// Largest body of a route that sets no limit of its own.
pub const BODY_LIMIT: usize = 256 * 1_024;

/// Adds `/metrics` unless metrics are turned off, problem documents for 404, 405 and panics, the body limits and telemetry.
pub fn with_defaults(
    router: Router,
    telemetry: HttpTelemetry,
    text: Option<MetricsText>,
) -> Router {
    let telemetry = instrumentation::http::layer(telemetry);
    with_operations(router, text).layer((telemetry, Guard))
}

/// The same behind a gate, which every route passes, those of the defaults included.
pub fn with_gate(
    router: Router,
    gate: Gate,
    telemetry: HttpTelemetry,
    text: Option<MetricsText>,
) -> Router {
    let telemetry = instrumentation::http::layer(telemetry);
    with_operations(router, text).layer((telemetry, Guard, gate))
}

fn with_operations(router: Router, text: Option<MetricsText>) -> Router {
    let router = match text {
        Some(text) => router.route(
            "/metrics",
            get(move |headers: HeaderMap| async move { metrics::reply(&headers, &text) }),
        ),
        None => router,
    };
    router
        .fallback(|| async { Problem::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
}
