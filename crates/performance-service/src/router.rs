//! The route table.

use axum::{Router, middleware};
use instrumentation::http::{HttpTelemetry, RouteClass, Sampling};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::app::App;
use crate::configured_tests::calls as tests;
use crate::openapi::Document;
use crate::runs::{
    cancel, cleanup, compare, delete, events, export, forecast, get, list, logs, notes,
    quick_start, resources, results, scenarios, spend, start, timeline, trends,
};
use crate::webhooks::calls as webhooks;
use crate::{
    audit, baselines, capacity, criteria, generation, hub, idempotency, pages, saved_scripts,
    schedules,
};

/// Every route of the service; health and metrics come with the defaults.
pub(crate) fn routes(app: App) -> Router {
    let (router, document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(keyed_routes(&app))
        .routes(routes!(forecast::forecast))
        .routes(routes!(spend::spend))
        .routes(routes!(list::tests))
        .routes(routes!(list::running))
        .routes(routes!(scenarios::scenarios))
        .routes(routes!(cleanup::cleanup))
        .routes(routes!(compare::compare))
        .routes(routes!(trends::trends))
        .routes(routes!(notes::list))
        .routes(routes!(notes::set, notes::clear))
        .routes(routes!(criteria::limits::limits))
        .routes(routes!(criteria::slos::slos))
        .routes(routes!(get::get, delete::delete))
        .routes(routes!(cancel::cancel))
        .routes(routes!(events::tell))
        .routes(routes!(results::results))
        .routes(routes!(timeline::timeline))
        .routes(routes!(resources::resources))
        .routes(routes!(logs::logs))
        .routes(routes!(export::export))
        .routes(routes!(baselines::versions::versions))
        .routes(routes!(audit::list::list))
        .routes(routes!(audit::verify::verify))
        .merge(capacity::routes())
        .routes(routes!(
            schedules::list::get,
            schedules::change::replace,
            schedules::change::remove
        ))
        .routes(routes!(schedules::change::pause))
        .routes(routes!(schedules::change::resume))
        .routes(routes!(tests::list))
        .routes(routes!(tests::get, tests::remove))
        .routes(routes!(tests::configure))
        .routes(routes!(saved_scripts::list))
        .routes(routes!(saved_scripts::remove))
        .routes(routes!(webhooks::remove))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(hub::watch))
        .with_state(app.clone())
        .split_for_parts();
    router
        .merge(pages::routes(app))
        .merge(SwaggerUi::new("/swagger").url("/swagger/v1/swagger.json", document))
}

/// Routes that take an `Idempotency-Key`.
fn keyed_routes(app: &App) -> OpenApiRouter<App> {
    let once = middleware::from_fn_with_state(app.clone(), idempotency::once);
    OpenApiRouter::new()
        .routes(routes!(start::start))
        .routes(routes!(quick_start::quick_start))
        .routes(routes!(quick_start::quick_setup))
        .routes(routes!(schedules::list::list, schedules::change::add))
        .routes(routes!(capacity::list::list, capacity::start::start))
        .routes(routes!(webhooks::list, webhooks::add))
        .routes(routes!(webhooks::test))
        .routes(routes!(
            baselines::list::list,
            baselines::establish::establish,
            baselines::withdraw::withdraw
        ))
        .routes(routes!(baselines::rollback::rollback))
        .routes(routes!(schedules::run_now::run))
        .routes(routes!(tests::execute))
        .layer(once)
        .merge(generation::routes(app))
}

/// How the routes are measured and sampled: they are all operators' routes.
pub(crate) const fn http_telemetry(sampling: Sampling) -> HttpTelemetry {
    HttpTelemetry {
        classify: |_| RouteClass::Ops,
        sampling,
    }
}
