//! A service under test: answers at once and keeps what is reported to it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use serde_json::Value;

/// Reports that are kept; a run of some seconds sends fewer.
const MAX_REPORTS: usize = 10_000;

type Reports = Arc<Mutex<Vec<Value>>>;

pub(crate) struct TargetService {
    pub(crate) base_url: String,
    reports: Reports,
}

impl TargetService {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let reports = Reports::default();
        let router = Router::new()
            .route("/ok", get(|| async { "ok" }))
            .route(
                "/redirect",
                get(move || async move {
                    Redirect::temporary(&format!("http://127.0.0.2:{}/ok", address.port()))
                }),
            )
            .route("/report", post(keep))
            .with_state(Arc::clone(&reports));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            base_url: format!("http://{address}"),
            reports,
        })
    }

    pub(crate) fn reports(&self) -> Vec<Value> {
        self.reports.lock().unwrap().clone()
    }
}

async fn keep(State(reports): State<Reports>, body: String) -> StatusCode {
    let Ok(report) = serde_json::from_str(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut reports = reports.lock().unwrap();
    if reports.len() < MAX_REPORTS {
        reports.push(report);
    }
    StatusCode::NO_CONTENT
}
