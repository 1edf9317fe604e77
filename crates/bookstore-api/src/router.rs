//! The route table.

use axum::Router;
use instrumentation::http::{HttpTelemetry, RouteClass, Sampling};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    accounts, app::AppState, authors, books, error_lab, experiments, openapi::Document, seed,
    summaries,
};

/// Every route of the API; health and metrics come with the defaults.
pub(crate) fn routes(app: AppState) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        // Each route has its whole path: a nested router rewrites the address of every request.
        .merge(summaries::routes())
        .merge(books::routes())
        .merge(authors::routes())
        .merge(error_lab::routes())
        .merge(seed::routes())
        .merge(accounts::routes())
        .merge(experiments::routes())
        .with_state(app)
        .split_for_parts();
    router.merge(SwaggerUi::new("/swagger").url("/swagger/v1/swagger.json", document))
}

/// How the routes are measured and sampled.
pub(crate) fn http_telemetry(sampling: Sampling) -> HttpTelemetry {
    HttpTelemetry { classify, sampling }
}

fn classify(route: &str) -> RouteClass {
    if route.ends_with("/generate-summary") {
        RouteClass::Ai
    } else if route.starts_with("/api/v1/books") || route.starts_with("/api/v1/authors") {
        RouteClass::Catalogue
    } else {
        RouteClass::Ops
    }
}
