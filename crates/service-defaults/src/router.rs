//! What stands around every process' routes.

mod guard;
mod metrics;
mod path_case;
mod unread;

use std::time::Duration;

use axum::{Router, routing::get};
use http::HeaderMap;
use instrumentation::{MetricsText, http::HttpTelemetry};

use crate::problem::Problem;
use guard::Guard;

pub use path_case::ignoring_case;

/// Largest body of a route that sets no limit of its own.
pub const BODY_LIMIT: usize = 256 * 1_024;

/// How long a body may pause before it is given up.
const BODY_IDLE_LIMIT: Duration = Duration::from_secs(10);

/// Adds `/metrics`, problem documents for 404, 405 and panics, the body limits and telemetry.
pub fn with_defaults(router: Router, telemetry: HttpTelemetry, text: MetricsText) -> Router {
    router
        .route(
            "/metrics",
            get(move |headers: HeaderMap| async move { metrics::reply(&headers, &text) }),
        )
        .fallback(|| async { Problem::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer((instrumentation::http::layer(telemetry), Guard))
}
