//! The `OpenAPI` document around the routes' own descriptions.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

/// Title and tags; the paths come with the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "BookStore API",
        description = "Books and authors, and summaries of books by language models."
    ),
    tags(
        (name = "books", description = "Books of the tenant"),
        (name = "authors", description = "Authors of the tenant"),
        (name = "summaries", description = "Summaries by language models"),
        (name = "costs", description = "The ledger of model calls, their cost, what they would have cost"),
        (name = "experiments", description = "Which provider, model and prompt make the better summaries"),
        (name = "error lab", description = "Answers of any status, for testing clients"),
        (name = "seed data", description = "Sample data"),
        (name = "operations", description = "Probes and metrics")
    ),
    paths(health, live, ready, startup, metrics),
    components(schemas(ProblemDocument))
)]
pub(crate) struct Document;

/// A failure (RFC 9457).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemDocument {
    /// Kind of problem.
    r#type: String,
    /// The kind in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// This very case in words.
    detail: String,
    /// The same for old clients.
    message: String,
    /// The request's id.
    instance: String,
    /// The request's trace.
    trace_id: String,
    /// Invalid fields, each with its reasons.
    errors: Option<std::collections::BTreeMap<String, Vec<String>>>,
}

/// Whether the service can serve, in a word.
#[utoipa::path(get, path = "/health", tag = "operations", responses(
    (status = 200, body = String, content_type = "text/plain", description = "Healthy"),
    (status = 503, body = String, content_type = "text/plain", description = "Unhealthy")
))]
#[expect(dead_code, reason = "describes a route that comes with the defaults")]
fn health() {}

/// Whether the process answers.
#[utoipa::path(get, path = "/health/live", tag = "operations",
    responses((status = 200, body = serde_json::Value)))]
#[expect(dead_code, reason = "describes a route that comes with the defaults")]
fn live() {}

/// Whether every part that is needed answered at its last check.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses(
    (status = 200, body = serde_json::Value), (status = 503, body = serde_json::Value)
))]
#[expect(dead_code, reason = "describes a route that comes with the defaults")]
fn ready() {}

/// Whether every part that is needed has answered once.
#[utoipa::path(get, path = "/health/startup", tag = "operations", responses(
    (status = 200, body = serde_json::Value), (status = 503, body = serde_json::Value)
))]
#[expect(dead_code, reason = "describes a route that comes with the defaults")]
fn startup() {}

/// Metrics, as `OpenMetrics` for whoever prefers it.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain")))]
#[expect(dead_code, reason = "describes a route that comes with the defaults")]
fn metrics() {}
