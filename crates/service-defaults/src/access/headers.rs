//! What the headers of a request say of its sender.

use http::{HeaderMap, header};
use tenancy::TenantId;

use super::tokens::{MAX_USER, is_user};
use crate::problem::Problem;

const TENANT: &str = "x-tenant-name";

const USER: &str = "x-user-id";

/// The tenant that `X-Tenant-Name` names.
///
/// # Errors
/// 400 for a name that is none, or that is given twice.
pub(super) fn tenant(headers: &HeaderMap) -> Result<Option<TenantId>, Problem> {
    let refused = |reason: String| Problem::invalid_field("X-Tenant-Name", reason);
    let name = only(headers, TENANT).map_err(refused)?;
    let tenant = name.map(|name| TenantId::parse(name).map_err(|error| refused(error.to_string())));
    tenant.transpose()
}

/// The user whom `X-User-Id` names.
///
/// # Errors
/// 400 for a name that is none, or that is given twice.
pub(super) fn user(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let refused = |reason: String| Problem::invalid_field("X-User-Id", reason);
    match only(headers, USER).map_err(refused)? {
        Some(name) if !is_user(name) => {
            let reason = format!("must be 1 to {MAX_USER} visible ASCII characters");
            Err(refused(reason))
        }
        name => Ok(name),
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750, 2.1).
///
/// # Errors
/// 401 for credentials of another kind, or that are given twice.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
            let token = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let token = token.map(|(_, token)| token.trim_start_matches(' '));
            token.map(Some).ok_or_else(unauthorized)
        }
        (Some(_), Some(_)) => Err(unauthorized()),
    }
}

/// The value of a cookie; of one that comes twice, the first.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter();
    let pairs = values.filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The same words whatever is wrong: who guesses learns nothing.
pub(super) fn unauthorized() -> Problem {
    Problem::unauthorized("a token is needed that this service knows: Authorization: Bearer …")
}

/// The value of a header that may stand once: two parsers could each believe another one.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err("must be given once".to_owned()),
        (value, _) => Ok(value.map(|value| value.to_str().unwrap_or(""))),
    }
}
