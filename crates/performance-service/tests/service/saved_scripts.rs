//! Saved scripts are listed and removed, unless something is to run them.

use reqwest::Method;
use serde_json::{Value, json};
use test_support::access::{ADMIN, ENGINEER, STRANGER};

use crate::access::Guarded;

const SCRIPTS: &str = "/api/v1/performancetest/scripts";

async fn save(guarded: &Guarded, name: &str) -> anyhow::Result<()> {
    let document = json!({
        "title": "Work",
        "load": {"model": "closed", "stages": [{"seconds": 1, "to": 1}]},
        "journey": [{"name": "worker", "step": [{"path": "/work"}]}],
    });
    let body = json!({"from": "configuration", "document": document, "save": name});
    let saved = guarded
        .post(ENGINEER, "/api/v1/performancetest/generate", &body)
        .await?;
    assert_eq!(saved.status(), 201);
    Ok(())
}

#[tokio::test]
async fn a_script_goes_when_nothing_names_it() -> anyhow::Result<()> {
    let guarded = Guarded::start(&[]).await?;
    save(&guarded, "one").await?;
    save(&guarded, "two").await?;
    let listed: Value = guarded.get(ENGINEER, SCRIPTS).await?.json().await?;
    assert_eq!(listed[0]["testScript"], "generated/one.js", "{listed}");
    assert!(listed[1]["bytes"].as_u64() > Some(100), "{listed}");
    let theirs: Value = guarded.get(STRANGER, SCRIPTS).await?.json().await?;
    assert_eq!(theirs, json!([]));

    let run = json!({"testScript": "generated/one.js"});
    let nightly = json!({"name": "nightly", "cron": "0 2 * * *", "run": run});
    let schedules = "/api/v1/performancetest/schedules";
    assert_eq!(
        guarded.post(ENGINEER, schedules, &nightly).await?.status(),
        201
    );
    let remove = async |token, name: &str| {
        let path = format!("{SCRIPTS}/{name}");
        let reply = guarded.ask(token, Method::DELETE, &path, None).await?;
        anyhow::Ok(reply)
    };
    let refused = remove(ADMIN, "one").await?;
    assert_eq!(refused.status(), 409);
    let problem: Value = refused.json().await?;
    assert_eq!(problem["detail"], "the schedule nightly names this script");
    let one = format!("{schedules}/nightly");
    guarded.ask(ENGINEER, Method::DELETE, &one, None).await?;
    for (token, name, status) in [
        (ENGINEER, "one", 403),
        (STRANGER, "one", 404),
        (ADMIN, "three", 404),
        (ADMIN, "..%2Fdefault", 404),
        (ADMIN, "one", 204),
        (ADMIN, "one", 404),
    ] {
        assert_eq!(remove(token, name).await?.status(), status, "{name}");
    }
    let refused = guarded
        .post(ENGINEER, "/api/v1/performancetest/start", &run)
        .await?;
    assert_eq!(refused.status(), 400);
    save(&guarded, "one").await
}
