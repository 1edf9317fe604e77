//! Refusals as pages, for those who look at pages: everybody else gets the problem document.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::add_policy;

/// What a refusal is called that another role would not meet.
const ROLE_NEEDED: &str = "/problems/role-needed";

/// The longest problem document of ours, with room for a field error of each input.
const MAX_DOCUMENT: usize = 64 * 1_024;

/// A problem document, as far as people read it.
#[derive(Template, Deserialize)]
#[template(path = "refusal.html")]
#[serde(rename_all = "camelCase")]
struct Refusal {
    title: String,
    status: u16,
    detail: String,
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    errors: BTreeMap<String, Vec<String>>,
    #[serde(rename = "type", default)]
    kind: String,
    /// The page that the request was sent from, where a browser says so.
    #[serde(skip)]
    back: Option<String>,
}

impl Refusal {
    /// Whether another credential would help.
    fn is_about_the_caller(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED.as_u16() || self.kind == ROLE_NEEDED
    }
}

/// Turns a problem document into a page where the request asks for one.
pub(super) async fn as_page(request: Request, next: Next) -> Response {
    let wants_page = names(request.headers(), header::ACCEPT, "text/html");
    let back = sent_from(request.headers());
    let response = next.run(request).await;
    let is_problem = names(
        response.headers(),
        header::CONTENT_TYPE,
        "application/problem+json",
    );
    if !wants_page || !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(document) = to_bytes(body, MAX_DOCUMENT).await else {
        return parts.status.into_response();
    };
    let refusal = serde_json::from_slice(&document).ok();
    let html = refusal.and_then(|refusal: Refusal| Refusal { back, ..refusal }.render().ok());
    let Some(html) = html else {
        return Response::from_parts(parts, Body::from(document));
    };
    let page = Html(html).into_response();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(&name);
        let value = page.headers().get(&name).cloned();
        parts.headers.extend(value.map(|value| (name, value)));
    }
    add_policy(&mut parts.headers);
    Response::from_parts(parts, page.into_body())
}

/// The page of ours that a request was sent from; an address without a host leads nowhere else.
fn sent_from(headers: &HeaderMap) -> Option<String> {
    let from: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let path = from.path_and_query()?.as_str();
    let is_ours = from.authority()?.as_str() == host && !path.starts_with("//");
    is_ours.then(|| path.to_owned())
}

fn names(headers: &HeaderMap, header: http::HeaderName, kind: &str) -> bool {
    let value = headers.get(header).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        let from = |referer: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:7004".parse().unwrap());
            headers.insert(header::REFERER, referer.parse().unwrap());
            sent_from(&headers)
        };
        let here = "http://127.0.0.1:7004/runs?level=FAIL";
        assert_eq!(from(here).as_deref(), Some("/runs?level=FAIL"));
        for elsewhere in [
            "http://example.com/runs",
            "http://127.0.0.1:7004@example.com/",
            "http://127.0.0.1:7004//example.com/",
            "javascript:alert(1)",
            "/runs",
        ] {
            assert_eq!(from(elsewhere), None, "{elsewhere}");
        }
    }
}
