//! Keeps pages of other sites from starting load tests: the calls need no body and no
//! credentials, so a browser on this machine could be made to send them.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use service_defaults::problem::Problem;

/// Refuses changes that a browser sends for another site. Programs do not send the header.
pub(crate) async fn check(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get("sec-fetch-site");
    let foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    if foreign && !reads {
        return Problem::forbidden("a page of another site may not change anything here")
            .with_kind("cross-site")
            .into_response();
    }
    next.run(request).await
}
