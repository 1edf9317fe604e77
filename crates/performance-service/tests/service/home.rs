//! The first page: what runs and how far it is, and what needs a person.

use anyhow::ensure;
use serde_json::json;
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

#[tokio::test]
async fn a_run_under_way_tells_how_far_it_is() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let home = service.get_text("/").await?;
    assert!(home.contains("Nothing runs.") && home.contains("Nothing needs you."));
    // Its limits are those of smoke-stress.toml.
    let first = service
        .begin(&json!({
            "scenario": "Stress",
            "testScript": "tests/smoke.js",
            "options": {"virtualUsers": 1, "duration": "100s"},
        }))
        .await?;
    let second = service.begin(&json!({"scenario": "Smoke"})).await?;
    let page = wait::until("the first second is told", RUN_DEADLINE, async || {
        let page = service.get_text("/").await?;
        ensure!(page.contains("<progress"), "{page}");
        Ok(page)
    })
    .await?;
    for expected in [
        " %, 01:",
        " left</div>",
        ">p95 ",
        "failed 0 % <span class=\"verdict PASS\" title=\"within its limit\">",
        "queued: waits for one run, about 01:",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    for run in [second, first] {
        let stopped = service.post(&format!("/runs/{run}/cancel")).await?;
        assert_eq!(stopped.status(), 303);
    }
    Ok(())
}

#[tokio::test]
async fn what_does_not_pass_needs_a_person() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let mut numbers = Vec::new();
    for bound in ["60000", "0.0001", "0.0001"] {
        let id = service
            .begin(&json!({
                "testName": "steady <b>",
                "scenario": "Smoke",
                "options": {
                    "virtualUsers": 1,
                    "duration": "1s",
                    "thresholds": {"http_req_duration": [format!("p(95)<{bound}")]},
                },
            }))
            .await?;
        numbers.push(service.wait_for_end(&id).await?["number"].to_string());
    }
    let page = service.get_text("/").await?;
    let expected = format!("is FAIL: 2 runs since it last passed, #{} of 2", numbers[0]);
    assert!(page.contains(&expected), "{page}");
    assert!(page.contains(">steady &#60;b&#62;</a> is FAIL"), "{page}");

    // Who cancels a run knows of it: the one before still needs a person, one alone needs nobody.
    for name in ["steady <b>", "cancelled"] {
        let body = json!({"testName": name, "scenario": "Load"});
        let id = service.begin(&body).await?;
        service.wait_for(&id, "Running").await?;
        let cancel = format!("/api/v1/performancetest/{id}/cancel");
        assert_eq!(service.post(&cancel).await?.status(), 204);
    }
    let page = service.get_text("/").await?;
    assert!(page.contains(">steady &#60;b&#62;</a> is FAIL"), "{page}");
    assert!(!page.contains("is INVALID"), "{page}");
    Ok(())
}
