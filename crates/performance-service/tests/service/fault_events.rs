//! Faults that somebody tells of while a run is on.

use anyhow::ensure;
use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use reqwest::Response;
use serde_json::{Value, json};
use test_support::wait;

use crate::test_service::{RUN_DEADLINE, TestService};

const FAMILY: &str = "/api/v1/performancetest";

impl TestService {
    async fn tell(&self, run: &str, body: &Value) -> anyhow::Result<Response> {
        let url = format!("{}{FAMILY}/{run}/events", self.base_url);
        Ok(self.client.post(url).json(body).send().await?)
    }
}

#[tokio::test]
async fn a_fault_is_streamed_stored_and_shown() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin_long().await?;
    let url = format!("{}/performance-hub?test={id}", service.base_url);
    let reply = service.client.get(url).send().await?;
    let stream = reply.bytes_stream().eventsource();
    let named = json!({"moment": "begin", "name": "<b>store</b> killed", "detail": "SIGKILL"});
    let reply = service.tell(&id, &named).await?;
    assert_eq!(reply.status(), 201);
    let told: Value = reply.json().await?;
    let seen = stream.filter_map(async |event| event.ok().filter(|it| it.event == "fault"));
    let mut seen = std::pin::pin!(seen);
    let event = tokio::time::timeout(RUN_DEADLINE, seen.next()).await?;
    let event: Value = serde_json::from_str(&event.unwrap().data)?;
    assert_eq!(event, told);

    let end = json!({"moment": "end", "name": "<b>store</b> killed"});
    assert_eq!(service.tell(&id, &end).await?.status(), 201);
    let flush = json!({"moment": "instant", "name": "cache emptied"});
    assert_eq!(service.tell(&id, &flush).await?.status(), 201);
    let live = format!("/runs/{id}");
    wait::until("the picture has the faults", RUN_DEADLINE, async || {
        let page = service.get_text(&live).await?;
        ensure!(page.contains("<rect class=\"fault\""), "{page}");
        Ok(())
    })
    .await?;
    service.post(&format!("{FAMILY}/{id}/cancel")).await?;
    service.wait_for_end(&id).await?;
    assert_eq!(service.tell(&id, &flush).await?.status(), 409);

    let faults = &service.run(&id).await?["faults"];
    assert_eq!(faults[0]["name"], "<b>store</b> killed");
    assert_eq!(faults[0]["beganAt"], told["at"]);
    assert!(faults[0]["endedAt"].as_str() >= told["at"].as_str());
    assert_eq!(faults[1]["endedAt"], faults[1]["beganAt"]);
    let listed = service.get_json(&format!("{FAMILY}/tests")).await?;
    assert_eq!(listed[0]["faults"], Value::Null);
    for format in ["json", "html", "markdown"] {
        let report = format!("{FAMILY}/{id}/export?format={format}");
        let report = service.get_text(&report).await?;
        assert!(report.contains("cache emptied"), "{format}: {report}");
        assert!(format == "json" || !report.contains("<b>"), "{report}");
    }
    let sound = json!({"scenario": "Smoke", "vus": 1, "duration": "1s"});
    let sound = service.begin(&sound).await?;
    service.wait_for_end(&sound).await?;
    let compared = format!("/compare?runs={id},{sound}");
    let compared = service.get_text(&compared).await?;
    assert!(compared.contains("Broken on purpose"), "{compared}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_fault_of_a_run_that_is_on_is_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let good = json!({"moment": "instant", "name": "x"});
    for nobody in ["nonsense", "0198f7a0-0000-7000-8000-000000000000"] {
        assert_eq!(service.tell(nobody, &good).await?.status(), 404, "{nobody}");
    }
    let id = service.begin_long().await?;
    for (body, field) in [
        (json!({"moment": "instant", "name": "  "}), "name"),
        (json!({"moment": "instant", "name": "a\nb"}), "name"),
        (json!({"moment": "instant", "name": "x".repeat(81)}), "name"),
        (
            json!({"moment": "end", "name": "x", "detail": "x".repeat(301)}),
            "detail",
        ),
        (json!({"moment": "later", "name": "x"}), "moment"),
        (json!({"name": "x"}), "moment"),
        (json!(["begin", "x", ""]), ""),
    ] {
        let reply = service.tell(&id, &body).await?;
        assert_eq!(reply.status(), 400, "{body}");
        let problem = reply.text().await?;
        assert!(problem.contains(field), "{body}: {problem}");
    }
    for _ in 0..200 {
        assert_eq!(service.tell(&id, &good).await?.status(), 201);
    }
    assert_eq!(service.tell(&id, &good).await?.status(), 429);
    let waiting = service.begin(&json!({"scenario": "Load"})).await?;
    assert_eq!(service.tell(&waiting, &good).await?.status(), 409);
    Ok(())
}
