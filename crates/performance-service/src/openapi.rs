//! The `OpenAPI` document around the descriptions of the routes.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

/// Title and tags; the paths come with the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Performance service",
        description = "Starts load tests, shows them live, judges them."
    ),
    tags(
        (name = "runs", description = "Load tests of the tenant"),
        (name = "baselines", description = "What tests measure when all is well"),
        (name = "criteria", description = "What runs and the service are held against"),
        (name = "schedules", description = "Runs that start by the clock"),
        (name = "webhooks", description = "Who is told of runs"),
        (name = "tests", description = "Tests that are configured once: the second family"),
        (name = "capacity", description = "Searches for the highest rate within all limits"),
        (name = "audit", description = "Who changed what"),
        (name = "scripts", description = "Load tests made from descriptions"),
        (name = "live", description = "What happens, as it happens")
    ),
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
    errors: Option<BTreeMap<String, Vec<String>>>,
}
