//! The requests of a run one by one and together: the map, a box of it, the slowest ones.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::test_service::TestService;

#[tokio::test]
async fn requests_are_shown_together_and_the_slowest_one_by_one() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({"scenario": "Smoke", "testScript": "tests/traced.js"}))
        .await?;
    service.wait_for_end(&id).await?;
    let results = format!("/api/v1/performancetest/{id}/results");
    let results = service.get_json(&results).await?;
    let slowest = results["slowest"].as_array().unwrap();
    let durations: Vec<f64> = slowest.iter().filter_map(duration).collect();
    assert!(!durations.is_empty() && durations.len() <= 30);
    assert!(durations.is_sorted_by(|one, other| one >= other));
    let longest = &results["metrics"]["http_req_duration"]["values"]["max"];
    assert_eq!(slowest[0]["duration"], *longest);
    for request in slowest {
        let trace = request["traceId"].as_str();
        assert_eq!(trace.is_some(), request["name"] == "GET /traced");
        let iteration = trace.map(|id| u32::from_str_radix(id, 16)).transpose()?;
        let expected = iteration.map(|iteration| f64::from(iteration) + 0.5);
        assert_eq!(request["model"]["ttft"].as_f64(), expected, "{request}");
    }

    let page = service.get_text(&format!("/runs/{id}")).await?;
    for text in [
        "class=\"heat heat-",
        "<h2 id=\"distribution\">",
        "not sampled",
        "0000</code>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let shares = format!("/runs/{id}?distribution=shares");
    let shares = service.get_text(&shares).await?;
    assert!(shares.contains("Share of requests, %"), "{shares}");
    let report = format!("/api/v1/performancetest/{id}/export?format=html");
    let report = service.get_text(&report).await?;
    assert!(report.contains("class=\"heatmap\"") && report.contains("class=\"distribution\""));
    Ok(())
}

#[tokio::test]
async fn a_box_holds_what_was_drawn_around() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service
        .begin(&json!({"scenario": "Smoke", "testScript": "tests/traced.js"}))
        .await?;
    service.wait_for_end(&id).await?;
    let results = format!("/api/v1/performancetest/{id}/results");
    let results = service.get_json(&results).await?;
    let all = results["metrics"]["http_reqs"]["values"]["count"].as_f64();
    let all = all.unwrap_or_default();
    let within = async |query: &str| service.get_text(&format!("/runs/{id}?{query}")).await;
    let everything = within("box_from=0&box_to=900&above=0&below=600000").await?;
    assert!(
        everything.contains(&format!("<strong>{all} of {all} requests")),
        "{everything}"
    );
    let slow = within("box_from=0&box_to=900&above=500000&below=600000").await?;
    assert!(
        slow.contains(&format!("<strong>0 of {all} requests")),
        "{slow}"
    );
    assert!(
        slow.contains("slowest requests of the run is in this part"),
        "{slow}"
    );
    // Without an end it has that of the run.
    let open = within("above=0").await?;
    assert!(
        open.contains(&format!("<strong>{all} of {all} requests")),
        "{open}"
    );
    for (query, field) in [
        ("box_from=3&box_to=3", "box_to"),
        ("above=5&below=5", "below"),
        ("above=NaN", "below"),
        ("below=-1", "below"),
    ] {
        let reply = service.get(&format!("/runs/{id}?{query}")).await?;
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST, "{query}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"][field].is_array(), "{query}: {problem}");
    }
    Ok(())
}

fn duration(request: &Value) -> Option<f64> {
    request["duration"].as_f64()
}
