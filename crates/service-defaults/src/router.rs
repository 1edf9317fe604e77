//! What stands around every process' routes.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, Version, header};
use instrumentation::{MetricsText, http::HttpTelemetry};
use tower_http::{catch_panic::CatchPanicLayer, timeout::RequestBodyTimeoutLayer};

use crate::problem::Problem;

/// Largest body of a route that sets no limit of its own.
pub const BODY_LIMIT: usize = 256 * 1_024;

/// How long a body may pause before it is given up.
const BODY_IDLE_LIMIT: Duration = Duration::from_secs(10);

/// Adds `/metrics`, problem documents for 404, 405 and panics, the body limits and telemetry.
pub fn with_defaults(router: Router, telemetry: HttpTelemetry, metrics: MetricsText) -> Router {
    router
        .route(
            "/metrics",
            get(move || async move { metrics_text(&metrics) }),
        )
        .fallback(|| async { Problem::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(RequestBodyTimeoutLayer::new(BODY_IDLE_LIMIT))
        .layer(middleware::from_fn(check_head))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(instrumentation::http::layer(telemetry))
}

fn metrics_text(metrics: &MetricsText) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], metrics.render()).into_response()
}

/// Refuses heads that two parsers could read differently (RFC 9112, 3.2 and 6.3).
async fn check_head(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let http_1 = request.version() <= Version::HTTP_11;
    if http_1 && headers.get_all(header::HOST).iter().count() != 1 {
        return Problem::malformed("exactly one Host header is required").into_response();
    }
    if headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH)
    {
        return Problem::malformed("Content-Length and Transfer-Encoding exclude each other")
            .into_response();
    }
    next.run(request).await
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!("a handler panicked: {text}");
    Problem::internal().into_response()
}
