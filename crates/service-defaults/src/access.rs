//! Who sends a request, and whether they may.
//!
//! The [`Gate`] stands in front of every route: it asks the [`Authentication`] for the
//! [`Principal`], compares it with what the service's table of [permissions](Permission) asks for
//! the route, and refuses, or hands the principal to the handler, which takes it by [`Caller`] or
//! [`Tenant`]. A route that is not in the table is refused. Another source of principals is another
//! variant of [`Authentication`]; no handler knows which one it was.

mod authentication;
mod gate;
mod headers;
mod journal;
mod permissions;
mod sessions;
mod tokens;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tenancy::{Principal, TenantId};

pub use authentication::{AccessSettings, Authentication, DEVELOPMENT_USER};
pub use gate::Gate;
pub use headers::cookie;
pub use journal::{Journal, Record};
pub use permissions::{Need, Permission, delete, get, patch, post, put};
pub use sessions::{LIFETIME as SESSION_LIFETIME, Sessions};
pub use tokens::{Tokens, TokensError};

use crate::problem::Problem;

/// The sender of the request.
#[derive(Debug, Clone)]
pub struct Caller(pub Principal);

/// The sender's tenant.
#[derive(Debug, Clone)]
pub struct Tenant(pub TenantId);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        admitted(parts).cloned().map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        admitted(parts).map(|principal| Self(principal.tenant.clone()))
    }
}

/// Whom the gate let in. Nobody where a route is open to all, or stands behind no gate.
fn admitted(parts: &Parts) -> Result<&Principal, Problem> {
    let principal = parts.extensions.get::<Principal>();
    principal.ok_or_else(|| Problem::forbidden("nobody was let in by a role"))
}
