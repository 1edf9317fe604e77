//! What is put under load: answers at once and counts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;

/// A service under test on a free port; it ends with the test's runtime.
pub(crate) struct Target {
    pub(crate) base_url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    requests: u64,
    queries: BTreeSet<String>,
}

impl Target {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::<Mutex<Seen>>::default();
        let router = Router::new()
            .route("/work", get(work))
            .with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, seen })
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.seen.lock().unwrap().requests
    }

    /// The different queries so far.
    pub(crate) fn queries(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().queries.clone()
    }
}

async fn work(State(seen): State<Arc<Mutex<Seen>>>, RawQuery(query): RawQuery) -> &'static str {
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    seen.queries.insert(query.unwrap_or_default());
    "ok"
}
