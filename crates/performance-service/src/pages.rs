//! The pages for people: rendered here, complete without scripts, under a strict policy.

mod audit;
mod baselines;
mod capacity;
mod compare;
mod home;
mod login;
mod new;
mod preferences;
mod refusal;
mod run;
mod runs;
mod schedules;
mod settings;
mod spend;
mod test;
mod webhooks;

use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use service_defaults::problem::Problem;

use crate::app::App;

/// No inline script or style runs, nothing leaves the host, no other site frames a page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The pages and their assets.
pub(crate) fn routes(app: App) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route(
            "/baselines",
            get(baselines::baselines).post(baselines::put_in_force),
        )
        .route("/baselines/one", get(baselines::one))
        .route("/baselines/pin", post(baselines::pin))
        .route("/baselines/rollback", post(baselines::roll_back))
        .route("/baselines/withdraw", post(baselines::withdraw))
        .route("/capacity", get(capacity::searches).post(capacity::start))
        .route("/capacity/{id}", get(capacity::search))
        .route("/capacity/{id}/cancel", post(capacity::cancel))
        .route("/compare", get(compare::compare))
        .route("/schedules", get(schedules::schedules).post(schedules::add))
        .route("/schedules/{name}/{action}", post(schedules::act))
        .route("/webhooks", get(webhooks::webhooks).post(webhooks::add))
        .route("/webhooks/{name}/{action}", post(webhooks::act))
        .route("/tests/{name}", get(test::test))
        .route("/tests/{name}/notes", post(test::explain))
        .route("/runs", get(runs::runs))
        .route("/spend", get(spend::spend))
        .route("/runs/{id}", get(run::run))
        .route("/runs/{id}/cancel", post(run::cancel))
        .route("/new", get(new::form).post(new::start))
        .route("/new/tests/{id}/delete", post(new::remove))
        .route("/settings", get(settings::settings))
        .route("/preferences", post(preferences::change))
        .route("/audit", get(audit::audit))
        .route("/login", get(login::form).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/assets/style.css", get(style))
        .route("/assets/theme.css", get(preferences::theme_style))
        .merge(scripts())
        .route("/assets/icon.svg", get(icon))
        .layer(middleware::from_fn(protect))
        .with_state(app)
}

/// The scripts of pages, one route each.
fn scripts() -> Router<App> {
    let scripts = [
        ("/assets/chart.js", include_str!("../assets/chart.js")),
        ("/assets/heatmap.js", include_str!("../assets/heatmap.js")),
        ("/assets/home.js", include_str!("../assets/home.js")),
        ("/assets/live.js", include_str!("../assets/live.js")),
        ("/assets/new.js", include_str!("../assets/new.js")),
        ("/assets/page.js", include_str!("../assets/page.js")),
    ];
    scripts
        .into_iter()
        .fold(Router::new(), |router, (path, text)| {
            router.route(path, get(async move || asset(SCRIPT, text)))
        })
}

/// Whoever looks at pages is refused by a page, whatever refuses: a handler, the gate, the router.
pub(crate) fn with_refusals(router: Router) -> Router {
    router.layer(middleware::from_fn(refusal::as_page))
}

async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    add_policy(response.headers_mut());
    response
}

fn add_policy(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
}

async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../assets/style.css"),
    )
}

async fn icon() -> Response {
    asset("image/svg+xml", include_str!("../assets/icon.svg"))
}

/// Part of the binary: a new version brings new ones, so a browser asks again after a minute.
fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "max-age=60"),
    ];
    (headers, text).into_response()
}

/// A page whose content is as old as the request.
fn page(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| {
        tracing::error!("a page cannot be rendered: {error}");
        Problem::internal()
    })?;
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Html(html)).into_response())
}

/// After a form: the browser fetches the page, and reloading it sends nothing again.
fn see_other(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(address) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response
}
