//! The tenant of a request.

use axum::extract::FromRequestParts;
use http::request::Parts;
use service_defaults::problem::Problem;
use tenancy::TenantId;

use crate::app::AppState;

const TENANT_HEADER: &str = "x-tenant-name";

/// The tenant that a request is for: in development mode `X-Tenant-Name`, else `default`.
pub(crate) struct Tenant(pub(crate) TenantId);

impl FromRequestParts<AppState> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let refused = |reason: String| Problem::invalid_field("X-Tenant-Name", reason);
        let mut names = parts.headers.get_all(TENANT_HEADER).iter();
        let tenant = match (names.next(), names.next()) {
            (None, _) => app.development_tenant.clone(),
            (Some(name), None) => TenantId::parse(name.to_str().unwrap_or(""))
                .map_err(|error| refused(error.to_string()))?,
            // Two parsers could each believe another one.
            (Some(_), Some(_)) => return Err(refused("must be given once".to_owned())),
        };
        instrumentation::request::record_tenant(tenant.as_str());
        Ok(Self(tenant))
    }
}
