//! Who is told of runs: a receiver that answers as it is told to.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;
use test_support::wait;

use crate::test_service::RUN_DEADLINE;

/// Answers what it is told to, and keeps what it got.
pub(crate) struct Receiver {
    pub(crate) base_url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The next answers; 200 when there is none left.
    answers: VecDeque<u16>,
    requests: Vec<(HeaderMap, String)>,
}

impl Receiver {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::<Mutex<Seen>>::default();
        let router = Router::new().fallback(take).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, seen })
    }

    pub(crate) fn answer(&self, statuses: &[u16]) {
        lock(&self.seen).answers.extend(statuses);
    }

    pub(crate) fn requests(&self) -> Vec<(HeaderMap, String)> {
        lock(&self.seen).requests.clone()
    }

    pub(crate) async fn wait_for(&self, count: usize) -> anyhow::Result<Vec<(HeaderMap, String)>> {
        wait::until("the receiver is told", RUN_DEADLINE, async || {
            let requests = self.requests();
            anyhow::ensure!(requests.len() >= count, "{} so far", requests.len());
            Ok(requests)
        })
        .await
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(seen): State<Arc<Mutex<Seen>>>, headers: HeaderMap, body: String) -> Response {
    let mut seen = lock(&seen);
    seen.requests.push((headers, body));
    let status = seen.answers.pop_front().unwrap_or(200);
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("location", "/elsewhere")]).into_response()
}

/// What the receiver would compute.
pub(crate) fn signature(secret: &str, headers: &HeaderMap, body: &str) -> String {
    let time = headers["x-bookstore-timestamp"].to_str().unwrap();
    let mut code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    code.update(format!("{time}.{body}").as_bytes());
    let code = code.finalize().into_bytes();
    code.iter().fold("v1=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
