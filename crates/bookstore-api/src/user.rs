//! Who asks: a tenant, and perhaps one of its users.

use axum::extract::FromRequestParts;
use http::request::Parts;
use service_defaults::{
    access::{Caller, DEVELOPMENT_USER},
    problem::Problem,
};
use tenancy::TenantId;

/// The tenant of a request and its user; nobody in particular in development mode without
/// `X-User-Id`.
pub(crate) struct Asker {
    pub(crate) tenant: TenantId,
    pub(crate) user: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(caller) = Caller::from_request_parts(parts, state).await?;
        let named = &*caller.user != DEVELOPMENT_USER;
        Ok(Self {
            tenant: caller.tenant,
            user: named.then(|| caller.user.as_ref().to_owned()),
        })
    }
}
