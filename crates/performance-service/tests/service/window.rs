//! A part of a run: its figures are made of its own seconds.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::test_service::TestService;

#[tokio::test]
async fn a_window_shows_its_own_seconds() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let options = json!({"virtualUsers": 2, "duration": "4s"});
    let id = service
        .begin(&json!({"scenario": "Smoke", "options": options}))
        .await?;
    service.wait_for_end(&id).await?;
    let path = format!("/api/v1/performancetest/{id}/timeline");
    let seconds = service.get_json(&path).await?;
    let requests = |range: std::ops::Range<usize>| -> u64 {
        let list = seconds.as_array().unwrap();
        let within = list
            .iter()
            .filter(|one| range.contains(&usize::try_from(t(one)).unwrap()));
        within.map(|one| one["requests"].as_u64().unwrap()).sum()
    };
    let page = service.get_text(&format!("/runs/{id}?from=1&to=3")).await?;
    assert!(page.contains("<strong>00:01–00:03 of 00:0"), "{page}");
    let own = format!(
        "<tr><td>GET /work</td><td class=\"n\">{}</td>",
        requests(1..3)
    );
    assert!(page.contains(&own), "{own}: {page}");
    assert!(page.contains("data-from=\"1\" data-to=\"3\""), "{page}");
    let whole = service.get_text(&format!("/runs/{id}")).await?;
    let own = format!(
        "<tr><td>GET /work</td><td class=\"n\">{}</td>",
        requests(0..100)
    );
    assert!(whole.contains(&own), "{own}: {whole}");
    assert!(!whole.contains("Show the whole run"), "{whole}");
    // What lies behind the end is not there, and no refusal either.
    let late = service
        .get_text(&format!("/runs/{id}?from=900&to=950"))
        .await?;
    assert!(late.contains("Show the whole run"), "{late}");
    for query in ["from=3&to=3", "from=5&to=2", "from=-1", "to=x"] {
        let reply = service.get(&format!("/runs/{id}?{query}")).await?;
        assert_eq!(reply.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    Ok(())
}

fn t(point: &Value) -> u64 {
    point["t"].as_u64().unwrap()
}
