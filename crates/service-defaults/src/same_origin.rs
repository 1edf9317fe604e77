//! Keeps pages of other sites from changing anything here: where calls need neither a body nor a
//! credential, a browser on this machine could be made to send them.

use std::net::SocketAddr;

use axum::{
    extract::Request,
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

impl Door {
    /// Why a request is refused: a browser sent it by a name that another site has given this
    /// machine, or sent a change for another site.
    pub(crate) fn refusal(&self, request: &Request) -> Option<Problem> {
        if self
            .names
            .accept(self.address, request.uri(), request.headers())
        {
            return cross_site(request);
        }
        let detail = format!(
            "this service does not answer to the name in Host; {} lists those beside loopback, \
             where it listens beyond it",
            self.setting
        );
        Some(Problem::forbidden(detail).with_kind("host-refused"))
    }
}

/// Refuses changes that a browser sends for another site.
pub async fn check(request: Request, next: Next) -> Response {
    match cross_site(&request) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

fn cross_site(request: &Request) -> Option<Problem> {
    let site = request.headers().get(FETCH_SITE)?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || site == "same-origin" || site == "none" {
        return None;
    }
    let detail = "a page of another site may not change anything here";
    Some(Problem::forbidden(detail).with_kind("cross-site"))
}
