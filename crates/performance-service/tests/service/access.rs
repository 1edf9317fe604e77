//! Who may do what, with tokens.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use test_support::access::Least::{self, Admin, Engineer, Viewer};
use test_support::access::{ADMIN, COLLEAGUE, ENGINEER, STRANGER, TokensFile, VIEWER, compare};
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

/// Every call that the service describes and the least role that it takes.
const ROUTES: [(&str, &str, Least); 59] = [
    ("POST", "/api/v1/performancetest/start", Engineer),
    ("POST", "/api/v1/performancetest/forecast", Engineer),
    ("GET", "/api/v1/performancetest/spend", Viewer),
    (
        "POST",
        "/api/v1/performancetest/quick-start/{scenario}",
        Engineer,
    ),
    ("POST", "/quick-setup", Engineer),
    ("GET", "/api/v1/performancetest/tests", Viewer),
    ("GET", "/api/v1/performancetest/running", Viewer),
    ("GET", "/api/v1/performancetest/scenarios", Viewer),
    ("POST", "/api/v1/performancetest/cleanup", Admin),
    ("GET", "/api/v1/performancetest/compare", Viewer),
    ("GET", "/api/v1/performancetest/trends", Viewer),
    ("GET", "/api/v1/performancetest/notes", Viewer),
    ("GET", "/api/v1/performancetest/limits", Viewer),
    ("GET", "/api/v1/performancetest/slos", Viewer),
    ("GET", "/api/v1/performancetest/{id}", Viewer),
    ("DELETE", "/api/v1/performancetest/{id}", Admin),
    ("POST", "/api/v1/performancetest/{id}/cancel", Engineer),
    ("POST", "/api/v1/performancetest/{id}/events", Engineer),
    ("PUT", "/api/v1/performancetest/{id}/notes", Engineer),
    ("DELETE", "/api/v1/performancetest/{id}/notes", Engineer),
    ("GET", "/api/v1/performancetest/{id}/results", Viewer),
    ("GET", "/api/v1/performancetest/{id}/timeline", Viewer),
    ("GET", "/api/v1/performancetest/{id}/resources", Viewer),
    ("GET", "/api/v1/performancetest/{id}/logs", Viewer),
    ("GET", "/api/v1/performancetest/{id}/export", Viewer),
    ("GET", "/api/v1/performancetest/baselines", Viewer),
    ("POST", "/api/v1/performancetest/baselines", Engineer),
    ("DELETE", "/api/v1/performancetest/baselines", Admin),
    ("POST", "/api/v1/performancetest/baselines/rollback", Admin),
    ("GET", "/api/v1/performancetest/baselines/versions", Viewer),
    ("GET", "/api/v1/performancetest/capacity", Viewer),
    ("POST", "/api/v1/performancetest/capacity", Engineer),
    ("GET", "/api/v1/performancetest/capacity/{id}", Viewer),
    (
        "POST",
        "/api/v1/performancetest/capacity/{id}/cancel",
        Engineer,
    ),
    (
        "GET",
        "/api/v1/performancetest/capacity/{id}/report",
        Viewer,
    ),
    ("POST", "/api/v1/performancetest/generate", Engineer),
    ("GET", "/api/v1/performancetest/schedules", Viewer),
    ("POST", "/api/v1/performancetest/schedules", Engineer),
    ("GET", "/api/v1/performancetest/schedules/{name}", Viewer),
    ("PUT", "/api/v1/performancetest/schedules/{name}", Engineer),
    (
        "DELETE",
        "/api/v1/performancetest/schedules/{name}",
        Engineer,
    ),
    (
        "POST",
        "/api/v1/performancetest/schedules/{name}/pause",
        Engineer,
    ),
    (
        "POST",
        "/api/v1/performancetest/schedules/{name}/resume",
        Engineer,
    ),
    (
        "POST",
        "/api/v1/performancetest/schedules/{name}/run",
        Engineer,
    ),
    ("GET", "/api/v1/performancetest/scripts", Viewer),
    ("DELETE", "/api/v1/performancetest/scripts/{name}", Admin),
    ("GET", "/api/performance/tests", Viewer),
    ("GET", "/api/performance/tests/{id}", Viewer),
    ("POST", "/api/performance/tests/execute", Engineer),
    ("PUT", "/api/performance/tests/{id}/config", Engineer),
    ("DELETE", "/api/performance/tests/{id}", Engineer),
    ("GET", "/api/v1/performancetest/webhooks", Viewer),
    ("POST", "/api/v1/performancetest/webhooks", Admin),
    ("DELETE", "/api/v1/performancetest/webhooks/{name}", Admin),
    (
        "POST",
        "/api/v1/performancetest/webhooks/{name}/test",
        Admin,
    ),
    (
        "GET",
        "/api/v1/performancetest/webhooks/{name}/deliveries",
        Viewer,
    ),
    ("GET", "/api/v1/performancetest/audit", Admin),
    ("GET", "/api/v1/performancetest/audit/verify", Admin),
    ("GET", "/performance-hub", Viewer),
];

/// A service in tokens mode.
pub(crate) struct Guarded {
    pub(crate) service: TestService,
    _file: TokensFile,
}

impl Guarded {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let file = TokensFile::write()?;
        let path = file.path().display().to_string();
        let mut all = vec![
            ("PERFORMANCE_AUTH_MODE", "tokens"),
            ("PERFORMANCE_TOKENS_FILE", &path),
        ];
        all.extend(settings);
        let service = TestService::start_with(&all).await?;
        Ok(Self {
            service,
            _file: file,
        })
    }

    pub(crate) async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response> {
        let url = format!("{}{path}", self.service.base_url);
        let request = self.service.client.request(method, url).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Ok(request.send().await?)
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> anyhow::Result<Response> {
        self.ask(token, Method::GET, path, None).await
    }

    pub(crate) async fn post(
        &self,
        token: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Response> {
        self.ask(token, Method::POST, path, Some(body)).await
    }

    /// Starts a run and gives its address.
    pub(crate) async fn begin(&self, token: &str, body: &Value) -> anyhow::Result<String> {
        let started = self
            .post(token, "/api/v1/performancetest/start", body)
            .await?;
        assert_eq!(started.status(), 201);
        Ok(started.headers()["location"].to_str()?.to_owned())
    }
}

#[tokio::test]
async fn each_call_takes_the_roles_of_the_table() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    compare(&guarded.service.base_url, &ROUTES).await
}

#[tokio::test]
async fn a_run_is_stopped_by_who_started_it_or_an_administrator() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let load = json!({"scenario": "Load"});
    let first = guarded.begin(ENGINEER, &load).await?;
    let second = guarded.begin(ENGINEER, &load).await?;
    let run: Value = guarded.get(VIEWER, &first).await?.json().await?;
    assert_eq!(run["startedBy"], "emil");
    let cancel = async |token, run: &str| {
        let path = format!("{run}/cancel");
        let reply = guarded.post(token, &path, &json!(null)).await?;
        anyhow::Ok(reply.status().as_u16())
    };
    assert_eq!(cancel(VIEWER, &first).await?, 403);
    assert_eq!(cancel(COLLEAGUE, &first).await?, 403);
    assert_eq!(cancel(STRANGER, &first).await?, 404);
    assert_eq!(cancel(ENGINEER, &first).await?, 204);
    assert_eq!(cancel(ADMIN, &second).await?, 204);
    Ok(())
}

#[tokio::test]
async fn a_tenant_is_nobody_elses() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let broken = json!({"testScript": "tests/broken.js"});
    let run = guarded.begin(ENGINEER, &broken).await?;
    wait::until("the run is over", RUN_DEADLINE, async || {
        let run: Value = guarded.get(VIEWER, &run).await?.json().await?;
        anyhow::ensure!(run["completedAt"].is_string(), "{run}");
        Ok(())
    })
    .await?;
    assert_eq!(guarded.get(STRANGER, &run).await?.status(), 404);
    let tests = guarded
        .get(STRANGER, "/api/v1/performancetest/tests")
        .await?;
    assert_eq!(tests.json::<Value>().await?, json!([]));
    let url = format!("{}{run}", guarded.service.base_url);
    let named = guarded.service.client.get(url).bearer_auth(STRANGER);
    let named = named.header("x-tenant-name", "acme").send().await?;
    assert_eq!(named.status(), 403);
    Ok(())
}

#[tokio::test]
async fn a_baseline_by_hand_needs_an_administrator() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let path = "/api/v1/performancetest/baselines";
    let by_hand = json!({"test": "none", "reason": "after the new index"});
    let refused = guarded.post(ENGINEER, path, &by_hand).await?;
    assert_eq!(refused.status(), 403);
    // There are no runs that it could be made of.
    assert_eq!(guarded.post(ADMIN, path, &by_hand).await?.status(), 400);
    let usual = json!({"test": "none"});
    assert_eq!(guarded.post(ENGINEER, path, &usual).await?.status(), 400);
    let rollback = format!("{path}/rollback");
    let back = json!({"test": "none", "scenario": "Smoke", "version": 1, "reason": "it is gone"});
    for (token, status) in [(ENGINEER, 403), (ADMIN, 404)] {
        let reply = guarded.post(token, &rollback, &back).await?;
        assert_eq!(reply.status(), status);
    }
    Ok(())
}

#[tokio::test]
async fn without_credentials_it_listens_on_loopback_only() -> anyhow::Result<()> {
    let everywhere = ("PERFORMANCE_HTTP_ADDR", "0.0.0.0:7004");
    let service = TestService::launch(&[everywhere]).await?;
    let ended = service.process.wait(Duration::from_secs(30)).await?;
    assert!(!ended.success());
    let log = service.process.log();
    assert!(log.contains("0.0.0.0:7004 is not loopback"), "{log}");
    Ok(())
}
