//! What is put under load: answers at once, or after a delay, and counts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;

/// A service under test on a free port; it ends with the test's runtime.
#[derive(Debug)]
pub struct LoadTarget {
    /// Where it listens.
    pub base_url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    queries: BTreeSet<String>,
    delay: Duration,
}

impl LoadTarget {
    /// Serves on a free port.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::<Mutex<Seen>>::default();
        let router = Router::new()
            .route("/work", get(work))
            .with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, seen })
    }

    /// Answers so much later from now on.
    pub fn delay(&self, delay: Duration) {
        seen(&self.seen).delay = delay;
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        seen(&self.seen).requests
    }

    /// The different queries so far.
    #[must_use]
    pub fn queries(&self) -> BTreeSet<String> {
        seen(&self.seen).queries.clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "a simulated latency")]
async fn work(State(state): State<Arc<Mutex<Seen>>>, RawQuery(query): RawQuery) -> &'static str {
    let delay = {
        let mut seen = seen(&state);
        seen.requests += 1;
        seen.queries.insert(query.unwrap_or_default());
        seen.delay
    };
    tokio::time::sleep(delay).await;
    "ok"
}

/// Counts stay right whatever a test's panic left behind.
fn seen(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
