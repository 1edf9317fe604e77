//! Keeps pages of other sites from starting load tests: the calls need no body and no
//! credentials, so a browser on this machine could be made to send them.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use service_defaults::problem::Problem;

use crate::app::App;

/// Refuses what a browser sends by a name that another site has given this machine, and
/// changes that it sends for another site. Programs do not send the header.
pub(crate) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    if !app.answers_to(&request) {
        let detail = "this service does not answer to the name in Host; PERFORMANCE_HOST_NAMES \
                      lists those beside loopback, where it listens beyond it";
        return Problem::forbidden(detail)
            .with_kind("host-refused")
            .into_response();
    }
    service_defaults::same_origin::check(request, next).await
}
