//! What a run will take, before anything is started.

use serde_json::{Value, json};

use crate::test_service::TestService;

#[tokio::test]
async fn a_forecast_starts_nothing_and_rests_on_the_runs_before() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let smoke = json!({"scenario": "Smoke", "vus": 2, "duration": "4s"});
    let alone = service.forecast(&smoke).await?;
    assert_eq!(alone["seconds"]["range"]["expected"], 4.0, "{alone}");
    assert_eq!(alone["peakVirtualUsers"], 2);
    assert_eq!(alone["requests"]["range"], Value::Null);
    assert!(
        alone["requests"]["basis"]
            .as_str()
            .unwrap()
            .starts_with("no earlier run")
    );
    assert_eq!(alone["maxReal"]["usd"], "10");
    assert_eq!(alone["leftToday"]["usd"], "100");
    let runs = service.get_json("/api/v1/performancetest/tests").await?;
    assert_eq!(runs, json!([]));
    assert_eq!(service.target.requests(), 0);

    for _ in 0..2 {
        let body = json!({"scenario": "Smoke", "vus": 1, "duration": "2s"});
        let id = service.begin(&body).await?;
        let run = service.wait_for_end(&id).await?;
        assert!(
            run["results"]["coverage"]["generatorCpu"].as_f64() > Some(0.0),
            "{run}"
        );
    }
    let known = service.forecast(&smoke).await?;
    assert_eq!(known["runs"], 2);
    // Twice the users for twice the time.
    let expected = known["requests"]["range"]["expected"].as_f64().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "some dozens of requests")]
    let usual = service.target.requests() as f64 / 2.0;
    assert!(
        (usual * 2.8..usual * 5.2).contains(&expected),
        "{usual}: {known}"
    );
    assert_eq!(known["real"]["range"]["high"]["picoUsd"], 0);
    assert_eq!(
        known["held"]["run"].as_u64().map(|run| run <= 2),
        Some(true)
    );
    assert!(known["generatorCpu"]["range"]["expected"].as_f64() > Some(0.0));
    // Thresholds have no figure of a plan: they are what earlier runs measured.
    let bounded = json!({
        "scenario": "Smoke",
        "options": {"thresholds": {"http_req_duration": ["p(95)<60000"]}},
    });
    let bounds = service.forecast(&bounded).await?["bounds"].take();
    assert_eq!(bounds[0]["name"], "http_req_duration", "{bounds}");
    assert_eq!(bounds[0]["level"], "PASS", "{bounds}");
    assert_eq!(bounds[0]["basis"], "2 earlier runs: 2 of 2 kept to it");
    // Another provider is another test.
    let other = json!({"scenario": "Smoke", "environment": {"PROVIDER": "ollama"}});
    assert_eq!(service.forecast(&other).await?["runs"], 0);
    Ok(())
}

#[tokio::test]
async fn what_a_start_is_refused_for_a_forecast_is_too() -> anyhow::Result<()> {
    let service = TestService::start_with(&[("PERFORMANCE_TENANT_VIRTUAL_USERS", "3")]).await?;
    for (body, status, told) in [
        (
            json!({"vus": 0, "duration": "1s"}),
            400,
            "options.virtualUsers",
        ),
        (json!({"maxDollars": "much"}), 400, "maxDollars"),
        (json!({"maxDollars": 0}), 400, "maxDollars"),
        (json!({"confirmDollars": -1}), 400, "confirmDollars"),
        (json!({"testScript": "tests/nothing.js"}), 400, "testScript"),
        (
            json!({"testScript": "tests/broken.js"}),
            400,
            "this script is broken",
        ),
        (json!({"vus": 4, "duration": "1s"}), 403, "virtualUsers"),
        (
            json!({"testScript": "tests/crowd.js"}),
            403,
            "4 virtual users, allowed are 3",
        ),
        (
            json!({"environment": {"BASE_URL": "http://127.0.0.1:1"}}),
            403,
            "not an allowed target",
        ),
    ] {
        let reply = service.ask_forecast(&body).await?;
        assert_eq!(reply.status(), status, "{body}");
        let problem = reply.text().await?;
        assert!(problem.contains(told), "{body}: {problem}");
    }
    let full = TestService::start_with(&[("PERFORMANCE_TENANT_QUEUED", "0")]).await?;
    let reply = full.ask_forecast(&json!({"scenario": "Smoke"})).await?;
    assert_eq!(reply.status(), 429);
    Ok(())
}
