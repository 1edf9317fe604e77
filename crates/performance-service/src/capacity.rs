//! Searches for a capacity: the highest rate that a target carries within all limits of latency,
//! errors and money. Each takes many runs, which queue like any other.
//!
//! `request` is what is asked, `document` what is known, `searcher` carries searches on; the rest
//! are the calls of `/api/v1/performancetest/capacity`, one file for each.

pub(crate) mod body;
pub(crate) mod document;
pub(crate) mod request;
pub(crate) mod searcher;

pub(crate) mod cancel;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod report;
pub(crate) mod start;

use axum::extract::FromRequestParts;
use http::request::Parts;
use performance_store::RunId;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;
use tenancy::Principal;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

/// The calls, but for those that take an `Idempotency-Key`.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get::get))
        .routes(routes!(cancel::cancel))
        .routes(routes!(report::report))
}

/// The search that the path names, and who asks. Text that is no id names none.
#[derive(Debug)]
pub(crate) struct SearchInPath {
    pub(crate) caller: Principal,
    pub(crate) id: RunId,
}

#[derive(Deserialize)]
struct IdInPath {
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SearchInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(caller) = Caller::from_request_parts(parts, state).await?;
        let ValidPath(path) = ValidPath::<IdInPath>::from_request_parts(parts, state).await?;
        let id = path.id.parse().map_err(|_| no_such_search())?;
        Ok(Self { caller, id })
    }
}

/// The tenant has no search with this id.
pub(crate) fn no_such_search() -> Problem {
    Problem::not_found("there is no such search")
}
