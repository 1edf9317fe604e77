//! Refusals as pages, for those who look at pages: everybody else gets the problem document.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Deserialize;
use std::collections::BTreeMap;

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
}

/// Turns a problem document into a page where the request asks for one.
pub(super) async fn as_page(request: Request, next: Next) -> Response {
    let wants_page = names(request.headers(), header::ACCEPT, "text/html");
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
    let Some(html) = refusal.and_then(|refusal: Refusal| refusal.render().ok()) else {
        return Response::from_parts(parts, Body::from(document));
    };
    let page = Html(html).into_response();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(&name);
        let value = page.headers().get(&name).cloned();
        parts.headers.extend(value.map(|value| (name, value)));
    }
    Response::from_parts(parts, page.into_body())
}

fn names(headers: &HeaderMap, header: http::HeaderName, kind: &str) -> bool {
    let value = headers.get(header).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains(kind))
}
