//! `/api/v1/Books` is `/api/v1/books`: old clients write both.

use std::convert::Infallible;

use axum::{Router, extract::Request, response::Response};
use http::{Uri, uri::PathAndQuery};
use tower::{Service, ServiceExt};

/// Segments before an identifier: `/api/v1/<resource>`.
const FIXED_SEGMENTS: usize = 3;

/// The router behind a look at the path, which must come before routing.
pub fn ignoring_case(
    router: Router,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    router.map_request(|mut request: Request| {
        if let Some(uri) = lower_case(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    })
}

/// The address with its fixed part in lower case; `None` when it is so already.
fn lower_case(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let end = path
        .match_indices('/')
        .nth(FIXED_SEGMENTS)
        .map_or(path.len(), |(position, _)| position);
    let (fixed, rest) = path.split_at(end);
    if !fixed.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let query = uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let text = format!("{}{rest}{query}", fixed.to_ascii_lowercase());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(text.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fixed_part_is_changed() {
        let lower = |text: &str| lower_case(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(lower("/api/v1/books/ABC?Genre=X"), None);
        assert_eq!(
            lower("/api/v1/Books/ABC?Genre=X").unwrap(),
            "/api/v1/books/ABC?Genre=X"
        );
        assert_eq!(lower("/API/v1/Authors").unwrap(), "/api/v1/authors");
        assert_eq!(lower("/Health").unwrap(), "/health");
    }
}
