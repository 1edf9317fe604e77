//! A target that keeps what reaches it and answers with JSON.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;

/// Requests that are kept; a run of some seconds sends fewer.
const MAX_REQUESTS: usize = 10_000;

#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Decoded.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) struct Echo {
    pub(crate) base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Echo {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, seen })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// POST creates the thing `made-N`, GET shows it, a list has one entry.
async fn answer(
    State(all): State<Arc<Mutex<Vec<Seen>>>>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let url = url::Url::parse(&format!("http://echo{uri}")).unwrap();
    let path = url.path_segments().unwrap().map(|segment| {
        let pair = format!("x={}", segment.replace('+', "%2B"));
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .unwrap()
            .1
            .into_owned()
    });
    let seen = Seen {
        path: format!("/{}", path.collect::<Vec<_>>().join("/")),
        query: url.query_pairs().into_owned().collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        method: method.clone(),
        headers,
    };
    let mut all = all.lock().unwrap();
    let number = all.len();
    if number < MAX_REQUESTS {
        all.push(seen);
    }
    match method {
        Method::POST => {
            let id = format!("made-{number}");
            (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
        }
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => Json(json!({ "id": url.path().rsplit('/').next(), "items": [{ "id": "first" }] }))
            .into_response(),
    }
}
