//! The stream of events.

use std::time::Duration;

use eventsource_stream::{Event, Eventsource};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::test_service::{RUN_DEADLINE, TestService};

#[tokio::test]
async fn a_watcher_sees_the_run_without_a_gap() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin(&short()).await?;
    let events = watch(&service, &format!("test={id}"), None).await?;
    assert_gapless(&events, 0);
    let kinds: Vec<&str> = events.iter().map(|event| event.event.as_str()).collect();
    assert!(kinds.contains(&"TestStarted"), "{kinds:?}");
    assert_eq!(&kinds[kinds.len() - 2..], ["TestCompleted", "end"]);
    let points = points(&events);
    assert!(points.len() >= 3, "{points:?}");
    for (t, point) in points.iter().enumerate() {
        assert_eq!(point["t"], t);
    }
    let middle = &points[1];
    assert!(middle["requestsPerSecond"].as_f64() > Some(1.0), "{middle}");
    assert!(middle["p50"].as_f64() <= middle["p99"].as_f64(), "{middle}");
    assert_eq!(middle["errorRate"], 0.0);
    assert!(middle["checksPassed"].as_u64() > Some(0), "{middle}");
    assert_eq!(middle["virtualUsers"], 2.0);
    Ok(())
}

#[tokio::test]
async fn a_watcher_that_comes_back_gets_what_it_missed_once() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let id = service.begin(&short()).await?;
    service.wait_for_end(&id).await?;

    let all = watch(&service, &format!("test={id}"), None).await?;
    assert_gapless(&all, 0);
    assert!(all.iter().any(|event| event.event == "backfill"));
    // The larger of the two wins.
    let rest = watch(&service, &format!("test={id}&after=1"), Some("3")).await?;
    assert_gapless(&rest, 3);
    let rest = watch(&service, &format!("test={id}&after=4"), Some("2")).await?;
    assert_gapless(&rest, 4);

    let last = all.last().unwrap().id.clone();
    let url = format!("/performance-hub?test={id}&after={last}");
    assert_eq!(service.get(&url).await?.status(), 204);
    Ok(())
}

#[tokio::test]
async fn all_runs_can_be_watched() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let url = format!("{}/performance-hub", service.base_url);
    let mut stream = service
        .client
        .get(url)
        .send()
        .await?
        .bytes_stream()
        .eventsource();
    let id = service.begin(&short()).await?;
    let ended = tokio::time::timeout(RUN_DEADLINE, async {
        while let Some(event) = stream.next().await {
            let event = event.expect("an event");
            let data: Value = serde_json::from_str(&event.data).expect("JSON");
            assert_eq!(data["testId"], *id, "{event:?}");
            if event.event == "end" {
                return true;
            }
        }
        false
    })
    .await?;
    assert!(ended);
    Ok(())
}

#[tokio::test]
async fn streams_end_at_a_shutdown() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let url = format!("{}/performance-hub", service.base_url);
    let stream = service.client.get(url).send().await?;
    let status = service.process.terminate(Duration::from_secs(10)).await?;
    assert!(status.success());
    assert!(stream.bytes().await.is_ok(), "the stream has a clean end");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let status = |path: &'static str| async { service.get(path).await.map(|it| it.status()) };
    assert_eq!(status("/performance-hub?test=nonsense").await?, 404);
    assert_eq!(status("/performance-hub?after=-1").await?, 400);
    let upgrade = service
        .client
        .get(format!("{}/performance-hub", service.base_url))
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .send()
        .await?;
    assert_eq!(upgrade.status(), 400);
    let problem: Value = upgrade.json().await?;
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Sec-WebSocket")
    );
    Ok(())
}

fn short() -> Value {
    json!({"scenario": "Smoke", "options": {"virtualUsers": 2, "duration": "3s"}})
}

async fn watch(
    service: &TestService,
    query: &str,
    last_event_id: Option<&str>,
) -> anyhow::Result<Vec<Event>> {
    let mut request = service
        .client
        .get(format!("{}/performance-hub?{query}", service.base_url));
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    let reply = request.send().await?.error_for_status()?;
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let events = reply.bytes_stream().eventsource().collect::<Vec<_>>();
    let events = tokio::time::timeout(RUN_DEADLINE, events).await?;
    Ok(events.into_iter().collect::<Result<_, _>>()?)
}

/// Ids go up one by one; a backfill stands for as many as it has points.
pub(crate) fn assert_gapless(events: &[Event], after: u64) {
    let mut expected = after;
    for event in events {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        expected += data["points"]
            .as_array()
            .map_or(1, |points| points.len() as u64);
        assert_eq!(event.id, expected.to_string(), "{event:?}");
    }
}

fn points(events: &[Event]) -> Vec<Value> {
    let mut points = Vec::new();
    for event in events {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        match event.event.as_str() {
            "second" => points.push(data),
            "backfill" => points.extend(data["points"].as_array().unwrap().iter().cloned()),
            _ => {}
        }
    }
    points
}
