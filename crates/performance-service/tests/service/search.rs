//! Finding runs, and removing one.

use reqwest::Method;
use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

const TESTS: &str = "/api/v1/performancetest/tests";

#[tokio::test]
async fn runs_are_found_by_what_they_are() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let held = run(&service, "a & b", "p(95)<60000").await?;
    let crossed = run(&service, "other", "p(95)<0.0001").await?;
    for (query, expected) in [
        ("", vec![&crossed, &held]),
        ("?limit=1", vec![&crossed]),
        ("?before=2", vec![&held]),
        // Beyond every number that the store can hold.
        ("?before=18446744073709551615", vec![&crossed, &held]),
        ("?level=PASS", vec![&held]),
        ("?level=FAIL&status=Completed", vec![&crossed]),
        (
            "?test=a%20%26%20b&scenario=smoke&environment=local",
            vec![&held],
        ),
        ("?test=&scenario=&level=FAIL", vec![&crossed]),
        ("?test=a", vec![]),
        ("?status=Failed", vec![]),
    ] {
        let found = service.get_json(&format!("{TESTS}{query}")).await?;
        let ids = found.as_array().unwrap().iter();
        let ids: Vec<&str> = ids.filter_map(|run| run["testId"].as_str()).collect();
        assert_eq!(ids, expected, "{query}");
    }
    let reply = service.get(&format!("{TESTS}?limit=1")).await?;
    assert_eq!(reply.headers()["x-total-count"], "2");
    for (query, field) in [
        ("limit=0", "limit"),
        ("level=fine", "level"),
        ("status=x", "status"),
    ] {
        let reply = service.get(&format!("{TESTS}?{query}")).await?;
        assert_eq!(reply.status(), 400, "{query}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"][field].is_array(), "{problem}");
    }
    let page = service.get_text("/runs?level=FAIL&test=").await?;
    assert!(page.contains(&crossed) && !page.contains(&held), "{page}");
    assert!(page.contains("<option selected>FAIL</option>"), "{page}");
    assert!(page.contains("1 of 1"), "{page}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_over_can_be_removed() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let path = format!("/api/v1/performancetest/{id}");
    assert_eq!(delete(&service, &path).await?, 409);
    service.post(&format!("{path}/cancel")).await?;
    assert!(service.directory(&id).exists());
    assert_eq!(delete(&service, &path).await?, 204);
    assert_eq!(service.get(&path).await?.status(), 404);
    assert_eq!(delete(&service, &path).await?, 404);
    wait::until("its files are gone", RUN_DEADLINE, async || {
        anyhow::ensure!(!service.directory(&id).exists());
        Ok(())
    })
    .await?;
    Ok(())
}

async fn delete(service: &TestService, path: &str) -> anyhow::Result<u16> {
    let url = format!("{}{path}", service.base_url);
    let reply = service.client.request(Method::DELETE, url).send().await?;
    Ok(reply.status().as_u16())
}

async fn run(service: &TestService, name: &str, threshold: &str) -> anyhow::Result<String> {
    let id = service
        .begin(&json!({
            "testName": name,
            "scenario": "Smoke",
            "options": {
                "virtualUsers": 1,
                "duration": "1s",
                "thresholds": {"http_req_duration": [threshold]},
            },
        }))
        .await?;
    service.wait_for_end(&id).await?;
    Ok(id)
}
