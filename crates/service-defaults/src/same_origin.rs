//! Keeps pages of other sites from changing anything here: where calls need neither a body nor a
//! credential, a browser on this machine could be made to send them.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::Method;

use crate::{host_names::HostNames, problem::Problem};

/// Where a browser says for whose page it asks; programs do not send it.
const FETCH_SITE: &str = "sec-fetch-site";

/// What a service is called by.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// The names that it answers to beside loopback, where it listens beyond it.
    pub names: HostNames,
    /// The setting that lists them.
    pub setting: &'static str,
}

/// Refuses what a browser sends by a name that another site has given this machine, and changes
/// that it sends for another site.
pub async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    if !door.names.accept(door.address, uri, headers) {
        let detail = format!(
            "this service does not answer to the name in Host; {} lists those beside loopback, \
             where it listens beyond it",
            door.setting
        );
        return Problem::forbidden(detail)
            .with_kind("host-refused")
            .into_response();
    }
    check(request, next).await
}

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
