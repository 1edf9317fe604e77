//! Webhooks against a receiver of the test's own, which is sound, broken, slow or gone.

use std::time::Duration;

use serde_json::{Value, json};
use test_support::access::{ADMIN, ENGINEER, STRANGER};
use test_support::fault_proxy::{Behaviour, FaultProxy, Mode};
use test_support::{fault_proxy, wait};

use crate::access::Guarded;
use crate::test_service::{RUN_DEADLINE, TestService};
use crate::webhook_receiver::{Receiver, signature};

const WEBHOOKS: &str = "/api/v1/performancetest/webhooks";
const SECRET: &str = "secret-canary-of-the-service-0123456789";

/// The settings of a service whose webhooks may name `team`.
async fn service(target: &str) -> anyhow::Result<TestService> {
    let targets = format!("team={target}/hooks/path-canary");
    TestService::start_with(&[
        ("PERFORMANCE_WEBHOOK_TARGETS", &targets),
        ("PERFORMANCE_WEBHOOK_SECRET", SECRET),
        ("PERFORMANCE_PUBLIC_URL", "https://load.example/"),
    ])
    .await
}

/// A receiver, what stands before it, and a service with the webhook `ci` that sends there.
async fn service_behind_proxy() -> anyhow::Result<(Receiver, FaultProxy, TestService)> {
    let receiver = Receiver::start().await?;
    let proxy = fault_proxy(receiver.base_url.trim_start_matches("http://"))?;
    let service = service(&format!("http://{}", proxy.address())).await?;
    service
        .hook(&json!({"name": "ci", "target": "team"}))
        .await?;
    Ok((receiver, proxy, service))
}

impl TestService {
    /// Makes a webhook; what the answer says.
    async fn hook(&self, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{WEBHOOKS}", self.base_url);
        let reply = self.client.post(url).json(body).send().await?;
        let status = reply.status();
        let made: Value = reply.json().await?;
        anyhow::ensure!(status == 201, "{status}: {made}");
        Ok(made)
    }

    /// Sends a test and waits until it is in a state.
    async fn test_until(&self, name: &str, state: &str) -> anyhow::Result<Value> {
        let tested = self.post(&format!("{WEBHOOKS}/{name}/test")).await?;
        anyhow::ensure!(tested.status() == 202, "{}", tested.status());
        self.newest(name, state).await
    }

    /// Waits until the newest delivery is in a state.
    async fn newest(&self, name: &str, state: &str) -> anyhow::Result<Value> {
        let path = format!("{WEBHOOKS}/{name}/deliveries");
        wait::until(
            &format!("the delivery is {state}"),
            RUN_DEADLINE,
            async || {
                let deliveries = self.get_json(&path).await?;
                anyhow::ensure!(deliveries[0]["state"] == state, "{deliveries}");
                Ok(deliveries[0].clone())
            },
        )
        .await
    }
}

#[tokio::test]
async fn a_run_is_told_signed_and_in_order() -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    let service = service(&receiver.base_url).await?;
    let made = service
        .hook(&json!({"name": "ci", "target": "team"}))
        .await?;
    assert_eq!(made["events"], json!(["run.started", "run.completed"]));
    let secret = made["signingSecret"].as_str().unwrap();
    let run = json!({
        "testName": "a <b>&co",
        "scenario": "Smoke",
        "options": {"virtualUsers": 1, "duration": "1s",
                    "thresholds": {"http_req_duration": ["p(95)<0.0001"]}},
    });
    let id = service.begin(&run).await?;
    let requests = receiver.wait_for(2).await?;
    let mut events = Vec::new();
    for (headers, body) in &requests {
        assert_eq!(
            headers["x-bookstore-signature"],
            signature(secret, headers, body)
        );
        assert_eq!(headers["content-type"], "application/json");
        let event: Value = serde_json::from_str(body)?;
        assert_eq!(
            headers["x-bookstore-event"],
            event["event"].as_str().unwrap()
        );
        assert_eq!(event["run"]["testId"], id, "{event}");
        assert_eq!(event["run"]["testName"], "a <b>&co");
        assert_eq!(event["link"], format!("https://load.example/runs/{id}"));
        events.push(event);
    }
    assert_eq!(events[0]["event"], "run.started");
    assert!(events[0].get("verdict").is_none(), "{}", events[0]);
    assert_eq!(events[1]["event"], "run.completed");
    assert_eq!(events[1]["verdict"]["level"], "FAIL", "{}", events[1]);
    assert!(events[1]["verdict"]["reasons"][0].is_string());
    // The secret is told once, and neither it nor the address is anywhere else.
    let (list, own) = (service.get_text(WEBHOOKS).await?, service.process.log());
    for text in [
        list,
        service
            .get_text(&format!("{WEBHOOKS}/ci/deliveries"))
            .await?,
        own,
    ] {
        assert!(!text.contains("canary") && !text.contains(secret), "{text}");
    }
    for file in std::fs::read_dir(service.state.path().join("data"))? {
        let bytes = std::fs::read(file?.path())?;
        let kept = String::from_utf8_lossy(&bytes);
        assert!(!kept.contains("canary") && !kept.contains(secret));
    }
    Ok(())
}

#[tokio::test]
async fn slack_gets_a_message_that_it_takes() -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    let service = service(&receiver.base_url).await?;
    let hook = json!({"name": "chat", "target": "team", "format": "slack",
                      "events": ["run.completed"]});
    service.hook(&hook).await?;
    let run = json!({"testName": "<!channel> &co", "testScript": "tests/broken.js"});
    let id = service.begin(&run).await?;
    let (_, body) = receiver.wait_for(1).await?.remove(0);
    let message: Value = serde_json::from_str(&body)?;
    let text = message["text"].as_str().unwrap();
    assert!(
        text.starts_with("INVALID: &lt;!channel&gt; &amp;co #1"),
        "{text}"
    );
    let blocks = message["blocks"].as_array().unwrap();
    assert!(
        blocks.iter().all(|block| block["type"] == "section"),
        "{message}"
    );
    let first = blocks[0]["text"]["text"].as_str().unwrap();
    assert!(
        first.contains(&format!("<https://load.example/runs/{id}|")),
        "{first}"
    );
    assert!(!body.contains("<!channel>"), "{body}");
    Ok(())
}

#[tokio::test]
async fn what_fails_is_sent_again_or_given_up() -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    let service = service(&receiver.base_url).await?;
    service
        .hook(&json!({"name": "ci", "target": "team"}))
        .await?;
    receiver.answer(&[500, 503]);
    let delivery = service.test_until("ci", "delivered").await?;
    assert_eq!(
        (&delivery["attempts"], &delivery["status"]),
        (&json!(3), &json!(200))
    );
    let requests = receiver.requests();
    assert!(requests.iter().all(|(headers, _)| {
        headers["x-bookstore-delivery"] == requests[0].0["x-bookstore-delivery"]
    }));
    // A redirect could lead anywhere.
    receiver.answer(&[307]);
    let delivery = service.test_until("ci", "failed").await?;
    assert_eq!(
        (&delivery["attempts"], &delivery["status"]),
        (&json!(1), &json!(307))
    );
    assert!(
        delivery["error"].as_str().unwrap().contains("redirect"),
        "{delivery}"
    );
    receiver.answer(&[400]);
    service.test_until("ci", "failed").await?;
    let before = receiver.requests().len();
    // Gone: nothing is sent there any more.
    receiver.answer(&[410]);
    service.test_until("ci", "failed").await?;
    let hooks = service.get_json(WEBHOOKS).await?;
    assert_eq!(hooks[0]["switchedOff"], "the receiver answered 410 Gone");
    let audit = service.get_json("/api/v1/performancetest/audit?action=switch%20off");
    let audit = audit.await?;
    assert_eq!(
        audit["records"][0]["object"],
        format!("{WEBHOOKS}/ci"),
        "{audit}"
    );
    let tested = service.post(&format!("{WEBHOOKS}/ci/test")).await?;
    assert_eq!(tested.status(), 409);
    let id = service
        .begin(&json!({"testScript": "tests/broken.js"}))
        .await?;
    service.wait_for_end(&id).await?;
    assert_eq!(receiver.requests().len(), before + 1);
    let metrics = service.get_text("/metrics").await?;
    assert!(
        metrics.contains("performance_webhook_attempts_total{outcome=\"delivered\"} 1"),
        "{metrics}"
    );
    Ok(())
}

/// A receiver that says nothing, or that breaks every connection.
#[tokio::test]
async fn a_dead_receiver_delays_no_run() -> anyhow::Result<()> {
    let (receiver, proxy, service) = service_behind_proxy().await?;
    proxy.set(Behaviour::mode(Mode::Silent));
    let begun = tokio::time::Instant::now();
    for _ in 0..2 {
        let run = json!({"scenario": "Smoke", "vus": 1, "duration": "1s"});
        let id = service.begin(&run).await?;
        service.wait_for_end(&id).await?;
    }
    let path = format!("{WEBHOOKS}/ci/deliveries");
    let waiting = service.get_json(&path).await?;
    assert_eq!(waiting.as_array().map(Vec::len), Some(4));
    assert!(
        waiting
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["state"] == "waiting")
    );
    assert!(begun.elapsed() < RUN_DEADLINE / 2, "{:?}", begun.elapsed());
    let error = wait::until("the silence is noticed", RUN_DEADLINE, async || {
        let error = service.get_json(&path).await?[3]["error"].clone();
        anyhow::ensure!(error.is_string(), "no attempt has ended");
        Ok(error)
    })
    .await?;
    assert_eq!(error, "no answer within 10 s");
    proxy.heal();
    // The first one comes first, however often it was sent.
    let requests = receiver.wait_for(4).await?;
    let ids: Vec<&str> = requests
        .iter()
        .map(|(headers, _)| headers["x-bookstore-delivery"].to_str().unwrap())
        .collect();
    assert!(
        ids.is_sorted_by_key(|id| id.parse::<u64>().unwrap()),
        "{ids:?}"
    );
    service.newest("ci", "delivered").await?;
    Ok(())
}

#[tokio::test]
async fn what_waits_is_sent_after_a_restart() -> anyhow::Result<()> {
    let (receiver, proxy, service) = service_behind_proxy().await?;
    let second = json!({"name": "team", "target": "team"});
    service.hook(&second).await?;
    let tested = async |name: &str| {
        let tested = service.post(&format!("{WEBHOOKS}/{name}/test")).await?;
        anyhow::ensure!(tested.status() == 202, "{}", tested.status());
        Ok(())
    };
    proxy.set(Behaviour::mode(Mode::Reset));
    tested("ci").await?;
    let path = format!("{WEBHOOKS}/ci/deliveries");
    wait::until("the reset is noticed", RUN_DEADLINE, async || {
        let first = service.get_json(&path).await?[0].clone();
        anyhow::ensure!(
            first["state"] == "waiting" && first["error"].is_string(),
            "{first}"
        );
        Ok(())
    })
    .await?;
    proxy.set(Behaviour::mode(Mode::Refuse));
    tested("ci").await?;
    tested("team").await?;
    service.process.kill();
    service.process.start_again()?;
    service.ready().await?;
    proxy.heal();
    // The second test of the one is its first, which still waits.
    receiver.wait_for(2).await?;
    service.newest("ci", "delivered").await?;
    service.newest("team", "delivered").await?;
    let of_one = service.get_json(&path).await?;
    assert_eq!(of_one.as_array().map(Vec::len), Some(1), "{of_one}");
    Ok(())
}

#[tokio::test]
async fn no_request_names_an_address() -> anyhow::Result<()> {
    let targets = ("PERFORMANCE_WEBHOOK_TARGETS", "team=http://127.0.0.1:9/x");
    let secret = ("PERFORMANCE_WEBHOOK_SECRET", SECRET);
    let guarded = Guarded::start(&[targets, secret]).await?;
    for (change, field) in [
        (json!({"target": "http://127.0.0.1:9/x"}), "target"),
        (json!({"target": "other"}), "target"),
        (json!({"name": "../x"}), "name"),
        (json!({"format": "xml"}), "format"),
        (json!({"events": []}), "events"),
        (json!({"events": ["webhook.test"]}), "events"),
        (json!({"events": ["run.paused"]}), "events"),
    ] {
        let mut body = json!({"name": "ci", "target": "team"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let reply = guarded.post(ADMIN, WEBHOOKS, &body).await?;
        assert_eq!(reply.status(), 400, "{change}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"][field].is_array(), "{change}: {problem}");
        assert!(!problem.to_string().contains("127.0.0.1:9/x") || field == "target");
    }
    let body = json!({"name": "ci", "target": "team"});
    assert_eq!(guarded.post(ENGINEER, WEBHOOKS, &body).await?.status(), 403);
    assert_eq!(guarded.post(ADMIN, WEBHOOKS, &body).await?.status(), 201);
    assert_eq!(guarded.post(ADMIN, WEBHOOKS, &body).await?.status(), 409);
    let one = format!("{WEBHOOKS}/ci");
    for path in [format!("{one}/test"), format!("{WEBHOOKS}/none/test")] {
        let reply = guarded.post(STRANGER, &path, &json!(null)).await?;
        assert_eq!(reply.status(), 404, "{path}");
    }
    let removed = guarded
        .ask(ADMIN, reqwest::Method::DELETE, &one, None)
        .await?;
    assert_eq!(removed.status(), 204);
    Ok(())
}

#[tokio::test]
async fn the_page_shows_a_secret_once() -> anyhow::Result<()> {
    let receiver = Receiver::start().await?;
    let service = service(&receiver.base_url).await?;
    let form = async |name: &str| {
        let request = service
            .client
            .post(format!("{}/webhooks", service.base_url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = format!("name={name}&target=team&format=json&starts=yes");
        anyhow::Ok(request.body(body).send().await?)
    };
    let refused = form("%3Cb%3E").await?;
    assert_eq!(refused.status(), 400);
    let page = refused.text().await?;
    assert!(
        page.contains("name must be 1 to 64") && !page.contains("<b>"),
        "{page}"
    );
    let made = form("ci").await?;
    assert_eq!(made.status(), 200);
    assert_eq!(made.headers()["cache-control"], "no-store");
    assert!(made.text().await?.contains("whsec_"));
    let tested = service.post("/webhooks/ci/test").await?;
    assert_eq!(tested.status(), 303);
    service.newest("ci", "delivered").await?;
    let page = service.get_text("/webhooks").await?;
    assert!(
        page.contains("webhook.test") && page.contains("delivered"),
        "{page}"
    );
    assert!(
        !page.contains("whsec_") && !page.contains("canary"),
        "{page}"
    );
    let gone = service.post("/webhooks/ci/delete").await?;
    assert_eq!(gone.status(), 303);
    assert!(
        service
            .get_text("/webhooks")
            .await?
            .contains("Nobody is told of runs")
    );
    Ok(())
}

#[tokio::test]
async fn targets_need_a_secret() -> anyhow::Result<()> {
    let targets = (
        "PERFORMANCE_WEBHOOK_TARGETS",
        "team=https://hooks.example/canary",
    );
    let service = TestService::launch(&[targets]).await?;
    let ended = service.process.wait(Duration::from_secs(30)).await?;
    assert!(!ended.success());
    let log = service.process.log();
    assert!(log.contains("PERFORMANCE_WEBHOOK_SECRET"), "{log}");
    assert!(!log.contains("canary"), "{log}");
    Ok(())
}
