//! Bad input: a problem document that names the field, and never a run.

use serde_json::{Value, json};

use crate::test_service::TestService;

#[tokio::test]
async fn every_bad_field_is_named() -> anyhow::Result<()> {
    refuse(&[
        (json!({"testScript": "../x"}), "testScript"),
        (json!({"testScript": "/etc/passwd"}), "testScript"),
        (json!({"testScript": "tests/../../x.js"}), "testScript"),
        (json!({"testScript": "tests/none.js"}), "testScript"),
        (json!({"testScript": "a\u{0}.js"}), "testScript"),
        (json!({"testScript": 5}), "testScript"),
        (json!({"scenario": "chaos"}), "scenario"),
        (json!({"scenario": 6}), "scenario"),
        (json!({"scenario": -1}), "scenario"),
        (json!({"scenario": ["Load"]}), "scenario"),
        (json!({"testName": "x".repeat(201)}), "testName"),
        (json!({"testName": "a\nb"}), "testName"),
        (json!({"revision": "a b"}), "revision"),
        (json!({"revision": "x".repeat(65)}), "revision"),
        (json!({"userEmail": "x".repeat(255)}), "userEmail"),
        (
            json!({"environment": {"LD_PRELOAD": "x"}}),
            "environment.LD_PRELOAD",
        ),
        (
            json!({"environment": {"K6_VUS": "9"}}),
            "environment.K6_VUS",
        ),
        (
            json!({"environment": {"TEST_ID": "x"}}),
            "environment.TEST_ID",
        ),
        (
            json!({"environment": {"SEED": "a\u{0}"}}),
            "environment.SEED",
        ),
        (
            json!({"environment": {"SEED": {"a": 1}}}),
            "environment.SEED",
        ),
        (
            json!({"environment": {"BASE_URL": "7002"}}),
            "environment.BASE_URL",
        ),
        (json!({"environment": []}), "environment"),
    ])
    .await
}

#[tokio::test]
async fn every_bad_option_is_named() -> anyhow::Result<()> {
    refuse(&[
        (
            json!({"options": {"virtualUsers": 1_000_000_000}}),
            "options.virtualUsers",
        ),
        (
            json!({"options": {"virtualUsers": 0}}),
            "options.virtualUsers",
        ),
        (
            json!({"options": {"virtualUsers": -1}}),
            "options.virtualUsers",
        ),
        (
            json!({"options": {"virtualUsers": 1.5}}),
            "options.virtualUsers",
        ),
        (json!({"vus": 1_001}), "options.virtualUsers"),
        (json!({"options": {"duration": "1e9h"}}), "options.duration"),
        (json!({"options": {"duration": "5x"}}), "options.duration"),
        (json!({"options": {"duration": "-5m"}}), "options.duration"),
        (json!({"options": {"duration": "5h"}}), "options.duration"),
        (json!({"duration": "0s"}), "options.duration"),
        (
            json!({"options": {"thresholds": {"http_reqs": "'); x"}}}),
            "options.thresholds",
        ),
        (
            json!({"options": {"thresholds": {"http_reqs": 5}}}),
            "options.thresholds.http_reqs",
        ),
        (
            json!({"options": {"outputFormat": "--out=x"}}),
            "options.outputFormat",
        ),
        (json!({"options": {"k6Version": "v3"}}), "options.k6Version"),
        (json!({"options": "all"}), "options"),
        (json!({"options": [5]}), "options"),
        (json!([]), "body"),
    ])
    .await
}

/// Each request is a 400 that names the field, and none becomes a run.
async fn refuse(requests: &[(Value, &str)]) -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (body, field) in requests {
        let reply = service.ask(body).await?;
        assert_eq!(reply.status(), 400, "{body}");
        let content_type = reply.headers()["content-type"].to_str()?.to_owned();
        assert_eq!(content_type, "application/problem+json", "{body}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"][field].is_array(), "{body}: {problem}");
        assert_eq!(problem["status"], 400);
    }
    let runs = service.get_json("/api/v1/performancetest/tests").await?;
    assert_eq!(runs, json!([]));
    Ok(())
}

/// Users would replace the arrivals, and without their time to think.
#[tokio::test]
async fn the_open_model_takes_no_users_time_or_iterations() -> anyhow::Result<()> {
    let open = json!({"MODEL": "Open"});
    refuse(&[
        (
            json!({"environment": open, "vus": 5}),
            "options.virtualUsers",
        ),
        (
            json!({"environment": open, "options": {"duration": "5s"}}),
            "options.duration",
        ),
        (
            json!({"environment": open, "options": {"iterations": 5}}),
            "options.iterations",
        ),
    ])
    .await?;
    let service = TestService::start().await?;
    for body in [
        json!({"environment": open, "options": {"thresholds": {"http_reqs": "count>0"}}}),
        json!({"environment": {"MODEL": "closed"}, "options": {"virtualUsers": 5}}),
    ] {
        assert_eq!(service.ask(&body).await?.status(), 201, "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_target_that_is_not_listed_is_forbidden() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let with_user = service.target.base_url.replace("://", "://user@");
    for target in ["http://127.0.0.1:1", "http://169.254.169.254", &with_user] {
        let reply = service
            .ask(&json!({"environment": {"BASE_URL": target}}))
            .await?;
        assert_eq!(reply.status(), 403, "{target}");
        let problem: Value = reply.json().await?;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("environment.BASE_URL"), "{detail}");
    }
    assert_eq!(service.target.requests(), 0);
    Ok(())
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let start = format!("{}/api/v1/performancetest/start", service.base_url);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let large = format!("{{\"testName\":\"{}\"}}", "x".repeat(300_000));
    for (content_type, body, status) in [
        ("application/json", "", 400),
        ("application/json", "{", 400),
        ("application/json", "{\"vus\":1e999}", 400),
        ("application/json", "{\"vus\":NaN}", 400),
        ("application/json", deep.as_str(), 400),
        ("application/json", large.as_str(), 413),
        ("text/plain", "{}", 415),
    ] {
        let reply = service
            .client
            .post(&start)
            .header("content-type", content_type)
            .body(body.to_owned())
            .send()
            .await?;
        let excerpt: String = body.chars().take(40).collect();
        assert_eq!(reply.status(), status, "{content_type} {excerpt}");
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
    }
    Ok(())
}

#[tokio::test]
async fn addresses_that_do_not_exist_are_problems() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let unknown = "0190a0b0c0d0e0f000112233445566ff";
    for (path, status) in [
        (format!("/api/v1/performancetest/{unknown}"), 404),
        (format!("/api/v1/performancetest/{unknown}/results"), 404),
        (format!("/api/v1/performancetest/{unknown}/logs"), 404),
        (format!("/api/v1/performancetest/{unknown}/timeline"), 404),
        (format!("/runs/{unknown}"), 404),
        ("/api/v1/performancetest/start".to_owned(), 404),
        ("/api/v1/performancetest/cleanup".to_owned(), 404),
        ("/nothing".to_owned(), 404),
    ] {
        let reply = service.get(&path).await?;
        let found = reply.status().as_u16();
        // Where only POST exists, GET reads the word as an id or is not allowed.
        assert!(found == status || found == 405, "{path}: {found}");
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
    }
    let quick = service
        .post("/api/v1/performancetest/quick-start/chaos")
        .await?;
    assert_eq!(quick.status(), 400);
    Ok(())
}

#[tokio::test]
async fn without_k6_the_service_lives_and_says_what_to_do() -> anyhow::Result<()> {
    let service = TestService::launch(&[("PERFORMANCE_K6", "/nowhere/k6")]).await?;
    service
        .process
        .ready(std::time::Duration::from_secs(30), async || {
            let live = service.get("/health/live").await?.status();
            anyhow::ensure!(live == 200, "{live}");
            let ready = service.get_text_of_any_status("/health/ready").await?;
            anyhow::ensure!(ready.contains("make setup"), "{ready}");
            Ok(())
        })
        .await?;
    assert_eq!(service.get("/health").await?.status(), 503);
    let reply = service.ask(&json!({"scenario": "Smoke"})).await?;
    assert_eq!(reply.status(), 503);
    let problem: Value = reply.json().await?;
    assert!(problem["detail"].as_str().unwrap().contains("make setup"));
    let v1 = json!({"options": {"k6Version": "v1", "virtualUsers": 1, "duration": "1s"},
                    "scenario": "Smoke"});
    let id = service.begin(&v1).await?;
    assert_eq!(service.wait_for_end(&id).await?["verdict"]["level"], "PASS");
    Ok(())
}

#[tokio::test]
async fn a_tenant_sees_its_own_runs_only() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({"testScript": "tests/broken.js"}))
        .await?;
    service.wait_for_end(&id).await?;
    let as_other = |path: String| {
        let url = format!("{}{path}", service.base_url);
        service.client.get(url).header("x-tenant-name", "other")
    };
    for path in ["", "/results", "/logs", "/timeline"] {
        let path = format!("/api/v1/performancetest/{id}{path}");
        assert_eq!(as_other(path).send().await?.status(), 404);
    }
    for path in [format!("/runs/{id}"), format!("/performance-hub?test={id}")] {
        assert_eq!(as_other(path).send().await?.status(), 404);
    }
    let tests = as_other("/api/v1/performancetest/tests".to_owned());
    assert_eq!(tests.send().await?.json::<Value>().await?, json!([]));
    let bad = service
        .client
        .get(format!("{}/", service.base_url))
        .header("x-tenant-name", "a:b")
        .send()
        .await?;
    assert_eq!(bad.status(), 400);
    Ok(())
}
