//! Reports: each format tells the stored verdict, and nothing in one is anything but text.

use serde_json::{Value, json};

use crate::test_service::TestService;

/// Names come from clients and from scripts.
const HOSTILE: &str = "a|b <script>alert(1)</script> @team \"quoted\"";

#[tokio::test]
async fn every_format_tells_the_stored_verdict() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({
            "testName": HOSTILE,
            "scenario": "Smoke",
            "options": {
                "virtualUsers": 1,
                "duration": "2s",
                "thresholds": {"http_req_duration": ["p(95)<0.0001", "p(95)<60000"]},
            },
        }))
        .await?;
    let early = service.get(&export(&id, "json")).await?;
    assert_eq!(early.status(), 409);
    let run = service.wait_for_end(&id).await?;
    let reason = run["verdict"]["reasons"][0].as_str().unwrap();

    let reply = service.get(&export(&id, "json")).await?;
    let name = reply.headers()["content-disposition"].to_str()?;
    assert!(name.ends_with("-1-FAIL.json\""), "{name}");
    let document: Value = reply.json().await?;
    assert_eq!(document["run"]["verdict"], run["verdict"]);
    let seconds = document["timeline"].as_array().unwrap();
    let requests: u64 = seconds
        .iter()
        .filter_map(|second| second["requests"].as_u64())
        .sum();
    let counted = &document["run"]["results"]["metrics"]["http_reqs"]["values"]["count"];
    assert_eq!(counted.to_string(), format!("{requests}.0"));

    let table = service.get_text(&export(&id, "csv")).await?;
    assert_eq!(table.trim_end().lines().count(), seconds.len() + 1);

    let summary = service.get_json(&export(&id, "k6-summary")).await?;
    let duration = &summary["metrics"]["http_req_duration"];
    assert_eq!(duration["thresholds"]["p(95)<0.0001"]["ok"], false);
    assert_eq!(duration["thresholds"]["p(95)<60000"]["ok"], true);

    let comment = service.get_text(&export(&id, "markdown")).await?;
    assert!(
        comment.starts_with("### ✕ FAIL: a\\|b &lt;script&gt;"),
        "{comment}"
    );
    assert!(comment.contains("Exit code 2"), "{comment}");
    assert!(!comment.contains("@team"), "{comment}");

    let suite = service.get_text(&export(&id, "junit")).await?;
    assert!(
        suite.contains("tests=\"4\" failures=\"1\" errors=\"0\""),
        "{suite}"
    );
    assert!(!suite.contains("<script>"), "{suite}");

    let page = service.get_text(&export(&id, "html")).await?;
    assert!(!page.contains("<script"), "{page}");
    assert!(
        page.contains(&reason.replace('<', "&#60;")),
        "{reason}: {page}"
    );
    assert!(page.len() < 400_000, "{} bytes", page.len());
    Ok(())
}

#[tokio::test]
async fn the_comment_stands_beside_the_baseline() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let run = async || {
        let id = service
            .begin(&json!({
                "testName": "steady", "scenario": "Smoke",
                "options": {"virtualUsers": 1, "duration": "1s"},
            }))
            .await?;
        service.wait_for_end(&id).await?;
        anyhow::Ok(id)
    };
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.push(run().await?);
    }
    let comment = service.get_text(&export(&runs[0], "markdown")).await?;
    assert!(
        comment.contains("Not compared: the test has no baseline")
            && comment.contains("`perf compare RUN RUN`"),
        "{comment}"
    );
    let url = format!("{}/api/v1/performancetest/baselines", service.base_url);
    let wish = json!({"test": "steady"});
    let made = service.client.post(url).json(&wish).send().await?;
    assert_eq!(made.status(), 201);
    let candidate = run().await?;
    let path = format!("/api/v1/performancetest/compare?reference=baseline&candidate={candidate}");
    let compared = service.get_json(&path).await?;
    let comment = service.get_text(&export(&candidate, "markdown")).await?;
    let level = compared["level"].as_str().unwrap();
    let beside = format!("Beside the 5 runs of the baseline: {level}\n");
    assert!(comment.contains(&beside), "{comment}");
    let plain = load_analysis::escape::markdown;
    // One run against five is suggested more of, unless they agree by chance.
    if let Some(sentence) = compared["rerun"]["sentence"].as_str() {
        assert!(comment.contains(&plain(sentence)), "{comment}");
    }
    let sentence = compared["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "p95 of http_req_duration");
    let sentence = sentence.unwrap()["sentence"].as_str().unwrap();
    assert!(comment.contains(&plain(sentence)), "{comment}");

    let alone = format!("{}&comparison=none", export(&candidate, "markdown"));
    let comment = service.get_text(&alone).await?;
    assert!(
        !comment.contains("baseline") && !comment.contains("perf compare"),
        "{comment}"
    );
    let wrong = format!("{}&comparison=main", export(&candidate, "markdown"));
    assert_eq!(service.get(&wrong).await?.status(), 400);
    Ok(())
}

#[tokio::test]
async fn a_run_that_does_not_count_is_an_error() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    service
        .post(&format!("/api/v1/performancetest/{id}/cancel"))
        .await?;
    let suite = service.get_text(&export(&id, "junit")).await?;
    assert!(suite.contains("errors=\"1\""), "{suite}");
    let comment = service.get_text(&export(&id, "markdown")).await?;
    assert!(comment.contains("**The run does not count.**"), "{comment}");
    assert!(!comment.contains("ompared"), "{comment}");
    Ok(())
}

#[tokio::test]
async fn an_unknown_format_is_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let reply = service.get(&export(&"0".repeat(32), "pdf")).await?;
    assert_eq!(reply.status(), 400);
    let problem: Value = reply.json().await?;
    assert!(problem["errors"]["format"].is_array(), "{problem}");
    let reply = service.get(&export(&"0".repeat(32), "html")).await?;
    assert_eq!(reply.status(), 404);
    Ok(())
}

fn export(id: &str, format: &str) -> String {
    format!("/api/v1/performancetest/{id}/export?format={format}")
}
