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
    assert_eq!(levels, ["CRITICAL", "PASS", "PASS"]);
    let name = limits[2]["limit"]["tags"]["check"].as_str();
    assert_eq!(name, Some("status is 200"));
    let samples = limits[2]["samples"].as_u64();
    assert!(samples.is_some_and(|samples| samples > 0), "{}", limits[2]);

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

#[tokio::test]
async fn what_is_asked_of_runs_and_of_the_service_is_listed() -> anyhow::Result<()> {
    const FAMILY: &str = "/api/v1/performancetest";
    let service = TestService::start().await?;
    let files = service.get_json(&format!("{FAMILY}/limits")).await?;
    let files = files.as_array().unwrap();
    let names: Vec<_> = files.iter().map(|file| &file["file"]).collect();
    let expected = [
        "limits/ai-stress.toml",
        "limits/smoke-spike.toml",
        "limits/smoke-stress.toml",
    ];
    assert_eq!(names, expected);
    assert_eq!(files[2]["limits"].as_array().unwrap().len(), 3);
    let problem = files[0]["problem"].as_str().unwrap();
    assert!(problem.starts_with("line"), "{problem}");

    for (query, names) in [
        (
            "tests/smoke.js&scenario=stress",
            &["limits/smoke-stress.toml"][..],
        ),
        ("tests/smoke.js", &[]),
        ("generated/shop.js", &[]),
    ] {
        let path = format!("{FAMILY}/limits?testScript={query}");
        let files = service.get_json(&path).await?;
        let found = files.as_array().unwrap().iter();
        let found: Vec<_> = found.map(|file| &file["file"]).collect();
        assert_eq!(found, names, "{query}");
    }
    for (query, field) in [
        ("tests/none.js", "testScript"),
        ("../limits/smoke-stress.toml", "testScript"),
        ("tests/smoke.js&scenario=none", "scenario"),
    ] {
        let reply = service
            .get(&format!("{FAMILY}/limits?testScript={query}"))
            .await?;
        assert_eq!(reply.status(), 400, "{query}");
        let problem: serde_json::Value = reply.json().await?;
        assert!(problem["errors"][field].is_array(), "{problem}");
    }

    let objectives = service.get_json(&format!("{FAMILY}/slos")).await?;
    let mut objectives = objectives.as_array().unwrap().iter();
    let named = objectives.find(|one| one["name"] == "catalogue-availability");
    assert_eq!(named.unwrap()["objective"], 99.9);
    Ok(())
}
