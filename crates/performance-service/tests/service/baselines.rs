//! Baselines: made of good runs, replaced by better ones or with a reason.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::test_service::TestService;

const BASELINES: &str = "/api/v1/performancetest/baselines";

#[tokio::test]
async fn a_baseline_is_replaced_only_for_a_reason() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let wish = json!({"test": "steady"});
    let (status, problem) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    for _ in 0..5 {
        run(&service).await?;
    }
    let (status, first) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(
        (&first["version"], &first["environment"]),
        (&json!(1), &json!("local"))
    );
    assert_eq!(first["measures"]["http_req_duration p(95)"]["runs"], 5);

    // The same runs are no improvement of themselves.
    let (status, problem) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert!(
        problem["type"].as_str().unwrap().ends_with("not-improved"),
        "{problem}"
    );

    let candidate = run(&service).await?;
    let path = format!("/api/v1/performancetest/compare?reference=baseline&candidate={candidate}");
    let compared = service.get_json(&path).await?;
    assert_eq!(compared["reference"].as_array().unwrap().len(), 5);
    let p95 = compared["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "p95 of http_req_duration")
        .unwrap();
    assert_eq!(p95["method"], "robust-z", "{p95}");

    let wish = json!({"test": "steady", "reason": "another machine"});
    let (status, second) = ask(&service, &wish).await?;
    assert_eq!(status, StatusCode::CREATED, "{second}");
    assert_eq!(second["replacement"]["byHand"]["reason"], "another machine");
    let versions = service
        .get_json(&format!("{BASELINES}/versions?test=steady&scenario=Smoke"))
        .await?;
    let versions = versions.as_array().unwrap().iter();
    let numbers: Vec<&Value> = versions.map(|version| &version["version"]).collect();
    assert_eq!(numbers, [2, 1]);
    let in_force = service.get_json(BASELINES).await?;
    assert_eq!(in_force[0]["version"], 2);
    // The run in question is one of its runs by now.
    let compared = service.get_json(&path).await?;
    assert_eq!(compared["reference"].as_array().unwrap().len(), 4);

    let form = "test=steady&reason=%3Cb%3Eby%20hand%3C%2Fb%3E";
    let request = service
        .client
        .post(format!("{}/baselines", service.base_url));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let reply = request.body(form).send().await?;
    assert_eq!(reply.status(), 303);
    for path in ["/baselines", "/tests/steady"] {
        let page = service.get_text(path).await?;
        assert!(page.contains("&#60;b&#62;by hand&#60;/b&#62;"), "{page}");
    }
    Ok(())
}

#[tokio::test]
async fn what_makes_no_baseline_is_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (wish, status, field) in [
        (json!({}), 400, "test"),
        (json!({"runs": ["x"]}), 400, "runs"),
        (json!({"runs": []}), 400, "runs"),
        (json!({"runs": ["0".repeat(32)]}), 404, ""),
    ] {
        let (found, problem) = ask(&service, &wish).await?;
        assert_eq!(found, status, "{wish}: {problem}");
        assert!(
            field.is_empty() || problem["errors"][field].is_array(),
            "{problem}"
        );
    }
    let reply = service
        .get(&format!("{BASELINES}/versions?test=none&scenario=Smoke"))
        .await?;
    assert_eq!(reply.status(), 404);
    let id = run(&service).await?;
    let (status, problem) = ask(&service, &json!({"runs": [id, id, id, id, id]})).await?;
    assert_eq!(status, 400, "{problem}");
    Ok(())
}

async fn ask(service: &TestService, wish: &Value) -> anyhow::Result<(StatusCode, Value)> {
    let reply = service
        .client
        .post(format!("{}{BASELINES}", service.base_url))
        .json(wish)
        .send()
        .await?;
    Ok((reply.status(), reply.json().await?))
}

async fn run(service: &TestService) -> anyhow::Result<String> {
    let id = service
        .begin(&json!({
            "testName": "steady",
            "scenario": "Smoke",
            "options": {"virtualUsers": 1, "duration": "1s"},
        }))
        .await?;
    service.wait_for_end(&id).await?;
    Ok(id)
}
