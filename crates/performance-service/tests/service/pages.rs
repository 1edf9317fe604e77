//! The pages: complete without scripts, and nothing from a run is anything but text there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::test_service::TestService;

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

#[tokio::test]
async fn a_finished_run_is_shown_with_its_verdict_first() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({
            "testName": HOSTILE,
            "scenario": "Smoke",
            "options": {
                "virtualUsers": 1,
                "duration": "2s",
                "thresholds": {"http_req_duration": ["p(95)<0.0001"]},
            },
        }))
        .await?;
    service.wait_for_end(&id).await?;
    for path in ["/".to_owned(), format!("/runs/{id}")] {
        let page = service.get_text(&path).await?;
        assert!(!page.contains("<script>"), "{page}");
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("<b>bold"), "{page}");
        assert!(!page.contains("style="), "{page}");
        assert!(page.contains("&#60;script&#62;"), "{page}");
        assert!(page.contains("FAIL"), "{page}");
    }
    let page = service.get_text(&format!("/runs/{id}")).await?;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("class=\"reasons\"") < place("class=\"tiles\""));
    assert!(place("class=\"tiles\"") < place("<svg class=\"chart\""));
    assert!(place("http_req_duration: p(95)&#60;0.0001") > place("class=\"reasons\""));
    for path in [
        "class=\"p50\"",
        "class=\"p95\"",
        "class=\"p99\"",
        "class=\"rate\"",
    ] {
        place(&format!("<path {path} d=\"M"));
    }
    assert!(page.contains("crossed"));
    assert!(page.len() < 100_000, "{} bytes", page.len());
    Ok(())
}

#[tokio::test]
async fn a_run_under_way_can_be_followed_and_stopped() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(page.contains(&format!("data-test=\"{id}\"")), "{page}");
    assert!(page.contains("src=\"/assets/live.js\""));
    let home = service.get_text("/").await?;
    assert!(home.contains("running: load is on"), "{home}");
    let stopped = service.post(&format!("/runs/{id}/cancel")).await?;
    assert_eq!(stopped.status(), 303);
    assert_eq!(stopped.headers()["location"], format!("/runs/{id}"));
    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(page.contains("INVALID") && !page.contains("live.js"));
    Ok(())
}

#[tokio::test]
async fn pages_carry_a_strict_policy() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for path in [
        "/",
        "/assets/style.css",
        "/assets/live.js",
        "/assets/chart.js",
        "/assets/heatmap.js",
        "/assets/home.js",
        "/assets/new.js",
        "/assets/page.js",
        "/assets/theme.css",
        "/assets/icon.svg",
        "/new",
        "/settings",
    ] {
        let reply = service.get(path).await?;
        assert_eq!(reply.status(), 200, "{path}");
        let policy = reply.headers()["content-security-policy"].to_str()?;
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
    }
    Ok(())
}

#[tokio::test]
async fn another_site_cannot_start_anything() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for path in [
        "/new",
        "/quick-setup",
        "/api/v1/performancetest/quick-start/smoke",
    ] {
        let reply = service
            .client
            .post(format!("{}{path}", service.base_url))
            .header("sec-fetch-site", "cross-site")
            .send()
            .await?;
        assert_eq!(reply.status(), 403, "{path}");
    }
    let runs = service.get_json("/api/v1/performancetest/tests").await?;
    assert_eq!(runs, json!([]));
    Ok(())
}

/// A site whose name leads to this machine is not this machine.
#[tokio::test]
async fn only_loopback_is_answered_to_on_loopback() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let port = service.base_url.rsplit(':').next().unwrap();
    let calls = [
        (Method::GET, "/"),
        (Method::GET, "/api/v1/performancetest/tests"),
        (Method::GET, "/performance-hub"),
        (Method::POST, "/api/v1/performancetest/quick-start/smoke"),
        (Method::POST, "/new"),
    ];
    for (method, path) in calls {
        let reply = service
            .client
            .request(method, format!("{}{path}", service.base_url))
            .header("host", format!("evil.example:{port}"))
            .send()
            .await?;
        assert_eq!(reply.status(), 403, "{path}");
        let problem: Value = reply.json().await?;
        let kind = problem["type"].as_str().unwrap();
        assert!(kind.ends_with("host-refused"), "{problem}");
    }
    for host in ["localhost", "[::1]"] {
        let runs: Value = service
            .client
            .get(format!("{}/api/v1/performancetest/tests", service.base_url))
            .header("host", format!("{host}:{port}"))
            .send()
            .await?
            .json()
            .await?;
        assert_eq!(runs, json!([]), "{host}");
    }
    Ok(())
}
