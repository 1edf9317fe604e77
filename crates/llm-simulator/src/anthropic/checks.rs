//! What a request's head must carry: a credential and a version.

use http::{HeaderMap, header::AUTHORIZATION};

use super::error::Error;

const API_KEY: &str = "x-api-key";
const VERSION: &str = "anthropic-version";

/// Checks credential and version. The key itself is not compared with anything
/// and never kept.
pub(super) fn head(headers: &HeaderMap) -> Result<(), Error> {
    credential(headers)?;
    let version = headers.get(VERSION).map(http::HeaderValue::as_bytes);
    match version {
        None => Err(Error::invalid("anthropic-version: header is required")),
        Some(version) if is_date(version) => Ok(()),
        Some(_) => Err(Error::invalid("anthropic-version: not a valid version")),
    }
}

/// The key comes in a header of its own or, from the official clients, as a
/// bearer token.
fn credential(headers: &HeaderMap) -> Result<(), Error> {
    if let Some(key) = headers.get(API_KEY) {
        let usable = key.to_str().is_ok_and(|key| !key.trim().is_empty());
        return if usable {
            Ok(())
        } else {
            Err(Error::unauthenticated("invalid x-api-key"))
        };
    }
    let Some(authorization) = headers.get(AUTHORIZATION) else {
        return Err(Error::unauthenticated("x-api-key header is required"));
    };
    let token = authorization
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() =>
        {
            Ok(())
        }
        _ => Err(Error::unauthenticated("invalid bearer token")),
    }
}

/// `2023-06-01` and later ones.
fn is_date(version: &[u8]) -> bool {
    version.len() == 10
        && version.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
