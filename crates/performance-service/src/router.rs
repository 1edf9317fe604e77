//! The route table.

use std::sync::Arc;

use axum::{Router, middleware};
use instrumentation::http::{HttpTelemetry, RouteClass, Sampling};
use service_defaults::same_origin;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::app::App;
use crate::openapi::Document;
use crate::runs::{
    cancel, cleanup, compare, delete, export, forecast, get, list, logs, quick_start, results,
    scenarios, spend, start, timeline, trends,
};
use crate::{audit, baselines, generation, hub, pages};

/// Every route of the service; health and metrics come with the defaults.
pub(crate) fn routes(app: App) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(start::start))
        .routes(routes!(forecast::forecast))
        .routes(routes!(spend::spend))
        .routes(routes!(quick_start::quick_start))
        .routes(routes!(quick_start::quick_setup))
        .routes(routes!(list::tests))
        .routes(routes!(list::running))
        .routes(routes!(scenarios::scenarios))
        .routes(routes!(cleanup::cleanup))
        .routes(routes!(compare::compare))
        .routes(routes!(trends::trends))
        .routes(routes!(get::get, delete::delete))
        .routes(routes!(cancel::cancel))
        .routes(routes!(results::results))
        .routes(routes!(timeline::timeline))
        .routes(routes!(logs::logs))
        .routes(routes!(export::export))
        .routes(routes!(
            baselines::list::list,
            baselines::establish::establish
        ))
        .routes(routes!(baselines::versions::versions))
        .routes(routes!(audit::list::list))
        .routes(routes!(audit::verify::verify))
        .merge(generation::routes())
        .routes(routes!(hub::watch))
        .with_state(app.clone())
        .split_for_parts();
    let door = Arc::clone(&app.door);
    router
        .merge(pages::routes(app))
        .layer(middleware::from_fn_with_state(door, same_origin::guard))
        .merge(SwaggerUi::new("/swagger").url("/swagger/v1/swagger.json", document))
}

/// How the routes are measured and sampled: they are all operators' routes.
pub(crate) const fn http_telemetry(sampling: Sampling) -> HttpTelemetry {
    HttpTelemetry {
        classify: |_| RouteClass::Ops,
        sampling,
    }
}
