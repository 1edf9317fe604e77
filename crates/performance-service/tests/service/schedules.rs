//! Schedules as their users meet them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::access::{ADMIN, COLLEAGUE, ENGINEER, STRANGER, VIEWER};
use test_support::wait;

use crate::access::Guarded;
use crate::test_service::{RUN_DEADLINE, TestService};

const SCHEDULES: &str = "/api/v1/performancetest/schedules";

impl TestService {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base_url));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let reply = request.send().await?;
        let (status, text) = (reply.status(), reply.text().await?);
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Puts a form's fields.
    async fn submit(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<reqwest::Response> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.client.post(format!("{}{path}", self.base_url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Ok(request.body(body).send().await?)
    }
}

fn nightly() -> Value {
    json!({
        "name": "nightly",
        "cron": "0 2 * * *",
        "timeZone": "Europe/Berlin",
        "run": {"scenario": "Smoke", "vus": 1, "duration": "1s"},
    })
}

#[tokio::test]
async fn a_schedule_is_made_changed_paused_and_removed() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let url = format!("{}{SCHEDULES}", service.base_url);
    let made = service.client.post(&url).json(&nightly()).send().await?;
    assert_eq!(made.status(), 201);
    assert_eq!(made.headers()["location"], format!("{SCHEDULES}/nightly"));
    let made: Value = made.json().await?;
    assert_eq!(made["run"]["options"]["virtualUsers"], 1, "{made}");
    let next = made["next"].as_array().unwrap();
    assert_eq!(next.len(), 3);
    assert!(
        next.iter().all(|time| {
            let local = time["local"].as_str().unwrap();
            local.contains("T02:00:00+") && local.ends_with("[Europe/Berlin]")
        }),
        "{made}"
    );
    let (status, _) = service
        .call(Method::POST, SCHEDULES, Some(&nightly()))
        .await?;
    assert_eq!(status, 409);

    let one = format!("{SCHEDULES}/nightly");
    let weekly = json!({"cron": "30 4 * * 0", "whenBusy": "skip", "jitterSeconds": 60});
    let (status, changed) = service.call(Method::PUT, &one, Some(&weekly)).await?;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["timeZone"], "UTC");
    assert_eq!(changed["whenBusy"], "skip");
    let (_, paused) = service
        .call(Method::POST, &format!("{one}/pause"), None)
        .await?;
    assert_eq!(
        (&paused["paused"], &paused["next"]),
        (&json!(true), &json!([]))
    );
    // A change does not wake it.
    let (_, changed) = service.call(Method::PUT, &one, Some(&weekly)).await?;
    assert_eq!(changed["paused"], true);
    let (_, resumed) = service
        .call(Method::POST, &format!("{one}/resume"), None)
        .await?;
    assert_eq!(resumed["next"].as_array().map(Vec::len), Some(3));
    let all = service.get_json(SCHEDULES).await?;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    let (status, _) = service.call(Method::DELETE, &one, None).await?;
    assert_eq!(status, 204);
    for (method, path) in [
        (Method::GET, one.clone()),
        (Method::DELETE, one.clone()),
        (Method::POST, format!("{one}/pause")),
        (Method::POST, format!("{one}/run")),
    ] {
        let (status, problem) = service.call(method, &path, None).await?;
        assert_eq!(status, 404, "{path}");
        assert_eq!(problem["detail"], "there is no such schedule");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_named() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    for (change, field) in [
        (json!({"name": "a b"}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"cron": "61 * * * *"}), "cron"),
        (json!({"cron": 5}), "cron"),
        (json!({"timeZone": "Moon"}), "timeZone"),
        (json!({"jitterSeconds": 4_000}), "jitterSeconds"),
        (json!({"jitterSeconds": -1}), "jitterSeconds"),
        (json!({"whenBusy": "never"}), "whenBusy"),
        (json!({"run": {"scenario": "Chaos"}}), "run.scenario"),
        (json!({"run": {"testScript": "../x.js"}}), "run.testScript"),
        (json!({"run": {"vus": 0}}), "run.options.virtualUsers"),
    ] {
        let mut body = nightly();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, problem) = service.call(Method::POST, SCHEDULES, Some(&body)).await?;
        assert_eq!(status, 400, "{change}");
        let errors = problem["errors"].as_object().unwrap();
        assert!(errors.contains_key(field), "{change}: {problem}");
    }
    let mut elsewhere = nightly();
    elsewhere["run"]["environment"] = json!({"BASE_URL": "http://127.0.0.1:1"});
    let (status, _) = service
        .call(Method::POST, SCHEDULES, Some(&elsewhere))
        .await?;
    assert_eq!(status, 403);
    assert_eq!(service.get_json(SCHEDULES).await?, json!([]));
    Ok(())
}

#[tokio::test]
async fn a_schedule_belongs_to_who_made_it() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    let made = guarded.post(ENGINEER, SCHEDULES, &nightly()).await?;
    assert_eq!(made.status(), 201);
    let one = format!("{SCHEDULES}/nightly");
    let pause = format!("{one}/pause");
    for (token, status) in [
        (VIEWER, 403),
        (COLLEAGUE, 403),
        (STRANGER, 404),
        (ENGINEER, 200),
    ] {
        let reply = guarded.post(token, &pause, &json!(null)).await?;
        assert_eq!(reply.status(), status, "{token}");
    }
    let removed = guarded.ask(ADMIN, Method::DELETE, &one, None).await?;
    assert_eq!(removed.status(), 204);
    let records = guarded.get(ADMIN, "/api/v1/performancetest/audit").await?;
    let records: Value = records.json().await?;
    let records = records["records"].as_array().unwrap();
    assert_eq!(records[0]["action"], format!("DELETE {SCHEDULES}/{{name}}"));
    assert_eq!(records[0]["object"], one);
    Ok(())
}

/// Nobody waits for a minute here: the start's time is moved in the store, as a clock that is put
/// forward does, while the service looks for changes.
#[tokio::test]
async fn a_start_that_is_due_becomes_a_run() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let (status, _) = service
        .call(Method::POST, SCHEDULES, Some(&nightly()))
        .await?;
    assert_eq!(status, 201);
    let file = service.state.path().join("data/performance.sqlite");
    let connection = rusqlite::Connection::open(file)?;
    connection.busy_timeout(RUN_DEADLINE)?;
    let now = jiff::Timestamp::now().as_millisecond();
    connection.execute(
        "UPDATE schedules SET due_at_ms = ?1, begins_at_ms = ?1 WHERE name = 'nightly'",
        [now],
    )?;
    // Any change of a schedule has the service look at the clock.
    let mut other = nightly();
    other["name"] = json!("other");
    service.call(Method::POST, SCHEDULES, Some(&other)).await?;
    let path = format!("{SCHEDULES}/nightly");
    let start = wait::until("the start is taken", RUN_DEADLINE, async || {
        let schedule = service.get_json(&path).await?;
        let start = schedule["starts"][0].clone();
        anyhow::ensure!(start["outcome"] == "started", "{schedule}");
        Ok(start)
    })
    .await?;
    let run = service
        .wait_for_end(start["testId"].as_str().unwrap())
        .await?;
    assert_eq!(run["trigger"], "schedule nightly", "{run}");
    assert_eq!(run["startedBy"], "development");
    assert_eq!(run["status"], "Completed", "{run}");
    let page = service.get_text("/schedules").await?;
    assert!(page.contains("PASS") && page.contains("nightly"), "{page}");
    Ok(())
}

#[tokio::test]
async fn the_page_makes_runs_and_removes_schedules_without_scripts() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let hostile = "<script>alert(1)</script>";
    let fields = [
        ("name", "nightly"),
        ("cron", "0 2 * *"),
        ("timeZone", hostile),
        ("jitterSeconds", "many"),
        ("scenario", "Smoke"),
        ("virtualUsers", "1"),
        ("duration", "1s"),
    ];
    let refused = service.submit("/schedules", &fields).await?;
    assert_eq!(refused.status(), 400);
    let page = refused.text().await?;
    assert!(page.contains("must be a whole number"), "{page}");
    assert!(
        page.contains("value=\"0 2 * *\""),
        "what was typed stays: {page}"
    );
    assert!(!page.contains(hostile), "{page}");
    let mut good = fields;
    (good[1].1, good[2].1, good[3].1) = ("0 2 * * *", "Asia/Kathmandu", "");
    let made = service.submit("/schedules", &good).await?;
    assert_eq!(made.status(), 303);
    let page = service.get_text("/schedules").await?;
    assert!(page.contains("02:00 +05:45"), "{page}");
    let begun = service.post("/schedules/nightly/run").await?;
    assert_eq!(begun.status(), 303);
    let run = begun.headers()["location"].to_str()?.to_owned();
    assert!(run.starts_with("/runs/"), "{run}");
    for (action, says) in [("pause", "Resume"), ("resume", "Pause")] {
        let done = service
            .post(&format!("/schedules/nightly/{action}"))
            .await?;
        assert_eq!(done.status(), 303);
        assert!(service.get_text("/schedules").await?.contains(says));
    }
    assert_eq!(
        service.post("/schedules/nightly/explode").await?.status(),
        404
    );
    let gone = service.post("/schedules/nightly/delete").await?;
    assert_eq!(gone.status(), 303);
    let page = service.get_text("/schedules").await?;
    assert!(page.contains("Nothing starts by the clock"), "{page}");
    Ok(())
}

#[tokio::test]
async fn a_schedule_says_what_it_costs_and_its_runs_who_started_them() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let (status, made) = service
        .call(Method::POST, SCHEDULES, Some(&nightly()))
        .await?;
    assert_eq!(status, 201, "{made}");
    let cost = &made["monthlyCost"];
    let starts = cost["starts"].as_f64().unwrap_or_default();
    assert!((starts - 30.4).abs() < 0.1, "{cost}");
    assert_eq!(cost["text"], "nobody knows what it costs", "{cost}");
    let (_, run) = service
        .call(Method::POST, &format!("{SCHEDULES}/nightly/run"), None)
        .await?;
    let id = run["testId"].as_str().unwrap_or_default();
    service.wait_for_end(id).await?;
    let cost = service.get_json(SCHEDULES).await?[0]["monthlyCost"].take();
    assert_eq!(cost["text"], "costs nothing", "{cost}");
    assert_eq!(cost["basis"], "by the one run that it started", "{cost}");
    let page = service.get_text("/schedules").await?;
    assert!(
        page.contains("30.4 starts a month, by the one run"),
        "{page}"
    );
    let export = format!("/api/v1/performancetest/{id}/export?format=");
    for path in [
        format!("/runs/{id}"),
        "/runs".to_owned(),
        format!("{export}html"),
        format!("{export}markdown"),
        format!("{export}junit"),
    ] {
        let shown = service.get_text(&path).await?;
        assert!(shown.contains("schedule nightly, for "), "{path}: {shown}");
    }
    let run = service.run(id).await?;
    assert_eq!(run["trigger"], "schedule nightly", "{run}");
    Ok(())
}

/// Whoever asks may say what asks on his behalf, as far as that is not known here.
#[tokio::test]
async fn a_start_says_what_asks_for_it() -> anyhow::Result<()> {
    let service = TestService::start().await?;
    let asked = json!({"scenario": "Smoke", "vus": 1, "duration": "1s", "trigger": "webhook"});
    let id = service.begin(&asked).await?;
    assert_eq!(service.run(&id).await?["trigger"], "webhook");
    let page = service.get_text(&format!("/runs/{id}")).await?;
    assert!(page.contains("by a webhook, for "), "{page}");
    for trigger in ["schedule nightly", "capacity", "x"] {
        let reply = service.ask(&json!({"trigger": trigger})).await?;
        assert_eq!(reply.status(), 400, "{trigger}");
        let problem: Value = reply.json().await?;
        assert!(problem["errors"]["trigger"].is_array(), "{problem}");
    }
    Ok(())
}
