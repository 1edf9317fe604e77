//! Liveness, readiness and startup, answered from checks that run in the background.
//!
//! A probe never waits for a dependency: each check runs by itself once a second, and the routes
//! show what it found last, with its age.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// How often each check runs.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long one look may take.
const LIMIT: Duration = Duration::from_secs(2);

type Look = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// One named question to a part.
pub struct Check {
    name: &'static str,
    needed: bool,
    look: Look,
}

/// What the checks found.
#[derive(Clone)]
pub struct Health {
    findings: Arc<RwLock<BTreeMap<&'static str, Finding>>>,
    shutdown: CancellationToken,
}

struct Finding {
    needed: bool,
    /// `None` before the first look.
    state: Option<Result<(), String>>,
    since: Instant,
    once_healthy: bool,
}

impl Check {
    /// A part without which the service cannot serve.
    pub fn needed<F>(name: &'static str, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            name,
            needed: true,
            look: Box::new(move || Box::pin(look())),
        }
    }

    /// A part whose loss is told, but survived.
    pub fn optional<F>(name: &'static str, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            needed: false,
            ..Self::needed(name, look)
        }
    }
}

impl Health {
    /// Starts the checks; they end with `shutdown`, which also makes the service not ready.
    #[must_use]
    pub fn start(checks: Vec<Check>, shutdown: CancellationToken) -> Self {
        let now = Instant::now();
        let findings = checks
            .iter()
            .map(|check| {
                let finding = Finding {
                    needed: check.needed,
                    state: None,
                    since: now,
                    once_healthy: false,
                };
                (check.name, finding)
            })
            .collect();
        let health = Self {
            findings: Arc::new(RwLock::new(findings)),
            shutdown,
        };
        for check in checks {
            let health = health.clone();
            tokio::spawn(async move {
                let shutdown = health.shutdown.clone();
                shutdown.run_until_cancelled(health.watch(check)).await;
            });
        }
        health
    }

    /// `/health` (text) and `/health/{live,ready,startup}` (JSON).
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/health", get(text))
            .route("/health/live", get(live))
            .route("/health/ready", get(ready))
            .route("/health/startup", get(startup))
            .with_state(self.clone())
    }

    /// Whether every needed part answered at its last look, and the service is not ending.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.shutdown.is_cancelled() && self.holds(|finding| matches!(finding.state, Some(Ok(()))))
    }

    fn is_started(&self) -> bool {
        self.holds(|finding| finding.once_healthy)
    }

    fn holds(&self, condition: impl Fn(&Finding) -> bool) -> bool {
        let findings = self.findings.read().unwrap_or_else(PoisonError::into_inner);
        findings
            .values()
            .filter(|finding| finding.needed)
            .all(condition)
    }

    async fn watch(&self, check: Check) -> ! {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let state = match tokio::time::timeout(LIMIT, (check.look)()).await {
                Ok(state) => state,
                Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
            };
            self.note(check.name, state);
        }
    }

    fn note(&self, name: &'static str, state: Result<(), String>) {
        let mut findings = self
            .findings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(finding) = findings.get_mut(name) else {
            return;
        };
        let changed = finding.state.as_ref().map(Result::is_ok) != Some(state.is_ok());
        if changed {
            match &state {
                Ok(()) => tracing::info!(check = name, "{name} is healthy"),
                Err(reason) => tracing::warn!(check = name, "{name} is unhealthy: {reason}"),
            }
            finding.since = Instant::now();
        }
        finding.once_healthy |= state.is_ok();
        finding.state = Some(state);
    }

    fn document(&self, healthy: bool) -> Value {
        let findings = self.findings.read().unwrap_or_else(PoisonError::into_inner);
        let checks: BTreeMap<_, _> = findings
            .iter()
            .map(|(name, finding)| {
                let (status, reason) = match &finding.state {
                    None => ("unknown", None),
                    Some(Ok(())) => ("healthy", None),
                    Some(Err(reason)) => ("unhealthy", Some(reason.clone())),
                };
                let seconds = finding.since.elapsed().as_secs();
                let needed = finding.needed;
                (*name, json!({"status": status, "needed": needed, "reason": reason, "sinceSeconds": seconds}))
            })
            .collect();
        json!({"status": if healthy { "healthy" } else { "unhealthy" }, "checks": checks})
    }
}

async fn text(State(health): State<Health>) -> Response {
    if health.is_ready() {
        (StatusCode::OK, "Healthy").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "Unhealthy").into_response()
    }
}

/// Alive is whoever answers: a dependency that is down is no reason to be restarted.
async fn live() -> Response {
    Json(json!({"status": "healthy"})).into_response()
}

async fn ready(State(health): State<Health>) -> Response {
    answer(&health, health.is_ready())
}

async fn startup(State(health): State<Health>) -> Response {
    answer(&health, health.is_started())
}

fn answer(health: &Health, healthy: bool) -> Response {
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(health.document(healthy))).into_response()
}
