//! Entity tags: `"3"` is version 3 (RFC 9110, 8.8.3 and 13.1).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use domain::Version;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use service_defaults::problem::Problem;

/// The tag of a version.
pub(crate) fn etag(version: Version) -> HeaderValue {
    // Digits in quotes are always a valid header value.
    HeaderValue::try_from(format!("\"{}\"", version.get()))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What `If-Match` asks of the stored version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Nothing: the header is absent.
    Unconditional,
    /// That there is one.
    Any,
    /// That it is one of these. A weak or foreign tag matches nothing.
    OneOf(Vec<u64>),
}

impl IfMatch {
    pub(crate) fn allows(&self, version: Version) -> bool {
        match self {
            Self::Unconditional | Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version.get()),
        }
    }

    fn from_headers(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
        if values.peek().is_none() {
            return Self::Unconditional;
        }
        let tags: Vec<&str> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
            .collect();
        if tags.iter().any(|tag| tag.trim() == "*") {
            return Self::Any;
        }
        Self::OneOf(tags.into_iter().filter_map(version_of).collect())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::from_headers(&parts.headers))
    }
}

/// What `If-None-Match` says that the client has already.
#[derive(Debug, Clone, Default)]
pub(crate) struct IfNoneMatch(Option<HeaderValue>);

impl IfNoneMatch {
    /// Whether it names this tag: the client has the body already.
    pub(crate) fn names(&self, etag: &HeaderValue) -> bool {
        let Some(condition) = &self.0 else {
            return false;
        };
        let (Ok(condition), Ok(etag)) = (condition.to_str(), etag.to_str()) else {
            return false;
        };
        condition
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(header::IF_NONE_MATCH).cloned()))
    }
}

fn version_of(tag: &str) -> Option<u64> {
    tag.trim()
        .strip_prefix('"')?
        .strip_suffix('"')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &'static str) -> IfMatch {
        let value = HeaderValue::from_static(text);
        IfMatch::from_headers(&HeaderMap::from_iter([(header::IF_MATCH, value)]))
    }

    #[test]
    fn conditions_are_read() {
        assert_eq!(
            IfMatch::from_headers(&HeaderMap::new()),
            IfMatch::Unconditional
        );
        assert_eq!(condition("*"), IfMatch::Any);
        assert_eq!(condition("\"1\", \"7\""), IfMatch::OneOf(vec![1, 7]));
        for foreign in ["W/\"1\"", "1", "\"abc\"", ""] {
            assert!(!condition(foreign).allows(Version::FIRST), "{foreign}");
        }
    }

    #[test]
    fn an_unchanged_body_is_seen() {
        let known = |text: &'static str| IfNoneMatch(Some(HeaderValue::from_static(text)));
        let tag = etag(Version::new(3));
        assert!(known("\"2\", W/\"3\"").names(&tag));
        assert!(!known("\"2\"").names(&tag));
        assert!(!IfNoneMatch::default().names(&tag));
    }
}
