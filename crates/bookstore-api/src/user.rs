//! Who asks: a tenant, and perhaps one of its users.

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};
use service_defaults::problem::Problem;
use tenancy::TenantId;

use crate::{app::AppState, tenant::Tenant};

const USER_HEADER: &str = "x-user-id";

/// Longest name of a user.
const MAX_NAME: usize = 128;

/// The tenant of a request and its user: in development mode `X-User-Id`, else nobody in
/// particular.
pub(crate) struct Asker {
    pub(crate) tenant: TenantId,
    pub(crate) user: Option<String>,
}

impl FromRequestParts<AppState> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let Tenant(tenant) = Tenant::from_request_parts(parts, app).await?;
        let user = read_user(&parts.headers)?;
        Ok(Self { tenant, user })
    }
}

fn read_user(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut names = headers.get_all(USER_HEADER).iter();
    let refused = |reason: String| Problem::invalid_field("X-User-Id", reason);
    match (names.next(), names.next()) {
        (None, _) => Ok(None),
        (Some(name), None) => {
            let name = name.to_str().unwrap_or("");
            let is_name = (1..=MAX_NAME).contains(&name.len());
            if is_name && name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Ok(Some(name.to_owned()));
            }
            let reason = format!("must be 1 to {MAX_NAME} visible ASCII characters");
            Err(refused(reason))
        }
        // Two parsers could each believe another one.
        (Some(_), Some(_)) => Err(refused("must be given once".to_owned())),
    }
}
