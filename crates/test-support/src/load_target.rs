//! What is put under load: answers at once, or after a delay, and counts.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;

/// A service under test on a free port; it ends with the test's runtime.
#[derive(Debug)]
pub struct LoadTarget {
    /// Where it listens.
    pub base_url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
struct Seen {
    requests: u64,
    queries: BTreeSet<String>,
    delay: Duration,
    started: Instant,
    bucket: Option<Bucket>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            requests: 0,
            queries: BTreeSet::new(),
            delay: Duration::ZERO,
            started: Instant::now(),
            bucket: None,
        }
    }
}

/// Requests that may be taken.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
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
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, seen })
    }

    /// Answers so much later from now on.
    pub fn delay(&self, delay: Duration) {
        seen(&self.seen).delay = delay;
    }

    /// Tells of itself as a process that begins now.
    pub fn seem_restarted(&self) {
        seen(&self.seen).started = Instant::now();
    }

    /// Takes so many requests a second from now on, and so many more at once after a pause. The
    /// others get 503: how slow this machine is does not matter.
    pub fn admit(&self, per_second: f64, burst: f64) {
        seen(&self.seen).bucket = Some(Bucket {
            per_second,
            burst,
            tokens: burst,
            filled: Instant::now(),
        });
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
async fn work(
    State(state): State<Arc<Mutex<Seen>>>,
    RawQuery(query): RawQuery,
) -> (StatusCode, &'static str) {
    let (delay, taken) = {
        let mut seen = seen(&state);
        seen.requests += 1;
        seen.queries.insert(query.unwrap_or_default());
        (seen.delay, seen.bucket.as_mut().is_none_or(Bucket::take))
    };
    tokio::time::sleep(delay).await;
    if taken {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "full")
    }
}

impl Bucket {
    fn take(&mut self) -> bool {
        let new = self.filled.elapsed().as_secs_f64() * self.per_second;
        self.filled = Instant::now();
        self.tokens = (self.tokens + new).min(self.burst);
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

async fn metrics(State(state): State<Arc<Mutex<Seen>>>) -> String {
    let uptime = seen(&state).started.elapsed().as_secs_f64();
    format!(
        "# TYPE process_uptime_seconds gauge\nprocess_uptime_seconds {uptime}\n\
         # TYPE process_memory_usage_bytes gauge\nprocess_memory_usage_bytes 1048576\n"
    )
}

/// Counts stay right whatever a test's panic left behind.
fn seen(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
