//! Who asks. In development mode everybody is an engineer of the tenant that the header
//! names; tokens are a later source of the same [`Principal`].

use axum::extract::FromRequestParts;
use http::request::Parts;
use service_defaults::problem::Problem;
use tenancy::{Principal, Role, TenantId};

const TENANT_HEADER: &str = "x-tenant-name";

/// The sender of the request.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Principal);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let tenant = match parts.headers.get(TENANT_HEADER) {
            None => TenantId::development(),
            Some(name) => {
                let name = name.to_str().unwrap_or_default();
                TenantId::parse(name)
                    .map_err(|error| Problem::invalid_field("X-Tenant-Name", error.to_string()))?
            }
        };
        instrumentation::request::record_tenant(tenant.as_str());
        Ok(Self(Principal {
            tenant,
            user: "development".into(),
            role: Role::Engineer,
        }))
    }
}
