//! The calls about runs: `/api/v1/performancetest`, one file for each.

pub(crate) mod body;
pub(crate) mod request;

pub(crate) mod cancel;
pub(crate) mod cleanup;
pub(crate) mod compare;
pub(crate) mod delete;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod forecast;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod notes;
pub(crate) mod quick_start;
pub(crate) mod resources;
pub(crate) mod results;
pub(crate) mod scenarios;
pub(crate) mod spend;
pub(crate) mod standing;
pub(crate) mod start;
pub(crate) mod timeline;
pub(crate) mod trends;
pub(crate) mod under_way;

use axum::extract::FromRequestParts;
use http::request::Parts;
use performance_store::RunAddress;
use serde::Deserialize;
use service_defaults::access::Caller;
use service_defaults::extract::ValidPath;
use service_defaults::problem::Problem;

use crate::problems;

/// The run that the path names, of the tenant that asks. Text that is no id names no run.
#[derive(Debug)]
pub(crate) struct RunInPath(pub(crate) RunAddress);

#[derive(Deserialize)]
struct IdInPath {
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for RunInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(caller) = Caller::from_request_parts(parts, state).await?;
        let ValidPath(path) = ValidPath::<IdInPath>::from_request_parts(parts, state).await?;
        let id = path.id.parse().map_err(|_| problems::no_such_run())?;
        Ok(Self(RunAddress {
            tenant: caller.tenant,
            id,
        }))
    }
}
