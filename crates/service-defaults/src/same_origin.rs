//! Keeps pages of other sites from changing anything here: where calls need neither a body nor a
//! credential, a browser on this machine could be made to send them.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::Method;

use crate::problem::Problem;

/// Where a browser says for whose page it asks; programs do not send it.
const FETCH_SITE: &str = "sec-fetch-site";

/// Refuses changes that a browser sends for another site.
pub async fn check(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get(FETCH_SITE);
    let foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    if foreign && !reads {
        return Problem::forbidden("a page of another site may not change anything here")
            .with_kind("cross-site")
            .into_response();
    }
    next.run(request).await
}
