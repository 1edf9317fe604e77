//! Limits of a test, as files beside its script.

use serde_json::json;

use crate::test_service::TestService;

#[tokio::test]
async fn a_run_is_held_against_the_limits_of_its_script() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({
            "testScript": "tests/smoke.js",
            "scenario": "Stress",
            "options": {"virtualUsers": 1, "duration": "2s"},
        }))
        .await?;
    let run = service.wait_for_end(&id).await?;
    assert_eq!(run["verdict"]["level"], "CRITICAL", "{run}");
    let first = run["verdict"]["reasons"][0].as_str().unwrap();
    assert!(first.contains("max of http_req_duration"), "{first}");
    let limits = run["results"]["limits"].as_array().unwrap();
    let levels: Vec<_> = limits.iter().map(|limit| &limit["level"]).collect();
    assert_eq!(levels, ["CRITICAL", "PASS"]);

    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(
        page.contains("<h2>Limits</h2>") && page.contains("CRITICAL"),
        "{page}"
    );
    let path = format!("/api/v1/performancetest/{id}/export?format=");
    let suite = service.get_text(&format!("{path}junit")).await?;
    assert!(
        suite.contains("name=\"max of http_req_duration: ≤"),
        "{suite}"
    );
    let comment = service.get_text(&format!("{path}markdown")).await?;
    assert!(comment.contains("**crossed**"), "{comment}");
    Ok(())
}

#[tokio::test]
async fn limits_that_cannot_be_read_start_nothing() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (script, scenario, file) in [
        ("tests/smoke.js", "Spike", "limits/smoke-spike.toml"),
        // The limits of a script of one scenario hold in that one too.
        ("tests/ai-stress.js", "Stress", "limits/ai-stress.toml"),
    ] {
        let body = json!({"testScript": script, "scenario": scenario});
        let reply = service.ask(&body).await?;
        assert_eq!(reply.status(), 400);
        let problem: serde_json::Value = reply.json().await?;
        let reason = problem["errors"]["testScript"][0].as_str().unwrap();
        assert!(reason.starts_with(&format!("{file}: line")), "{reason}");
    }
    Ok(())
}
